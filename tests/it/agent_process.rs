// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! An agent that can be killed.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use antrea_cni_agent::{Agent, Options};
use antrea_cni_test_support::eventually;
use serde_json::Value;

/// An agent in a process of its own, which can be killed: this test binary,
/// started once more for [`agent_process`].
pub(crate) struct AgentProcess {
    pub(crate) child: Child,
    pub(crate) journal: PathBuf,
}

impl AgentProcess {
    pub(crate) fn start(options: &Options, journal: &Path) -> Self {
        let options = Options { journal: Some(journal.to_owned()), ..options.clone() };
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "agent_process::agent_process", "--nocapture"])
            .env("ANTREA_CNI_TEST_AGENT", serde_json::to_string(&options).unwrap())
            .stdout(Stdio::null())
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        // A plugin that waits may find it, and end it, before it is seen here.
        eventually("the agent serves", || {
            let now = std::time::Instant::now();
            let socket = options.socket.to_str().unwrap();
            antrea_cni::grpc::connect(socket, true, false, now).is_ok()
                || child.try_wait().unwrap().is_some()
        });
        Self { child, journal: journal.to_owned() }
    }

    /// The events of the journal so far.
    pub(crate) fn events(&self, event: &str) -> Vec<Value> {
        let text = std::fs::read_to_string(&self.journal).unwrap_or_default();
        text.lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok())
            .filter(|entry| entry["event"] == event)
            .collect()
    }

    #[cfg(unix)]
    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for AgentProcess {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Not a test of its own: the life of an [`AgentProcess`], which ends with the
/// test that started it.
#[test]
fn agent_process() {
    let Some(options) = std::env::var_os("ANTREA_CNI_TEST_AGENT") else { return };
    let options: Options = serde_json::from_str(options.to_str().unwrap()).unwrap();
    let _agent = Agent::start(options).unwrap();
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
}

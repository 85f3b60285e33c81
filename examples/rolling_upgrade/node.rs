// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! The node: a socket, the agent that serves on it now, and what all agents
//! share.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::Mutex;
use std::time::Instant;

use antrea_cni_agent::{Agent, Options};
use serde_json::Value;
use tempfile::TempDir;

use crate::timetable::Generation;

/// Variable that makes this program an agent.
pub(crate) const AGENT_OPTIONS: &str = "ROLLING_UPGRADE_AGENT";

pub(crate) struct Node {
    folder: TempDir,
    pub(crate) socket: PathBuf,
    pub(crate) is_peer: bool,
    /// When which agent was there
    pub(crate) served: Mutex<Vec<Served>>,
}

/// From when to when an agent served; open at the end for the one that does.
pub(crate) struct Served {
    pub(crate) from: Instant,
    pub(crate) until: Option<Instant>,
}

impl Node {
    pub(crate) fn new(is_peer: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let socket = if is_peer {
            PathBuf::from(antrea_cni::SOCKET_PATH)
        } else {
            folder.path().join("cni.sock")
        };
        std::fs::create_dir_all(socket.parent().unwrap()).unwrap();
        Self { folder, socket, is_peer, served: Mutex::default() }
    }

    fn journal(&self) -> PathBuf {
        self.folder.path().join("journal")
    }

    fn state(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    /// A file that stands for the network namespace of a sandbox that is there: a DEL of
    /// one that is gone needs no agent.
    pub(crate) fn netns(&self) -> String {
        let path = self.folder.path().join("netns");
        std::fs::write(&path, "").unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// The journal of all agents.
    pub(crate) fn entries(&self) -> Vec<Value> {
        let journal = std::fs::read_to_string(self.journal()).unwrap_or_default();
        journal.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    /// What is still attached.
    pub(crate) fn left(&self) -> Vec<String> {
        let state = std::fs::read(self.state()).unwrap_or_default();
        let state: Value = serde_json::from_slice(&state).unwrap_or_default();
        state.as_object().into_iter().flatten().map(|(id, _)| id.clone()).collect()
    }

    /// Starts an agent; it serves when this returns.
    pub(crate) fn start(&self, generation: &Generation) -> Child {
        let options = Options {
            socket: self.socket.clone(),
            state: Some(self.state()),
            journal: Some(self.journal()),
            ..generation.options()
        };
        let mut agent = Command::new(std::env::current_exe().unwrap())
            .env(AGENT_OPTIONS, serde_json::to_string(&options).unwrap())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut ready = [0];
        let _ = std::io::Read::read(&mut agent.stdout.take().unwrap(), &mut ready);
        self.served.lock().unwrap().push(Served { from: Instant::now(), until: None });
        agent
    }

    /// Ends an agent: SIGKILL, or SIGTERM.
    pub(crate) fn stop(&self, mut agent: Child, is_killed: bool) {
        if is_killed {
            agent.kill().unwrap();
        } else {
            let _ = Command::new("kill").arg(agent.id().to_string()).status();
        }
        agent.wait().unwrap();
        self.served.lock().unwrap().last_mut().unwrap().until = Some(Instant::now());
    }
}

/// The life of an agent process: until it is ended, or this program ends.
pub(crate) fn serve(options: &OsStr) -> ExitCode {
    let options: Options = serde_json::from_str(options.to_str().unwrap()).unwrap();
    let agent = Agent::start(options).unwrap();
    println!();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate()).unwrap();
        let parent = tokio::task::spawn_blocking(|| {
            let _ = std::io::Read::read_to_end(&mut std::io::stdin(), &mut Vec::new());
        });
        tokio::select! {
            _ = terminate.recv() => (),
            _ = parent => (),
        }
    });
    drop(agent);
    runtime.shutdown_background();
    ExitCode::SUCCESS
}

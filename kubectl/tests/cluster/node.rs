// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! A folder that stands for a node, with the real plugin, an agent and the real tool.

use std::env::consts::EXE_SUFFIX;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use antrea_cni_agent::{Agent, Api, Options};
use tempfile::TempDir;

/// The list of a node, in which the plugin is alone.
const LIST: &str = r#"{"cniVersion":"0.3.0","name":"antrea","plugins":[{"type":"antrea","ipam":{"type":"host-local"}}]}"#;

/// The tool that cargo built, or any other that `ANTREA_CNICTL` names.
pub(crate) fn tool() -> Command {
    Command::new(built("ANTREA_CNICTL", "antrea-cnictl"))
}

fn built(variable: &str, name: &str) -> PathBuf {
    let beside = Path::new(env!("CARGO_BIN_EXE_kubectl-antrea_cni"));
    let beside = || beside.with_file_name(format!("{name}{EXE_SUFFIX}"));
    let path = std::env::var_os(variable).map_or_else(beside, PathBuf::from);
    assert!(path.exists(), "run cargo build first: there is no {}", path.display());
    path
}

pub(crate) struct RealNode {
    folder: TempDir,
    _agent: Option<Agent>,
}

impl RealNode {
    /// A node on which nothing is installed.
    pub(crate) fn empty() -> Self {
        let node = Self { folder: TempDir::new().unwrap(), _agent: None };
        for folder in ["net.d", "bin", "more-bin"] {
            fs::create_dir(node.path(folder)).unwrap();
        }
        node
    }

    /// A node with the plugin, a log and a list.
    pub(crate) fn installed() -> Self {
        let node = Self::empty();
        fs::write(node.path("net.d/10-antrea.conflist"), LIST).unwrap();
        let set = |key: &str, value: &Path| format!("--set={key}={}", value.display());
        let mut install = tool();
        install.arg("install").args(node.arguments()).arg("--set=waitForAgentSeconds=0");
        install.arg("--from").arg(built("ANTREA_CNI_PLUGIN", "antrea-cni"));
        install.arg(set("socket", &node.path("cni.sock")));
        let output = install.arg(set("logFile", &node.path("antrea-cni.log"))).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        node
    }

    pub(crate) fn with_agent(mut self) -> Self {
        let options = Options::new(self.path("cni.sock"), &[Api::V1BETA1]);
        self._agent = Some(Agent::start(options).unwrap());
        self
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The options of the container that tell where the plugin is.
    pub(crate) fn arguments(&self) -> Vec<String> {
        [("--bin-dir", "bin"), ("--bin-dir", "more-bin"), ("--conf-dir", "net.d")]
            .map(|(option, name)| format!("{option}={}", self.path(name).display()))
            .to_vec()
    }

    /// Calls the plugin for a Pod, as a runtime does.
    pub(crate) fn add(&self, pod: &str) {
        let mut plugin = Command::new(self.path("bin/antrea"));
        plugin
            .env_clear()
            .env("CNI_COMMAND", "ADD")
            .env("CNI_CONTAINERID", pod)
            .env("CNI_NETNS", "/var/run/netns/x")
            .env("CNI_IFNAME", "eth0")
            .env("CNI_ARGS", format!("K8S_POD_NAMESPACE=shop;K8S_POD_NAME={pod}"))
            .env("CNI_PATH", self.path("bin"))
            .stdin(Stdio::piped())
            .stdout(Stdio::null());
        let mut child = plugin.spawn().unwrap();
        let configuration = r#"{"cniVersion":"0.3.0","name":"antrea","type":"antrea"}"#;
        let _ = child.stdin.take().unwrap().write_all(configuration.as_bytes());
        child.wait().unwrap();
    }
}

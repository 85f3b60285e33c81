// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! A folder that stands for a node.

use std::path::PathBuf;

use antrea_cni_agent::{Agent, Api, Options};
use serde_json::Value;
use tempfile::TempDir;

use crate::call::Call;

/// A folder for a socket, and an agent in it that may come later.
pub struct TestNode {
    folder: TempDir,
}

impl Default for TestNode {
    fn default() -> Self {
        Self::new()
    }
}

impl TestNode {
    pub fn new() -> Self {
        let node = Self { folder: TempDir::new().unwrap() };
        std::fs::write(node.netns(), "").unwrap();
        node
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// What stands for a container's network namespace.
    pub fn netns(&self) -> PathBuf {
        self.path("netns")
    }

    pub fn socket(&self) -> PathBuf {
        if cfg!(windows) {
            let name = self.folder.path().file_name().unwrap();
            return PathBuf::from(r"\\.\pipe").join(name);
        }
        self.path("cni.sock")
    }

    /// The folder of the DELs that are owed.
    pub fn owed_folder(&self) -> PathBuf {
        let socket = self.socket();
        let beside = match cfg!(windows) {
            true => PathBuf::from(r"C:\ProgramData\antrea-cni").join(socket.file_name().unwrap()),
            false => socket,
        };
        beside.with_added_extension("owed")
    }

    /// The files in it.
    pub fn owed(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.owed_folder());
        let names = entries.into_iter().flatten().map(|it| it.unwrap().file_name());
        names.filter_map(|it| it.into_string().ok()).filter(|it| it != ".lock").collect()
    }

    pub fn agent(&self, apis: &[Api]) -> Agent {
        Agent::start(Options::new(self.socket(), apis)).unwrap()
    }

    pub fn scripted(&self, apis: &[Api], script: Value) -> Agent {
        let script = serde_json::from_value(script).unwrap();
        Agent::start(Options { script, ..Options::new(self.socket(), apis) }).unwrap()
    }

    /// A configuration for the agent on this node.
    pub fn configuration(&self, cni_version: &str, settings: Value) -> String {
        let mut settings = settings;
        settings["socket"] = self.socket().to_str().into();
        // This machine's own folder may change while a test runs.
        if settings.get("confDir").is_none() {
            settings["confDir"] = self.path("net.d").to_str().into();
        }
        serde_json::json!({
            "cniVersion": cni_version, "name": "antrea", "type": "antrea",
            "ipam": {"type": "host-local"}, "antreaCni": settings,
        })
        .to_string()
    }

    /// A call for the agent on this node.
    pub fn call(&self, command: &str, cni_version: &str) -> Call {
        self.call_with(command, cni_version, serde_json::json!({"waitForAgentSeconds": 0}))
    }

    pub fn call_with(&self, command: &str, cni_version: &str, settings: Value) -> Call {
        let call = Call::new(command, self.configuration(cni_version, settings));
        call.env("CNI_NETNS", self.netns())
    }
}

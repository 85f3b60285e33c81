// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
use std::path::PathBuf;

use antrea_cni::{Api, SOCKET_PATH};
use serde::{Deserialize, Serialize};

use crate::api;
use crate::script::Script;

/// Versions of the CNI specification that agents since v2.1.0 accept. The plugin may support newer
/// ones.
pub const ALL_CNI_VERSIONS: [&str; 7] =
    ["0.1.0", "0.2.0", "0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"];

/// Tells what an agent serves and how it behaves.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// Path of the unix socket
    pub socket: PathBuf,
    /// APIs that are served
    #[serde(with = "api")]
    pub apis: Vec<Api>,
    /// Methods that are left out, such as `v1.CmdGC`
    pub without: Vec<String>,
    /// Values of `cniVersion` that are accepted
    pub cni_versions: Vec<String>,
    /// Deviations from the usual behaviour
    pub script: Script,
    /// File to which calls and effects are appended as JSON lines
    pub journal: Option<PathBuf>,
    /// File that keeps the attachments across a restart
    pub state: Option<PathBuf>,
    /// Whether the agent is chained behind another plugin and returns `prevResult` as its result
    pub chaining: bool,
    /// Whether each attachment is a real link in the container's network namespace;
    /// needs root and iproute2
    pub links: bool,
    /// Folder of real CNI plugins; the `delegate` object of a configuration names one of them
    pub delegate: Option<PathBuf>,
    /// The `delegate` object of configurations that have none, as Antrea's own
    pub delegate_conf: Option<serde_json::Value>,
    /// Seconds after the start until the node's network is ready. Until then an ADD waits for it,
    /// 30 s at most, and is then answered with code 11 and without effect
    pub network_ready_after: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            socket: PathBuf::from(SOCKET_PATH),
            apis: api::servable(),
            without: Vec::new(),
            cni_versions: ALL_CNI_VERSIONS.map(str::to_owned).to_vec(),
            script: Script::default(),
            journal: None,
            state: None,
            chaining: false,
            links: false,
            delegate: None,
            delegate_conf: None,
            network_ready_after: 0,
        }
    }
}

impl Options {
    /// Describes an agent that serves `apis` at `socket` and is otherwise ordinary.
    pub fn new(socket: impl Into<PathBuf>, apis: &[Api]) -> Self {
        Self { socket: socket.into(), apis: apis.to_vec(), ..Self::default() }
    }

    /// Returns whether a method of a served API is not left out.
    pub(crate) fn serves(&self, api: &Api, method: &str) -> bool {
        !self.without.contains(&format!("{}.{method}", api.name))
    }
}

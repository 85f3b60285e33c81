// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Holds the result of a probe, which is its JSON.

use std::io;
use std::path::Path;

use antrea_cni::{Action, Api, api, grpc};
use semver::Version;
use serde::{Deserialize, Serialize};

/// Describes the result of a probe.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ProbeReport {
    /// Path of the socket
    pub(super) socket: String,
    /// The conclusion in one sentence
    pub(crate) sentence: String,
    /// Whether a Pod could be connected
    pub(crate) ready: bool,
    /// State of the agent: `served`, `unimplemented`, `silent`, `failed`, `absent`, `notASocket`,
    /// `forbidden`, `{"untrusted": USER}`, `{"unusable": ERROR}`
    pub(super) state: State,
    /// Owner and mode of the socket, on Linux
    pub(super) socket_file: Option<SocketFile>,
    /// The process behind the socket
    pub(super) peer: Option<Peer>,
    /// Time to connect
    pub(super) connect_milliseconds: Option<f64>,
    /// Each API that the plugin speaks, newest first
    pub(crate) apis: Vec<ApiReport>,
    /// The cniVersions that the agent tells that it accepts
    pub(crate) cni_versions: Vec<Version>,
    /// What the agent says of itself, if its API can
    pub(super) capabilities: Option<Capabilities>,
    /// The answer to STATUS, if the agent has it
    pub(super) status: Option<MethodReport>,
    /// Number of owed DELs
    #[serde(default)]
    pub(super) owed: usize,
}

/// Describes the state of an agent or of a method.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum State {
    /// It answers without an error
    Served,
    /// It answers UNIMPLEMENTED
    Unimplemented,
    /// It does not answer in time
    Silent,
    /// It answers with an error
    Failed,
    /// There is no socket, or no process listens on it
    Absent,
    /// The file is not a socket
    NotASocket,
    /// The tool's user may not connect
    Forbidden,
    /// The process runs as this user, whom the plugin does not trust
    Untrusted(String),
    /// The operating system returns another error
    Unusable(String),
}

impl State {
    /// Returns the state that a failed connection shows.
    pub(super) fn from_grpc_error(error: grpc::Error) -> Self {
        match error {
            grpc::Error::Unreachable(error)
            | grpc::Error::OutOfDescriptors(error)
            | grpc::Error::Untrusted { source: Some(error), .. } => Self::from_io_error(error),
            grpc::Error::Untrusted { user, source: None } => {
                Self::Untrusted(user.unwrap_or_else(|| "that cannot be told".to_owned()))
            }
            grpc::Error::NotASocket(_) => Self::NotASocket,
            other => Self::Unusable(other.to_string()),
        }
    }

    pub(super) fn from_io_error(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => Self::Absent,
            io::ErrorKind::PermissionDenied => Self::Forbidden,
            // The backlog is full: a process listens, but does not accept connections.
            io::ErrorKind::WouldBlock => Self::Silent,
            _ => Self::Unusable(error.to_string()),
        }
    }
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SocketFile {
    /// User that owns it
    pub(super) uid: u32,
    /// Group that owns it
    pub(super) gid: u32,
    /// In octal
    pub(super) mode: String,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Peer {
    /// Absent on Windows, where users have no numbers
    pub(super) uid: Option<u32>,
    /// Its process
    pub(super) pid: Option<i32>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ApiReport {
    /// Proto package
    pub(crate) package: String,
    /// Version of the API
    pub(super) version: String,
    /// First and last release of antrea-agent that has it; `null`: none so far
    pub(super) releases: Option<[String; 2]>,
    /// The methods that were called, none of them with an effect
    pub(crate) methods: Vec<MethodReport>,
}

impl ApiReport {
    pub(super) fn new(api: &Api) -> Self {
        let Api { package, version, releases, .. } = *api;
        let releases = releases.map(|both| both.map(str::to_owned));
        Self { package: package.into(), version: version.into(), releases, methods: Vec::new() }
    }

    pub(super) fn is_absent(&self) -> bool {
        self.methods.iter().all(|method| method.state == State::Unimplemented)
    }
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MethodReport {
    /// Name of the method
    pub(super) method: String,
    /// Its state, as above
    pub(crate) state: State,
    /// Error that the agent answered with
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) message: Option<String>,
    /// Time to the answer
    pub(super) milliseconds: f64,
}

impl MethodReport {
    /// Returns why the agent is not ready, from its answer to STATUS.
    pub(super) fn why_not_ready(&self) -> Option<&str> {
        match &self.state {
            State::Silent => Some("nothing"),
            State::Unimplemented => Some("UNIMPLEMENTED"),
            _ => self.message.as_deref(),
        }
    }
}

/// Describes the answer to `GetCapabilities`.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Capabilities {
    /// Version of its API
    pub(super) api_version: String,
    /// Its release
    pub(super) agent_version: String,
    /// Methods that it serves
    pub(super) rpcs: Vec<String>,
}

impl From<api::Capabilities> for Capabilities {
    fn from(said: api::Capabilities) -> Self {
        let api::Capabilities { api_version, agent_version, rpcs, .. } = said;
        Self { api_version, agent_version, rpcs }
    }
}

impl ProbeReport {
    /// Returns a report in which no method is served yet.
    pub(super) fn new(socket: &Path) -> Self {
        Self {
            socket: socket.to_string_lossy().into_owned(),
            sentence: String::new(),
            ready: false,
            state: State::Unimplemented,
            socket_file: None,
            peer: None,
            connect_milliseconds: None,
            apis: Vec::new(),
            cni_versions: Vec::new(),
            capabilities: None,
            status: None,
            owed: 0,
        }
    }

    pub(super) fn set_cni_versions(&mut self, versions: Vec<Version>) {
        if !versions.is_empty() {
            self.cni_versions = versions;
        }
    }

    pub(super) fn serves(&self, api: &Api, action: Action) -> bool {
        self.method(api, action).is_some_and(|it| it.state == State::Served)
    }

    pub(super) fn method(&self, api: &Api, action: Action) -> Option<&MethodReport> {
        let name = (api.method)(action)?.name;
        let found = self.apis.iter().find(|found| found.package == api.package)?;
        found.methods.iter().find(|method| method.method == name)
    }
}

// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Shows the result of a probe as JSON and as text.

use std::path::Path;
use std::{fmt, io};

use antrea_cni::input::version::{LOWER, NEWEST};
use antrea_cni::{Action, Api, api, grpc};
use semver::Version;
use serde::{Deserialize, Serialize};

use crate::error::Exit;
use crate::platform::TRUSTED;
use crate::style::{BAD, GOOD, TITLE, WEAK, plain};

/// Describes the result of a probe.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Report {
    /// Path of the socket
    socket: String,
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
    version: String,
    /// First and last release of antrea-agent that has it; `null`: none so far
    releases: Option<[String; 2]>,
    /// The methods that were called, none of them with an effect
    pub(crate) methods: Vec<MethodReport>,
}

impl ApiReport {
    pub(super) fn new(api: &Api) -> Self {
        let Api { package, version, releases, .. } = *api;
        let releases = releases.map(|both| both.map(str::to_owned));
        Self { package: package.into(), version: version.into(), releases, methods: Vec::new() }
    }

    fn is_absent(&self) -> bool {
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

/// Describes the answer to `GetCapabilities`.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Capabilities {
    /// Version of its API
    api_version: String,
    /// Its release
    agent_version: String,
    /// Methods that it serves
    rpcs: Vec<String>,
}

impl From<api::Capabilities> for Capabilities {
    fn from(said: api::Capabilities) -> Self {
        let api::Capabilities { api_version, agent_version, rpcs, .. } = said;
        Self { api_version, agent_version, rpcs }
    }
}

impl Report {
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

    fn method(&self, api: &Api, action: Action) -> Option<&MethodReport> {
        let name = (api.method)(action)?.name;
        let found = self.apis.iter().find(|found| found.package == api.package)?;
        found.methods.iter().find(|method| method.method == name)
    }

    /// Returns the first API whose ADD is not UNIMPLEMENTED. The plugin's fallback ends there.
    fn answers_add(&self) -> Option<(&'static str, &MethodReport)> {
        Api::ALL.iter().find_map(|api| {
            let method = self.method(api, Action::Add)?;
            (method.state != State::Unimplemented).then_some((api.package, method))
        })
    }

    /// Sets the conclusion from the other fields.
    pub(super) fn conclude(&mut self) {
        let not_ready = self.status.as_ref().and_then(|status| status.message.as_ref());
        let (state, sentence) = match (&self.state, self.answers_add(), not_ready) {
            (
                State::Unimplemented,
                Some((_, MethodReport { state: State::Served, .. })),
                Some(why),
            ) => {
                let said =
                    format!("A Pod started now would fail: the agent answers STATUS with {why}");
                (State::Failed, said)
            }
            (
                State::Unimplemented,
                Some((package, MethodReport { state: State::Served, .. })),
                None,
            ) => (State::Served, self.would_use(package)),
            (State::Unimplemented, Some((package, MethodReport { message, .. })), _) => {
                let why = message.as_deref().unwrap_or("an error");
                (
                    State::Failed,
                    format!("A Pod started now would fail: {package} answers with {why}"),
                )
            }
            (other, ..) => (other.clone(), other.sentence(&self.socket)),
        };
        (self.ready, self.state, self.sentence) = (state == State::Served, state, sentence);
    }

    /// Returns a sentence that says how an ADD would be sent, for each cniVersion of a conflist.
    fn would_use(&self, package: &str) -> String {
        let mut text = format!("A Pod started now would use {package}");
        if self.status.is_none() {
            text += " (which does not tell whether the agent's network is ready)";
        }
        let takes = |version: &Version| self.cni_versions.contains(version);
        if self.cni_versions.is_empty() {
            return format!("{text}; the agent does not tell which cniVersions it accepts");
        }
        if takes(&NEWEST) {
            return format!("{text}, with the cniVersion of the conflist");
        }
        match LOWER.iter().find(|lower| takes(lower)) {
            Some(lower) => format!(
                "{text}; with a conflist of a later cniVersion than {lower}, the agent is asked in {lower} and the answer put into the later one"
            ),
            None => format!("{text}, if the agent accepts the cniVersion of the conflist"),
        }
    }

    pub(crate) fn exit(&self) -> Exit {
        match self.state {
            State::Served => Exit::Success,
            State::Absent | State::NotASocket => Exit::NoAgent,
            State::Forbidden | State::Unusable(_) => Exit::Usage,
            State::Unimplemented | State::Silent | State::Failed | State::Untrusted(_) => {
                Exit::Failure
            }
        }
    }
}

impl State {
    /// Returns a sentence that says how an ADD would end.
    fn sentence(&self, socket: &str) -> String {
        match self {
            Self::Absent => format!(
                "No agent listens on {socket}: a Pod started now would wait for one, 60 s by default, and then fail with code 11"
            ),
            Self::NotASocket => format!(
                "No agent: {socket} is not a socket, so a Pod started now would fail; correct the path, or remove that file and restart the agent's Pod"
            ),
            Self::Forbidden => {
                format!("This user may not connect to {socket}: run the probe as {TRUSTED}")
            }
            Self::Silent => format!(
                "Something listens on {socket} but does not answer: a Pod started now would wait until its deadline, 90 s by default, and then fail with code 11; look at the agent's log"
            ),
            Self::Untrusted(user) => format!(
                "The process behind {socket} is that of user {user}: a Pod started now would fail with code 5, because the plugin talks only to {TRUSTED} and to its own user"
            ),
            Self::Unusable(why) => format!("{socket} cannot be used: {why}"),
            Self::Served | Self::Unimplemented | Self::Failed => {
                "A Pod started now would fail with code 202: something answers, but serves none of the APIs of this plugin; install the plugin that came with the agent".to_owned()
            }
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let style = if self.ready { GOOD } else { BAD };
        writeln!(out, "{style}{}{style:#}.", plain(&self.sentence))?;
        let file = self.socket_file.as_ref().map(|SocketFile { uid, gid, mode }| {
            format!("socket {}: owner {uid}:{gid}, mode {mode}", self.socket)
        });
        let peer = self.peer.as_ref().map(|Peer { uid, pid }| {
            let uid = uid.map(|uid| format!("user {uid}"));
            let pid = pid.map(|pid| format!("process {pid}"));
            format!("served by {}", uid.into_iter().chain(pid).collect::<Vec<_>>().join(", "))
        });
        let there: Vec<_> = file.into_iter().chain(peer).collect();
        if !there.is_empty() {
            writeln!(out, "\n{}", there.join("; "))?;
        }
        if !self.cni_versions.is_empty() {
            let versions: Vec<_> = self.cni_versions.iter().map(ToString::to_string).collect();
            writeln!(out, "accepts cniVersion {}", versions.join(", "))?;
        }
        if let Some(Capabilities { api_version, agent_version, rpcs }) = &self.capabilities {
            let rpcs = rpcs.join(" ");
            let said = format!("agent {agent_version}, API {api_version}, {rpcs}");
            writeln!(out, "says of itself: {}", plain(&said))?;
        }
        if let Some(status) = &self.status {
            let said = status.message.as_deref().unwrap_or("ready");
            writeln!(out, "answers STATUS: {}", plain(said))?;
        }
        if self.owed > 0 {
            writeln!(out, "DELs that are owed to it: {} (antrea-cnictl owed)", self.owed)?;
        }
        for api in &self.apis {
            let of = match &api.releases {
                Some([first, last]) => format!("antrea-agent {first} to {last}"),
                None => "no release so far".to_owned(),
            };
            let ApiReport { package, version, .. } = api;
            writeln!(out, "\n{TITLE}{package}{TITLE:#} {WEAK}({version}; {of}){WEAK:#}")?;
            if api.is_absent() {
                let normal =
                    if api.releases.is_none() { " (normal: no release has it)" } else { "" };
                writeln!(out, "  not in this agent: UNIMPLEMENTED{normal}")?;
                continue;
            }
            for method in &api.methods {
                writeln!(out, "  {method}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for MethodReport {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (style, text) = match &self.state {
            State::Served => (GOOD, "served"),
            State::Unimplemented => (WEAK, "UNIMPLEMENTED"),
            State::Silent => (BAD, "no answer"),
            _ => (BAD, "error"),
        };
        let Self { method, milliseconds, .. } = self;
        write!(out, "{method:<10} {style}{text:<14}{style:#} {milliseconds:>8.3} ms")?;
        match &self.message {
            Some(message) => write!(out, "  {}", plain(message)),
            None => Ok(()),
        }
    }
}

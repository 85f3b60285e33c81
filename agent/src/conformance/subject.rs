// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Makes the calls to the agent that is examined.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use antrea_cni::api::{self, Request, Response};
use antrea_cni::input::{CmdArgs, Configuration, Settings, TraceContext};
use antrea_cni::{Action, Api, ThisNode, client, grpc};
use serde_json::{Value, json};

use crate::listener;
use crate::options::ALL_CNI_VERSIONS;

/// Tells which agent is examined, and what may happen to it.
#[derive(Clone, Debug)]
pub struct Question {
    /// Path of the agent's socket
    pub socket: PathBuf,
    /// How long to wait for each answer
    pub timeout: Duration,
    /// Network namespace in which interfaces may be created; without it, only calls without effect
    /// are made
    pub netns: Option<PathBuf>,
}

/// A version that no agent knows.
pub(super) const UNKNOWN: &str = "99.0.0";

/// Calls the agent that is examined, and holds what is known of it so far.
pub(super) struct Subject {
    settings: Settings,
    timeout: Duration,
    /// Newest API with an ADD; `None` if the agent serves no API of the plugin
    api: Option<Api>,
    /// Accepted values of `cniVersion`, lowest first
    pub(super) cni_versions: Vec<&'static str>,
    /// Whether only trusted users can serve and use the socket
    pub(super) is_private: Result<(), String>,
    netns: Option<String>,
    /// Placeholder for APIs that read the configuration
    configuration: Configuration,
}

/// A configuration that every agent refuses before the command has an effect.
const NO_VERSION: &[u8] = br#"{"cniVersion":"0.0.0","name":"antrea","type":"antrea"}"#;

/// Describes one command to the agent.
#[derive(Clone, Debug)]
pub(super) struct Ask<'a> {
    pub(super) action: Action,
    pub(super) container: &'a str,
    /// `null` leaves `cniVersion` out
    pub(super) version: Value,
    pub(super) netns: &'a str,
    /// More members of the configuration
    pub(super) more: Value,
}

impl Subject {
    pub(super) fn find(question: &Question) -> Result<Self, String> {
        let socket = question.socket.to_string_lossy().into_owned();
        let (_, peer) = grpc::connect(&socket, true, false, Instant::now() + question.timeout)
            .map_err(|error| format!("{socket}: {}", client::Error::from(error)))?;
        let is_private = listener::is_private(&socket, &peer);
        let settings = Settings { socket, require_root_agent: false, ..Settings::default() };
        let netns = question.netns.as_ref().map(|path| path.to_string_lossy().into_owned());
        let mut subject = Self {
            settings,
            timeout: question.timeout,
            api: None,
            cni_versions: Vec::new(),
            is_private,
            netns,
            configuration: Configuration::parse(br#"{"name":"antrea"}"#)
                .map_err(|error| error.to_string())?,
        };
        // An agent may answer with another status than UNIMPLEMENTED for a method that it does not
        // serve.
        let has_add = |api: &&Api| subject.serves(api, Action::Add);
        let answers = |api: &&Api| {
            let ask = Ask::new(Action::Check, "conformance-versions", UNKNOWN);
            has_add(api)
                && subject.call_with_stdin(api, &ask, NO_VERSION, subject.deadline()).is_ok()
        };
        let api = Api::ALL.iter().find(answers).or_else(|| Api::ALL.iter().find(has_add));
        subject.api = api.copied();
        let accepts = |version: &&'static str| {
            let answer = subject.check("conformance-versions", version);
            answer.is_ok_and(|it| it.error.is_none_or(|error| !error.is_refused_version()))
        };
        subject.cni_versions = ALL_CNI_VERSIONS.into_iter().filter(accepts).collect();
        Ok(subject)
    }

    /// Returns the API that is used.
    pub(super) fn api(&self) -> Option<&Api> {
        self.api.as_ref()
    }

    /// Returns the namespace in which interfaces may be created.
    pub(super) fn netns(&self) -> Option<&str> {
        self.netns.as_deref()
    }

    /// Returns the highest accepted version.
    pub(super) fn newest(&self) -> &'static str {
        self.cni_versions.last().copied().unwrap_or(UNKNOWN)
    }

    /// Returns whether the agent serves a command in an API. Asking has no effect.
    pub(super) fn serves(&self, api: &Api, action: Action) -> bool {
        client::probe_method(&self.node(), api, action, self.deadline()).is_ok()
    }

    pub(super) fn capabilities(&self) -> Option<api::Capabilities> {
        client::capabilities(&self.node(), self.api()?, self.deadline()).ok().flatten()
    }

    /// Sends CHECK for a container that does not exist.
    pub(super) fn check(&self, container: &str, version: &str) -> Result<Response, client::Error> {
        self.call(&Ask::new(Action::Check, container, version))
    }

    /// Sends ADD for the namespace in which interfaces may be created.
    pub(super) fn add(&self, container: &str, version: &str) -> Result<Response, client::Error> {
        self.call(&Ask {
            netns: self.netns().unwrap_or_default(),
            ..Ask::new(Action::Add, container, version)
        })
    }

    /// Sends DEL for that namespace.
    pub(super) fn del(&self, container: &str) -> Result<Response, client::Error> {
        self.call(&Ask {
            netns: self.netns().unwrap_or_default(),
            ..Ask::new(Action::Del, container, self.newest())
        })
    }

    /// Makes one call on a new connection.
    pub(super) fn call(&self, ask: &Ask<'_>) -> Result<Response, client::Error> {
        let mut configuration = json!({
            "cniVersion": ask.version, "name": "antrea", "type": "antrea",
            "ipam": {"type": "host-local"},
        });
        if let Some(members) = configuration.as_object_mut() {
            members.retain(|_, value| !value.is_null());
            members.extend(ask.more.as_object().cloned().unwrap_or_default());
        }
        let api = self.api.unwrap_or(Api::V1BETA1);
        self.call_with_stdin(&api, ask, configuration.to_string().as_bytes(), self.deadline())
    }

    /// Makes one call with `stdin` as its configuration, which must end by `deadline`.
    pub(super) fn call_with_stdin(
        &self,
        api: &Api,
        ask: &Ask<'_>,
        stdin: &[u8],
        deadline: Instant,
    ) -> Result<Response, client::Error> {
        let name = format!("K8S_POD_NAME={}", ask.container);
        let args = CmdArgs {
            container_id: ask.container.to_owned(),
            netns: ask.netns.to_owned(),
            ifname: "eth0".to_owned(),
            args: format!("IgnoreUnknown=1;K8S_POD_NAMESPACE=conformance;{name}"),
            path: "/opt/cni/bin".to_owned(),
            stdin_data: stdin.to_vec(),
            ..CmdArgs::default()
        };
        let request = Request {
            action: ask.action,
            args: &args,
            configuration: &self.configuration,
            cni_version: None,
        };
        client::call_one_api(&self.node(), api, &request, deadline)
    }

    pub(super) fn deadline(&self) -> Instant {
        Instant::now() + self.timeout
    }

    pub(super) fn node(&self) -> ThisNode<'_> {
        static NONE: std::sync::LazyLock<TraceContext> =
            std::sync::LazyLock::new(TraceContext::default);
        ThisNode::new(&self.settings, &NONE)
    }
}

impl<'a> Ask<'a> {
    /// Describes a command for a container and a namespace that do not exist.
    pub(super) fn new(action: Action, container: &'a str, version: &str) -> Self {
        Self {
            action,
            container,
            version: version.into(),
            netns: "/var/run/netns/conformance-none",
            more: Value::Null,
        }
    }
}

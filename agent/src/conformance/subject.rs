//! The agent that is asked.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use antrea_cni::api::{self, Request, Response};
use antrea_cni::input::{CmdArgs, Configuration, Settings, TraceContext};
use antrea_cni::{Action, Api, ThisNode, client, grpc};
use serde_json::{Value, json};

use crate::listener;
use crate::options::ALL_CNI_VERSIONS;

/// Which agent is asked, and what may happen to it.
#[derive(Clone, Debug)]
pub struct Question {
    /// Path of the agent's socket
    pub socket: PathBuf,
    /// How long to wait for each answer
    pub timeout: Duration,
    /// Path of a network namespace in which interfaces may be made; without it nothing
    /// is asked that has an effect
    pub netns: Option<PathBuf>,
}

/// A version that no agent knows.
pub(super) const UNKNOWN: &str = "99.0.0";

/// An agent, and what has been found out about it.
pub(super) struct Subject {
    settings: Settings,
    timeout: Duration,
    /// The newest API with an ADD; `None` if none of the plugin's is served
    api: Option<Api>,
    /// The values of cniVersion that are accepted, lowest first
    pub(super) cni_versions: Vec<&'static str>,
    /// Who else may serve or use the socket
    pub(super) is_private: Result<(), String>,
    netns: Option<String>,
    /// What stands for any configuration where an API looks into it
    configuration: Configuration,
}

/// A configuration that every agent refuses before anything has an effect.
const NO_VERSION: &[u8] = br#"{"cniVersion":"0.0.0","name":"antrea","type":"antrea"}"#;

/// What a command is asked for.
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
        // An agent may say otherwise than UNIMPLEMENTED of what it does not serve.
        let has_add = |api: &&Api| subject.serves(api, Action::Add);
        let answers = |api: &&Api| {
            let ask = Ask::new(Action::Check, "conformance-versions", UNKNOWN);
            has_add(api) && subject.send(api, &ask, NO_VERSION, subject.deadline()).is_ok()
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

    /// The API in which it is asked.
    pub(super) fn api(&self) -> Option<&Api> {
        self.api.as_ref()
    }

    /// The namespace in which interfaces may be made.
    pub(super) fn netns(&self) -> Option<&str> {
        self.netns.as_deref()
    }

    /// The highest version that it accepts.
    pub(super) fn newest(&self) -> &'static str {
        self.cni_versions.last().copied().unwrap_or(UNKNOWN)
    }

    /// Whether an API has a command, asked without an effect.
    pub(super) fn serves(&self, api: &Api, action: Action) -> bool {
        client::is_served(&self.node(), api, action, self.deadline()).is_ok()
    }

    pub(super) fn capabilities(&self) -> Option<api::Capabilities> {
        client::capabilities(&self.node(), self.api()?, self.deadline()).ok().flatten()
    }

    /// CHECK of a container that does not exist, in some version.
    pub(super) fn check(&self, container: &str, version: &str) -> Result<Response, client::Error> {
        self.ask(&Ask::new(Action::Check, container, version))
    }

    /// ADD in the namespace where that may be, in some version.
    pub(super) fn add(&self, container: &str, version: &str) -> Result<Response, client::Error> {
        self.ask(&Ask {
            netns: self.netns().unwrap_or_default(),
            ..Ask::new(Action::Add, container, version)
        })
    }

    /// DEL there.
    pub(super) fn del(&self, container: &str) -> Result<Response, client::Error> {
        self.ask(&Ask {
            netns: self.netns().unwrap_or_default(),
            ..Ask::new(Action::Del, container, self.newest())
        })
    }

    /// One call on a connection of its own.
    pub(super) fn ask(&self, ask: &Ask<'_>) -> Result<Response, client::Error> {
        let mut configuration = json!({
            "cniVersion": ask.version, "name": "antrea", "type": "antrea",
            "ipam": {"type": "host-local"},
        });
        if let Some(members) = configuration.as_object_mut() {
            members.retain(|_, value| !value.is_null());
            members.extend(ask.more.as_object().cloned().unwrap_or_default());
        }
        let api = self.api.unwrap_or(Api::V1BETA1);
        self.send(&api, ask, configuration.to_string().as_bytes(), self.deadline())
    }

    /// One call with any bytes as configuration, which has to end by `deadline`.
    pub(super) fn send(
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
    /// For a container that does not exist, nor its namespace.
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

// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Parses the plugin's own settings. They are under one key of the network configuration, which
//! every agent ignores, and in a file of the node ([`node_settings`](super::node_settings)).

mod error;
mod kind;

use std::ops::RangeInclusive;
use std::time::Duration;

use serde_json::value::RawValue;

use self::kind::Kind;
use crate::action::Action;
use crate::json;
use crate::platform::paths;

pub use self::error::{Error, Origin};
pub use self::kind::{DelWhenAgentDown, LogLevel};

/// Where `antrea-agent` listens.
#[doc(alias = "AntreaCNISocketAddr")]
pub const SOCKET_PATH: &str = paths::SOCKET;

/// Longest socket path that the operating system accepts, in bytes.
pub const MAX_SOCKET_PATH_BYTES: usize = paths::MAX_SOCKET_BYTES;

/// Bounds of `addTimeoutSeconds`. An agent itself waits 30 s for its node's network. kubelet allows
/// 240 s for a sandbox (`RunPodSandbox`), CRI-O 5 minutes for an ADD.
const ADD_TIMEOUT_SECONDS: RangeInclusive<u64> = 35..=220;

/// Lowest value of `addTimeoutSeconds`.
pub const LEAST_ADD_TIMEOUT: Duration = Duration::from_secs(*ADD_TIMEOUT_SECONDS.start());

/// Holds the settings in force, key by key: those of the network configuration, else those of the
/// node, else the defaults. [`Settings::TABLE`] documents them.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the table documents them")]
pub struct Settings {
    pub socket: String,
    pub add_timeout: Duration,
    pub wait_for_agent: Duration,
    pub del_when_agent_down: DelWhenAgentDown,
    pub conf_dir: String,
    pub log_file: Option<String>,
    pub log_level: LogLevel,
    pub log_max_bytes: u64,
    pub require_root_agent: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            socket: SOCKET_PATH.to_owned(),
            add_timeout: Action::Add.rules().timeout,
            wait_for_agent: Duration::from_secs(60),
            del_when_agent_down: DelWhenAgentDown::default(),
            conf_dir: paths::CONF_DIR.to_owned(),
            log_file: None,
            log_level: LogLevel::default(),
            log_max_bytes: 10 << 20,
            require_root_agent: true,
        }
    }
}

/// Describes one setting, except for its default.
#[derive(Debug)]
pub struct Setting {
    /// Key of the setting
    pub name: &'static str,
    /// Description for users
    pub help: &'static str,
    kind: Kind<Settings>,
}

impl Setting {
    /// Describes the values that the setting can have.
    pub fn values(&self) -> String {
        self.kind.values()
    }

    /// Returns the value that the setting has in `settings`, as JSON.
    pub fn value(&self, settings: &Settings) -> String {
        self.kind.json(&mut settings.clone())
    }
}

impl Settings {
    /// The key of the network configuration that holds the settings.
    pub const KEY: &str = error::KEY;

    /// All settings. A new setting is a field, its default, and a row here.
    pub const TABLE: &[Setting] = &[
        Setting {
            name: "socket",
            kind: Kind::Socket(|it| &mut it.socket),
            help: "where the agent listens; `unix://PATH` is taken, too",
        },
        Setting {
            name: "addTimeoutSeconds",
            kind: Kind::Seconds(ADD_TIMEOUT_SECONDS, |it| &mut it.add_timeout),
            help: "time for an ADD in all; an agent itself waits 30 s for its node's network, and kubelet gives a sandbox 240 s",
        },
        Setting {
            name: "waitForAgentSeconds",
            kind: Kind::Seconds(0..=180, |it| &mut it.wait_for_agent),
            help: "how long an ADD waits for an agent that is unavailable. CHECK and GC wait at most 5 s. DEL waits 2 s, or 15 s if it cannot be stored. STATUS does not wait, but reports ready for this long after the agent was last seen. A Pod that is deleted while its ADD waits ends after that wait",
        },
        Setting {
            name: "delWhenAgentDown",
            kind: Kind::DelWhenAgentDown(|it| &mut it.del_when_agent_down),
            help: "what DEL answers when no agent can be reached: `\"succeed\"` stores the DEL beside the socket, and the next call that reaches an agent sends it; `\"fail\"` is code 11 after 15 s while the network namespace is there",
        },
        Setting {
            name: "confDir",
            kind: Kind::Path(|it| &mut it.conf_dir),
            help: "the container runtime's folder of network configurations. A call that may delay the runtime's reading of a change ends with code 11, 20 s after the change or after its own begin",
        },
        Setting {
            name: "logFile",
            kind: Kind::LogFile(|it| &mut it.log_file),
            help: "the log, a line of JSON a call; at `logMaxBytes` it becomes FILE.1",
        },
        Setting {
            name: "logLevel",
            kind: Kind::LogLevel(|it| &mut it.log_level),
            help: "log every call, every call but a STATUS that is ready (a container runtime sends one every few seconds), or those in which something failed",
        },
        Setting {
            name: "logMaxBytes",
            // From a few hundred calls to what a tool can read in one piece.
            kind: Kind::Number((64 << 10)..=(1 << 30), |it| &mut it.log_max_bytes),
            help: "size in bytes at which the log becomes FILE.1, in the place of the one before; both together take at most twice as much",
        },
        Setting {
            name: "requireRootAgent",
            kind: Kind::Bool(|it| &mut it.require_root_agent),
            help: "talk only to a process of root (on Windows: of LocalSystem or an administrator) or of our own user",
        },
    ];

    /// Parses the settings of a network configuration strictly: an undocumented name or value is an
    /// error.
    ///
    /// # Errors
    /// The first invalid setting.
    pub fn parse(value: &RawValue) -> Result<Self, Error> {
        let mut settings = Self::default();
        let wrong = settings.apply(value, Origin::Configuration);
        wrong.into_iter().next().map_or(Ok(settings), Err)
    }

    /// Applies the settings in `value`, and returns the errors in them. `null` and invalid values
    /// change nothing.
    pub fn apply(&mut self, value: &RawValue, origin: Origin<'_>) -> Vec<Error> {
        let mut wrong = Vec::new();
        let set = |name: &[u8], value: &RawValue| {
            let setting = Self::TABLE.iter().find(|it| it.name.as_bytes() == name);
            let name = String::from_utf8_lossy(name);
            wrong.extend(match setting {
                None => Some(Error::Unknown(origin.name_of(&name))),
                Some(it) if value.get() == "null" || it.kind.set(self, value).is_some() => None,
                Some(it) => {
                    let name = origin.name_of(&name);
                    Some(Error::Invalid { key: it.name, name, expected: it.values() })
                }
            });
        };
        let is_object =
            value.get() == "null" || json::for_each_member(value.get(), |_| true, set).is_ok();
        if !is_object {
            wrong = vec![Error::NotAnObject(origin.describe())];
        }
        wrong
    }
}

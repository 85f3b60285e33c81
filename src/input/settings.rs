// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Parses the plugin's own settings. They are under one key of the network configuration, which
//! every agent ignores, and in a file of the node ([`node_settings`](super::node_settings)).

use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use thiserror::Error;

use crate::json;
use crate::platform::paths;

/// Where `antrea-agent` listens.
#[doc(alias = "AntreaCNISocketAddr")]
pub const SOCKET_PATH: &str = paths::SOCKET;

/// Longest socket path that the operating system accepts, in bytes.
pub const MAX_SOCKET_PATH_BYTES: usize = paths::MAX_SOCKET_BYTES;

/// Bounds of `addTimeoutSeconds`. An agent itself waits 30 s for its node's network. kubelet allows
/// 240 s for a sandbox (`RunPodSandbox`), CRI-O 5 minutes for an ADD.
const ADD_TIMEOUT_SECONDS: RangeInclusive<u64> = 35..=220;

/// Bounds of `waitForAgentSeconds`.
const WAIT_FOR_AGENT_SECONDS: RangeInclusive<u64> = 0..=180;

/// The bounds of `logMaxBytes`: some hundred calls, and what a tool still reads at once.
const LOG_MAX_BYTES: RangeInclusive<u64> = (64 << 10)..=(1 << 30);

/// Lowest value of `addTimeoutSeconds`.
pub const LEAST_ADD_TIMEOUT: Duration = Duration::from_secs(*ADD_TIMEOUT_SECONDS.start());

/// Describes what is wrong with the settings.
#[derive(Debug, Error)]
pub enum Error {
    /// The settings are not a JSON object.
    #[error("{0} is not an object")]
    NotAnObject(String),
    /// No setting has this name.
    #[error("unknown setting {0}: remove it, or correct its name")]
    Unknown(String),
    /// The setting cannot have this value.
    #[error("setting {name} must be {expected}")]
    Invalid {
        /// Name of the setting, and where it is
        name: String,
        /// Values that it can have
        expected: &'static str,
    },
    /// The settings file is empty, as after a power loss. It counts as absent.
    #[error("the settings file {0} is empty: it counts as absent; write it again or remove it")]
    EmptyFile(PathBuf),
    /// The settings file cannot be used.
    #[error("the settings in {path} cannot be used: {why}; correct the file or remove it")]
    File {
        /// The file
        path: PathBuf,
        /// The reason
        why: String,
    },
}

impl Error {
    /// Returns whether commands other than DEL and GC fail.
    pub fn is_fatal(&self) -> bool {
        !matches!(self, Self::EmptyFile(_))
    }
}

/// Tells where settings are, for errors that name them.
#[derive(Clone, Copy, Debug)]
pub enum Origin<'a> {
    /// Under [`Settings::KEY`] of the network configuration
    Configuration,
    /// In the settings file of the node
    Node(&'a Path),
}

impl Origin<'_> {
    fn describe(self) -> String {
        match self {
            Self::Configuration => format!("{} in the network configuration", Settings::KEY),
            Self::Node(path) => path.display().to_string(),
        }
    }

    fn name_of(self, name: &str) -> String {
        match self {
            Self::Configuration => format!("{}.{name}", Settings::KEY),
            Self::Node(path) => format!("{name} in {}", path.display()),
        }
    }
}

/// Tells what DEL answers if no agent can be reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DelWhenAgentDown {
    /// An error while the network namespace exists, as the Go plugin does
    Fail,
    /// Success after a short wait; the DEL is owed to the next agent
    #[default]
    Succeed,
}

/// Tells which calls are logged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogLevel {
    /// All calls
    Debug,
    /// All calls but a STATUS that is ready, which comes every few seconds
    #[default]
    Info,
    /// Calls that failed
    Error,
}

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
            add_timeout: Duration::from_secs(120),
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
pub struct Setting {
    /// Key of the setting
    pub name: &'static str,
    /// The values that it can have
    pub values: &'static str,
    /// Description for users
    pub help: &'static str,
    /// Sets the value; `None` if the setting cannot have it
    set: fn(&mut Settings, &RawValue) -> Option<()>,
    /// Returns the value as JSON
    get: fn(&Settings) -> String,
}

impl Setting {
    /// Returns the value that the setting has in `settings`, as JSON.
    pub fn value(&self, settings: &Settings) -> String {
        (self.get)(settings)
    }
}

impl Settings {
    /// The key of the network configuration that holds the settings.
    pub const KEY: &str = "antreaCni";

    /// All settings. A new setting is a field, its default, and a row here.
    pub const TABLE: &[Setting] = &[
        Setting {
            name: "socket",
            values: paths::SOCKET_VALUES,
            help: "where the agent listens; `unix://PATH` is taken, too",
            set: |it, value| {
                it.socket = paths::parse_socket(&parse_string(value)?)?;
                Some(())
            },
            get: |it| to_json(&it.socket),
        },
        Setting {
            name: "addTimeoutSeconds",
            values: "a whole number from 35 to 220",
            help: "time for an ADD in all; an agent itself waits 30 s for its node's network, and kubelet gives a sandbox 240 s",
            set: |it, value| {
                it.add_timeout = parse_seconds(value, ADD_TIMEOUT_SECONDS)?;
                Some(())
            },
            get: |it| it.add_timeout.as_secs().to_string(),
        },
        Setting {
            name: "waitForAgentSeconds",
            values: "a whole number from 0 to 180",
            help: "how long an ADD waits for an agent that is being restarted; CHECK and GC wait at most 5 s of it, DEL 2 s, and 15 s where it cannot be owed, STATUS not at all. A Pod that is deleted while its ADD waits is gone when the wait ends, and a node stays Ready for as long after its agent went",
            set: |it, value| {
                it.wait_for_agent = parse_seconds(value, WAIT_FOR_AGENT_SECONDS)?;
                Some(())
            },
            get: |it| it.wait_for_agent.as_secs().to_string(),
        },
        Setting {
            name: "delWhenAgentDown",
            values: "\"fail\" or \"succeed\"",
            help: "what DEL answers when no agent can be reached: `\"succeed\"` writes the DEL down, beside the socket, and whoever reaches an agent next sends it; `\"fail\"` is code 11 after 15 s while the network namespace is there",
            set: |it, value| {
                it.del_when_agent_down = match &*parse_string(value)? {
                    "fail" => DelWhenAgentDown::Fail,
                    "succeed" => DelWhenAgentDown::Succeed,
                    _ => return None,
                };
                Some(())
            },
            get: |it| {
                to_json(match it.del_when_agent_down {
                    DelWhenAgentDown::Fail => "fail",
                    DelWhenAgentDown::Succeed => "succeed",
                })
            },
        },
        Setting {
            name: "confDir",
            values: "an absolute path",
            help: "the container runtime's folder of network configurations: a call does not wait while the runtime waits to read it again (the page of errors, code 11)",
            set: |it, value| {
                it.conf_dir = parse_absolute_path(value)?;
                Some(())
            },
            get: |it| to_json(&it.conf_dir),
        },
        Setting {
            name: "logFile",
            values: "an absolute path, and not one below /dev, /proc or /sys",
            help: "the log, a line of JSON a call; at `logMaxBytes` it becomes FILE.1",
            set: |it, value| {
                it.log_file = Some(parse_absolute_path(value).filter(|path| !is_device(path))?);
                Some(())
            },
            get: |it| it.log_file.as_deref().map_or_else(|| "null".to_owned(), to_json),
        },
        Setting {
            name: "logLevel",
            values: "\"debug\", \"info\" or \"error\"",
            help: "log every call, every call but a STATUS that is ready (a container runtime sends one every few seconds), or those that failed",
            set: |it, value| {
                it.log_level = match &*parse_string(value)? {
                    "debug" => LogLevel::Debug,
                    "info" => LogLevel::Info,
                    "error" => LogLevel::Error,
                    _ => return None,
                };
                Some(())
            },
            get: |it| {
                to_json(match it.log_level {
                    LogLevel::Debug => "debug",
                    LogLevel::Info => "info",
                    LogLevel::Error => "error",
                })
            },
        },
        Setting {
            name: "logMaxBytes",
            values: "a whole number from 65536 to 1073741824",
            help: "size in bytes at which the log becomes FILE.1, in the place of the one before; both together take at most twice as much",
            set: |it, value| {
                it.log_max_bytes = parse_value(value).filter(|it| LOG_MAX_BYTES.contains(it))?;
                Some(())
            },
            get: |it| it.log_max_bytes.to_string(),
        },
        Setting {
            name: "requireRootAgent",
            values: "true or false",
            help: "talk only to a process of root (on Windows: of LocalSystem or an administrator) or of our own user",
            set: |it, value| {
                it.require_root_agent = parse_value(value)?;
                Some(())
            },
            get: |it| it.require_root_agent.to_string(),
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
                Some(it) if value.get() == "null" || (it.set)(self, value).is_some() => None,
                Some(it) => {
                    Some(Error::Invalid { name: origin.name_of(&name), expected: it.values })
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

fn parse_seconds(value: &RawValue, bounds: RangeInclusive<u64>) -> Option<Duration> {
    parse_value(value).filter(|seconds| bounds.contains(seconds)).map(Duration::from_secs)
}

fn parse_absolute_path(value: &RawValue) -> Option<String> {
    parse_string(value).filter(|path| Path::new(path).is_absolute() && !path.contains('\0'))
}

/// Whether a path is one where no log can be rotated: `/dev/stderr` and its like are the container
/// runtime's files, or none.
fn is_device(path: &str) -> bool {
    let is_below = |folder: &str| Path::new(path).starts_with(folder);
    let is_device = is_below("/dev") && !is_below("/dev/shm");
    cfg!(unix) && (is_device || is_below("/proc") || is_below("/sys"))
}

fn parse_string(value: &RawValue) -> Option<String> {
    parse_value(value)
}

fn parse_value<T: DeserializeOwned>(value: &RawValue) -> Option<T> {
    serde_json::from_str(value.get()).ok()
}

fn to_json(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default()
}

//! The plugin's own settings: under one key of the network configuration, which every
//! agent ignores, and in a file of the node ([`node_settings`](super::node_settings)).

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use thiserror::Error;

use crate::json;
use crate::platform::socket;

/// Where `antrea-agent` listens.
#[doc(alias = "AntreaCNISocketAddr")]
pub const SOCKET_PATH: &str = socket::PATH;

/// Longest path that the system takes for a socket, in bytes.
pub const MAX_SOCKET_PATH_BYTES: usize = socket::MAX_PATH_BYTES;

/// The least value of `addTimeoutSeconds`: agents themselves wait 30 s.
pub const LEAST_ADD_TIMEOUT: Duration = Duration::from_secs(35);

/// What is wrong with settings.
#[derive(Debug, Error)]
pub enum Error {
    /// What holds the settings is not an object.
    #[error("{0} is not an object")]
    NotAnObject(String),
    /// A name that no setting has.
    #[error("unknown setting {0}: remove it, or correct its name")]
    Unknown(String),
    /// A setting with a value that it cannot have.
    #[error("setting {name} must be {expected}")]
    Invalid {
        /// Name of the setting, and where it stands
        name: String,
        /// What it can be
        expected: &'static str,
    },
    /// The file of the node cannot be used.
    #[error("the settings in {path} cannot be used: {why}; correct the file or remove it")]
    File {
        /// The file
        path: PathBuf,
        /// What is wrong with it
        why: String,
    },
}

/// Where settings stand, for the errors that name them.
#[derive(Clone, Copy, Debug)]
pub enum Origin<'a> {
    /// Under [`Settings::KEY`] of the network configuration
    Configuration,
    /// In the file of the node
    Node(&'a Path),
}

impl Origin<'_> {
    fn whole(self) -> String {
        match self {
            Self::Configuration => format!("{} in the network configuration", Settings::KEY),
            Self::Node(path) => path.display().to_string(),
        }
    }

    fn of(self, name: &str) -> String {
        match self {
            Self::Configuration => format!("{}.{name}", Settings::KEY),
            Self::Node(path) => format!("{name} in {}", path.display()),
        }
    }
}

/// What DEL answers while no agent can be reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DelWhenAgentDown {
    /// An error, as the Go plugin does
    #[default]
    Fail,
    /// Success: for nodes that are so full that the agent's own Pod cannot
    /// start before others are deleted. Antrea's agent removes what is left
    /// behind when it starts.
    Succeed,
}

/// What is written to the log file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogLevel {
    /// Every call
    #[default]
    Info,
    /// Calls that failed
    Error,
}

/// The settings in force: those of the network configuration, then those of the node,
/// then the defaults, key by key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// `socket`, an absolute path of at most 107 bytes, on Windows of a named pipe: where
    /// the agent listens
    pub socket: String,
    /// `addTimeoutSeconds`, 35 to 115: time for an ADD in all; an agent itself
    /// waits 30 s for the network, and kubelet gives up after 120 s
    pub add_timeout: Duration,
    /// `waitForAgentSeconds`, 0 to 60: how long an ADD waits for an agent that
    /// is being restarted; DEL waits at most 15 s of it, CHECK and GC 5 s,
    /// STATUS not at all
    pub wait_for_agent: Duration,
    /// `delWhenAgentDown`, `"fail"` or `"succeed"`: what DEL answers when no agent
    /// can be reached; `"succeed"` is for nodes so full that the agent's own Pod
    /// cannot start before others are deleted
    pub del_when_agent_down: DelWhenAgentDown,
    /// `logFile`, an absolute path: the log, a line of JSON a call; 10 MB and one
    /// file before it, FILE.1
    pub log_file: Option<String>,
    /// `logLevel`, `"info"` or `"error"`: log every call, or those that failed
    pub log_level: LogLevel,
    /// `requireRootAgent`, `true` or `false`: talk only to a process of root (on Windows: of
    /// LocalSystem or an administrator) or of our own user
    pub require_root_agent: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            socket: SOCKET_PATH.to_owned(),
            add_timeout: Duration::from_secs(90),
            wait_for_agent: Duration::from_secs(30),
            del_when_agent_down: DelWhenAgentDown::default(),
            log_file: None,
            log_level: LogLevel::default(),
            require_root_agent: true,
        }
    }
}

impl Settings {
    /// The key of the network configuration that holds the settings.
    pub const KEY: &str = "antreaCni";

    /// The names of the settings.
    pub const NAMES: [&str; 7] = [
        "socket",
        "addTimeoutSeconds",
        "waitForAgentSeconds",
        "delWhenAgentDown",
        "logFile",
        "logLevel",
        "requireRootAgent",
    ];

    /// Reads the settings of a network configuration strictly: a name or value that is
    /// not documented is an error.
    ///
    /// # Errors
    /// The first setting that is wrong.
    pub fn parse(value: &RawValue) -> Result<Self, Error> {
        let mut settings = Self::default();
        let wrong = settings.apply(value, Origin::Configuration);
        wrong.into_iter().next().map_or(Ok(settings), Err)
    }

    /// Takes over what `value` sets, and gives what is wrong with it. What is wrong or
    /// `null` sets nothing.
    pub fn apply(&mut self, value: &RawValue, origin: Origin<'_>) -> Vec<Error> {
        let mut wrong = Vec::new();
        let set = |name: &[u8], value: &RawValue| {
            let name = String::from_utf8_lossy(name);
            wrong.extend(match self.set(&name, value) {
                Ok(()) => None,
                Err(Wrong::Name) => Some(Error::Unknown(origin.of(&name))),
                Err(Wrong::Value(expected)) => {
                    Some(Error::Invalid { name: origin.of(&name), expected })
                }
            });
        };
        let is_object = value.get() == "null" || json::members(value.get(), |_| true, set).is_ok();
        if !is_object {
            wrong = vec![Error::NotAnObject(origin.whole())];
        }
        wrong
    }

    fn set(&mut self, name: &str, value: &RawValue) -> Result<(), Wrong> {
        match name {
            other if !Self::NAMES.contains(&other) => return Err(Wrong::Name),
            _ if value.get() == "null" => (),
            "socket" => self.socket = socket_path(value)?,
            "addTimeoutSeconds" => {
                self.add_timeout = seconds(value, 35, 115, "a whole number from 35 to 115")?;
            }
            "waitForAgentSeconds" => {
                self.wait_for_agent = seconds(value, 0, 60, "a whole number from 0 to 60")?;
            }
            "delWhenAgentDown" => {
                self.del_when_agent_down = match &*read::<String>(value).unwrap_or_default() {
                    "fail" => DelWhenAgentDown::Fail,
                    "succeed" => DelWhenAgentDown::Succeed,
                    _ => return Err(Wrong::Value("\"fail\" or \"succeed\"")),
                };
            }
            "logFile" => {
                let path = read(value).filter(|path: &String| is_absolute(path));
                self.log_file = Some(path.ok_or(Wrong::Value("an absolute path"))?);
            }
            "logLevel" => {
                self.log_level = match &*read::<String>(value).unwrap_or_default() {
                    "info" => LogLevel::Info,
                    "error" => LogLevel::Error,
                    _ => return Err(Wrong::Value("\"info\" or \"error\"")),
                };
            }
            "requireRootAgent" => {
                self.require_root_agent = read(value).ok_or(Wrong::Value("true or false"))?;
            }
            _ => (),
        }
        Ok(())
    }
}

/// What is wrong with one member.
enum Wrong {
    Name,
    /// With what it can be
    Value(&'static str),
}

fn socket_path(value: &RawValue) -> Result<String, Wrong> {
    let path: String = read(value).ok_or(Wrong::Value("a string"))?;
    let wrong = |expected| Err(Wrong::Value(expected));
    match path {
        path if !Path::new(&path).is_absolute() => wrong("an absolute path: it is a relative one"),
        path if path.contains('\0') => wrong("a path: it has a NUL byte"),
        path if path.len() > MAX_SOCKET_PATH_BYTES => wrong(socket::TOO_LONG),
        path => Ok(path),
    }
}

fn seconds(
    value: &RawValue,
    least: u64,
    most: u64,
    expected: &'static str,
) -> Result<Duration, Wrong> {
    read(value)
        .filter(|seconds| (least..=most).contains(seconds))
        .map(Duration::from_secs)
        .ok_or(Wrong::Value(expected))
}

fn read<T: DeserializeOwned>(value: &RawValue) -> Option<T> {
    serde_json::from_str(value.get()).ok()
}

fn is_absolute(path: &str) -> bool {
    Path::new(path).is_absolute() && !path.contains('\0')
}

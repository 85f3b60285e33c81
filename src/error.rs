//! Everything that can go wrong, and the one table from errors to CNI codes.

use std::fmt::Write as _;
use std::sync::Arc;

use semver::Version;
use serde::Serialize;
use thiserror::Error;

use crate::input::{self, version};
use crate::ladder::delivery::Trace;
use crate::ladder::{self, AgentError, Outcome};

/// Why a command failed.
#[derive(Debug, Error)]
pub enum Error {
    /// The runtime's input is wrong.
    #[error(transparent)]
    Input(#[from] input::Error),
    /// No answer that counts came from the agent.
    #[error("{cause}")]
    Ladder {
        /// What stood in the way
        #[source]
        cause: ladder::Error,
        /// Path of the agent's socket
        socket: String,
        /// What was tried
        trace: Arc<Trace>,
    },
    /// STATUS found no agent that would do an ADD.
    #[error("antrea-agent is not ready: {0}")]
    NotReady(Box<Self>),
    /// The agent returned an error.
    #[error("{error}")]
    Agent {
        /// In its own words
        error: AgentError,
        /// The configuration's version, if it has one
        cni_version: Option<Version>,
    },
    /// The agent's result of ADD is not one JSON object.
    #[error("the result of antrea-agent is not a JSON object: look at its log on this node")]
    Result(#[source] serde_json::Error),
}

/// What an error is about: it decides the label and the wording of the error
/// document.
#[derive(Clone, Debug)]
pub(crate) struct Subject {
    /// Version of the document
    pub(crate) cni_version: Version,
    /// Whether the command is DEL
    pub(crate) is_del: bool,
}

impl Default for Subject {
    fn default() -> Self {
        Self { cni_version: version::NEWEST, is_del: false }
    }
}

/// The error document of the CNI specification (section "Error").
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Error)]
#[serde(rename_all = "camelCase")]
#[error("{msg}")]
pub struct CniError {
    /// The configuration's version where it is supported, else the newest
    pub cni_version: Version,
    /// Code of the specification or of Antrea; never 0
    pub code: u32,
    /// One short sentence that says what to do
    pub msg: String,
    /// More for a person who looks into it; may be empty
    #[serde(skip_serializing_if = "String::is_empty")]
    pub details: String,
}

/// Codes of the specification (1 to 11, 50, 999) and of Antrea (201, 202).
pub(crate) mod codes {
    pub(super) const INCOMPATIBLE_CNI_VERSION: u32 = 1;
    pub(super) const INVALID_ENVIRONMENT_VARIABLES: u32 = 4;
    pub(super) const IO_FAILURE: u32 = 5;
    pub(super) const DECODING_FAILURE: u32 = 6;
    pub(super) const INVALID_NETWORK_CONFIG: u32 = 7;
    pub(super) const INVALID_NETNS: u32 = 8;
    pub(super) const TRY_AGAIN_LATER: u32 = 11;
    pub(super) const PLUGIN_NOT_AVAILABLE: u32 = 50;
    pub(super) const UNKNOWN_RPC_ERROR: u32 = 201;
    pub(super) const INCOMPATIBLE_API_VERSION: u32 = 202;
    pub(crate) const INTERNAL: u32 = 999;
}

impl Error {
    /// The code of the error document.
    pub fn code(&self) -> u32 {
        use input::Error as Input;
        use ladder::Error as Ladder;
        match self {
            // CNI specification, "Error", and the Go skeleton's choice of them
            Self::Input(error) => match error {
                Input::MissingVariables(_)
                | Input::NotUtf8(_)
                | Input::ContainerId(_)
                | Input::InterfaceName { .. }
                | Input::UnknownCommand(_) => codes::INVALID_ENVIRONMENT_VARIABLES,
                Input::Read(_) | Input::Open => codes::IO_FAILURE,
                Input::NotAnObject(_) | Input::NotAString(_) | Input::VersionSyntax(_) => {
                    codes::DECODING_FAILURE
                }
                Input::TooLong | Input::MissingName | Input::Name(_) | Input::Settings(_) => {
                    codes::INVALID_NETWORK_CONFIG
                }
                Input::UnsupportedVersion(_) | Input::VersionTooLow { .. } => {
                    codes::INCOMPATIBLE_CNI_VERSION
                }
                Input::OwnNetns(_) => codes::INVALID_NETNS,
            },
            Self::Ladder { cause, .. } => match cause {
                Ladder::Unreachable(_)
                | Ladder::NotASocket(_)
                | Ladder::Cut { .. }
                | Ladder::Deadline => codes::TRY_AGAIN_LATER,
                Ladder::Untrusted { .. } | Ladder::OpenFolder(_) => codes::IO_FAILURE,
                // antrea:pkg/cni/client.go
                Ladder::Status(status) => match status.code() {
                    tonic::Code::Unavailable | tonic::Code::DeadlineExceeded => {
                        codes::TRY_AGAIN_LATER
                    }
                    _ => codes::UNKNOWN_RPC_ERROR,
                },
                Ladder::Ended(_) | Ladder::Undecodable(_) => codes::UNKNOWN_RPC_ERROR,
                Ladder::Result(_) => codes::DECODING_FAILURE,
                Ladder::Exhausted => codes::INCOMPATIBLE_API_VERSION,
                Ladder::NoSocket(_) => codes::INTERNAL,
            },
            Self::NotReady(_) => codes::PLUGIN_NOT_AVAILABLE,
            // An open enum: what we do not know is passed on. 0 would say
            // success to a runtime, and the document's code is unsigned.
            Self::Agent { error, .. } => match u32::try_from(error.code) {
                Ok(0) | Err(_) => codes::INTERNAL,
                Ok(code) => code,
            },
            Self::Result(_) => codes::DECODING_FAILURE,
        }
    }

    /// STATUS: whatever kept the agent from answering means that it is not
    /// ready, but for a peer that is not to be talked to, and our own failure.
    pub(crate) fn not_ready(self) -> Self {
        match self {
            Self::Ladder {
                cause:
                    ladder::Error::Untrusted { .. }
                    | ladder::Error::OpenFolder(_)
                    | ladder::Error::NoSocket(_),
                ..
            } => self,
            other => Self::NotReady(Box::new(other)),
        }
    }

    /// The document for standard output.
    pub(crate) fn document(&self, subject: &Subject) -> CniError {
        let ours = |text: String| if subject.is_del { reword(&text) } else { text };
        let msg = if self.quotes_agent() { self.to_string() } else { ours(self.to_string()) };
        CniError {
            cni_version: subject.cni_version.clone(),
            code: self.code(),
            msg,
            details: self.details(&ours),
        }
    }

    /// Whether the message is the agent's, which is passed on as it is.
    fn quotes_agent(&self) -> bool {
        match self {
            Self::Agent { .. } => true,
            Self::Ladder { cause, .. } => matches!(cause, ladder::Error::Status(_)),
            Self::NotReady(cause) => cause.quotes_agent(),
            Self::Input(_) | Self::Result(_) => false,
        }
    }

    fn details(&self, ours: &dyn Fn(String) -> String) -> String {
        match self {
            Self::Input(input::Error::UnsupportedVersion(text)) => {
                ours(format!("config is {text:?}, plugin supports {}", version::list()))
            }
            Self::Input(error) => ours(source_of(error)),
            Self::Ladder { cause, socket, trace } => {
                let mut details = ours(journey(cause, socket, trace));
                for tried in trace.tried.iter().filter(|tried| tried.attempt == trace.attempts) {
                    let _ = match &tried.outcome {
                        Outcome::Reply(_) => {
                            write!(details, "; {} answered in band", tried.package)
                        }
                        Outcome::Status(status) => {
                            write!(details, "; {} answered {status}", tried.package)
                        }
                        Outcome::Silence => write!(details, "; {} did not answer", tried.package),
                    };
                }
                details
            }
            Self::NotReady(cause) => cause.details(ours),
            Self::Agent { error, cni_version } => match cni_version {
                None if error.code == 1 => {
                    join(&error.details, "set cniVersion in the network configuration")
                }
                _ => error.details.clone(),
            },
            Self::Result(why) => ours(why.to_string()),
        }
    }
}

/// Where the command went, how often, for how long, and what stopped it.
fn journey(cause: &ladder::Error, socket: &str, trace: &Trace) -> String {
    let Trace { attempts, elapsed, .. } = trace;
    let why = match cause {
        ladder::Error::Cut { why, .. } | ladder::Error::Ended(why) | ladder::Error::Result(why) => {
            why.clone()
        }
        ladder::Error::Untrusted { uid: Some(uid), .. } => format!("its user is {uid}"),
        cause => source_of(cause),
    };
    let sent = match attempts {
        0 => "not sent".to_owned(),
        1 => "sent once".to_owned(),
        times => format!("sent {times} times"),
    };
    join(&format!("socket {socket}, {sent}, {:.1} s", elapsed.as_secs_f64()), &why)
}

fn source_of(error: &dyn std::error::Error) -> String {
    error.source().map(ToString::to_string).unwrap_or_default()
}

fn join(first: &str, second: &str) -> String {
    match (first, second) {
        (only, "") | ("", only) => only.to_owned(),
        (first, second) => format!("{first}: {second}"),
    }
}

/// Takes the words out of a text on DEL that containerd's go-cni reads as
/// success, whoever they came from: the operating system, a path, a name.
fn reword(text: &str) -> String {
    let mut text = text.to_owned();
    for (words, instead) in [("not found", "absent"), ("no such file or directory", "absent")] {
        while let Some(at) = text.to_ascii_lowercase().find(words) {
            text.replace_range(at..at + words.len(), instead);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_of_ours_reads_as_success_on_del() {
        let error = Error::from(input::Error::UnknownCommand(
            "x Not Found, no such file or DIRECTORY".to_owned(),
        ));
        let del = Subject { is_del: true, ..Subject::default() };
        assert_eq!(error.document(&del).msg, "unknown CNI_COMMAND: x absent, absent");
        assert!(error.document(&Subject::default()).msg.contains("Not Found"));
    }

    #[test]
    fn the_agents_words_are_passed_on() {
        let said = AgentError {
            code: 3,
            message: "container not found".to_owned(),
            ..AgentError::default()
        };
        let error = Error::Agent { error: said, cni_version: None };
        let del = Subject { is_del: true, ..Subject::default() };
        assert_eq!(error.document(&del).msg, "container not found");
    }
}

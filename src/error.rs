//! Everything that can go wrong, and the one table from errors to CNI codes.

use thiserror::Error;

use crate::ladder::AgentError;
use crate::{codes, grpc, input, ladder};

/// Why a command failed.
#[derive(Debug, Error)]
pub enum Error {
    /// The runtime's input is wrong.
    #[error(transparent)]
    Input(#[from] input::Error),
    /// No answer that counts came from the agent.
    #[error(transparent)]
    Ladder(#[from] ladder::Error),
    /// STATUS found no agent that would do an ADD.
    #[error("antrea-agent is not ready: {0}")]
    NotReady(ladder::Error),
    /// The agent returned an error.
    #[error(transparent)]
    Agent(#[from] AgentError),
    /// The agent's result of ADD is not one JSON object.
    #[error("the result of antrea-agent is not a JSON object: look at its log on this node")]
    Result(#[source] serde_json::Error),
}

impl Error {
    /// The code of the error document.
    pub fn code(&self) -> u32 {
        use grpc::Error as Grpc;
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
                Input::TooLong { .. }
                | Input::MissingName
                | Input::Name(_)
                | Input::Settings(_) => codes::INVALID_NETWORK_CONFIG,
                Input::UnsupportedVersion(_) | Input::VersionTooLow { .. } => {
                    codes::INCOMPATIBLE_CNI_VERSION
                }
                Input::OwnNetns(_) => codes::INVALID_NETNS,
            },
            Self::Ladder(Ladder::Call(error)) => match error {
                Grpc::Unreachable(_)
                | Grpc::NotASocket(_)
                | Grpc::NotTaken(_)
                | Grpc::Cut(_)
                | Grpc::Deadline => codes::TRY_AGAIN_LATER,
                Grpc::Untrusted { .. } | Grpc::OpenFolder(_) => codes::IO_FAILURE,
                // antrea:pkg/cni/client.go
                Grpc::Status(status) => match status.code() {
                    tonic::Code::Unavailable | tonic::Code::DeadlineExceeded => {
                        codes::TRY_AGAIN_LATER
                    }
                    _ => codes::UNKNOWN_RPC_ERROR,
                },
                Grpc::Ended(_) => codes::UNKNOWN_RPC_ERROR,
                Grpc::NoSocket(_) => codes::INTERNAL,
            },
            Self::Ladder(Ladder::GaveWay(_) | Ladder::OwedFirst(_)) => codes::TRY_AGAIN_LATER,
            Self::Ladder(Ladder::Undecodable(_)) => codes::UNKNOWN_RPC_ERROR,
            Self::Ladder(Ladder::Result(_)) | Self::Result(_) => codes::DECODING_FAILURE,
            Self::Ladder(Ladder::Exhausted) => codes::INCOMPATIBLE_API_VERSION,
            Self::NotReady(_) => codes::PLUGIN_NOT_AVAILABLE,
            // An open enum: what we do not know is passed on. 0 would say
            // success to a runtime, and the document's code is unsigned.
            Self::Agent(error) => match u32::try_from(error.code) {
                Ok(code) if code > 0 => code,
                _ => codes::INTERNAL,
            },
        }
    }
}

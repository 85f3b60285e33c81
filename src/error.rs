//! Everything that can go wrong, and the one table from errors to CNI codes.

use thiserror::Error;

use crate::api::AgentError;
use crate::{client, error_codes, grpc, input};

/// Why a command failed.
#[derive(Debug, Error)]
pub enum Error {
    /// The runtime's input is wrong.
    #[error(transparent)]
    Input(#[from] input::Error),
    /// No answer that counts came from the agent.
    #[error(transparent)]
    Client(#[from] client::Error),
    /// STATUS found no agent that would do an ADD.
    #[error("antrea-agent is not ready: {0}")]
    NotReady(client::Error),
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
        use client::Error as Client;
        use grpc::Error as Grpc;
        use input::Error as Input;
        match self {
            // CNI specification, "Error", and the Go skeleton's choice of them
            Self::Input(error) => match error {
                Input::MissingVariables(_)
                | Input::NotUtf8(_)
                | Input::ContainerId(_)
                | Input::InterfaceName { .. }
                | Input::UnknownCommand(_) => error_codes::INVALID_ENVIRONMENT_VARIABLES,
                Input::Read(_) | Input::Open => error_codes::IO_FAILURE,
                Input::NotAnObject(_) | Input::NotAString(_) | Input::VersionSyntax(_) => {
                    error_codes::DECODING_FAILURE
                }
                Input::TooLong { .. }
                | Input::MissingName
                | Input::Name(_)
                | Input::Settings(_) => error_codes::INVALID_NETWORK_CONFIG,
                Input::UnsupportedVersion(_) | Input::VersionTooLow { .. } => {
                    error_codes::INCOMPATIBLE_CNI_VERSION
                }
                Input::OwnNetns(_) => error_codes::INVALID_NETNS,
            },
            Self::Client(Client::Call(error)) => match error {
                Grpc::Unreachable(_)
                | Grpc::NotASocket(_)
                | Grpc::Refused(_)
                | Grpc::ConnectionLost(_)
                | Grpc::Deadline => error_codes::TRY_AGAIN_LATER,
                Grpc::Untrusted { .. } | Grpc::UntrustedLink(_) => error_codes::IO_FAILURE,
                // antrea:pkg/cni/client.go
                Grpc::Status(status) => match status.code() {
                    tonic::Code::Unavailable | tonic::Code::DeadlineExceeded => {
                        error_codes::TRY_AGAIN_LATER
                    }
                    _ => error_codes::UNKNOWN_RPC_ERROR,
                },
                Grpc::NoValidReply(_) => error_codes::UNKNOWN_RPC_ERROR,
                Grpc::OutOfDescriptors(_) => error_codes::INTERNAL,
            },
            Self::Client(Client::Yielded(_) | Client::OwedDelFirst(_)) => {
                error_codes::TRY_AGAIN_LATER
            }
            Self::Client(Client::Undecodable(_)) => error_codes::UNKNOWN_RPC_ERROR,
            Self::Client(Client::Untranslatable(_)) | Self::Result(_) => {
                error_codes::DECODING_FAILURE
            }
            Self::Client(Client::NoCommonApi) => error_codes::INCOMPATIBLE_API_VERSION,
            Self::NotReady(_) => error_codes::PLUGIN_NOT_AVAILABLE,
            // An open enum: what we do not know is passed on. 0 would say
            // success to a runtime, and the document's code is unsigned.
            Self::Agent(error) => match u32::try_from(error.code) {
                Ok(code) if code > 0 => code,
                _ => error_codes::INTERNAL,
            },
        }
    }
}

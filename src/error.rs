// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Defines the error of a command, and the one table from errors to CNI codes.

use thiserror::Error;

use crate::api::AgentError;
use crate::{client, error_codes, grpc, input};

/// Describes why a command failed.
#[derive(Debug, Error)]
pub enum Error {
    /// The container runtime's input is invalid.
    #[error(transparent)]
    Input(#[from] input::Error),
    /// The agent could not be asked, or did not answer.
    #[error(transparent)]
    Client(#[from] client::Error),
    /// STATUS found no agent that would do an ADD.
    #[error("antrea-agent is not ready: {0}")]
    NotReady(client::Error),
    /// The agent returned an error in its reply.
    #[error(transparent)]
    Agent(#[from] AgentError),
    /// The agent's result of ADD is not one JSON object.
    #[error("the result of antrea-agent is not a JSON object: look at its log on this node")]
    Result(#[source] serde_json::Error),
}

impl Error {
    /// Returns the code of the CNI error.
    pub fn code(&self) -> u32 {
        use client::Error as Client;
        use grpc::Error as Grpc;
        use input::Error as Input;
        match self {
            // Codes of the CNI specification ("Error"), chosen as the Go skeleton does
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
            // Codes that this plugin does not know are passed on. 0 would mean success to a
            // container runtime, and a negative number is not allowed.
            Self::Agent(error) => match u32::try_from(error.code) {
                Ok(code) if code > 0 => code,
                _ => error_codes::INTERNAL,
            },
        }
    }
}

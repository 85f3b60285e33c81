// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Errors from asking the agent, with the advice that the user sees.

use std::io::ErrorKind;

use thiserror::Error;

use crate::grpc;
use crate::input::Settings;

/// Describes why the agent did not do a command.
#[derive(Debug, Error)]
pub enum Error {
    /// The RPC failed.
    #[error("{}", advice(.0))]
    Call(#[from] grpc::Error),
    /// The reply cannot be decoded as a message of the API.
    #[error("the reply of antrea-agent cannot be decoded: look at its log on this node")]
    Undecodable(#[source] prost::DecodeError),
    /// The command ended early, because the container runtime waits to read its network
    /// configuration.
    #[error(
        "the call ended early, because the container runtime waits to read its network configuration again: the runtime tries again"
    )]
    Yielded(#[source] Box<Self>),
    /// An ADD was not sent, because an owed DEL for the same container and interface must be done
    /// first.
    #[error(
        "the ADD was not sent, because a DEL that is owed for this container and interface comes first, and {0}: try again"
    )]
    OwedDelFirst(String),
    /// The result of ADD cannot be converted to the configuration's `cniVersion`.
    #[error(
        "the result of antrea-agent cannot be put into the cniVersion of the configuration: set a lower one"
    )]
    Untranslatable(String),
    /// The agent implements none of the plugin's APIs.
    #[error(
        "antrea-agent serves none of the API versions of this plugin: install the plugin that came with the agent"
    )]
    NoCommonApi,
}

impl Error {
    /// Returns whether the agent lacks the RPC.
    pub fn is_unimplemented(&self) -> bool {
        matches!(self, Self::Call(error) if error.is_unimplemented())
    }

    /// Returns whether a gRPC status shows that the agent serves the method. The statuses of an
    /// agent that is stopping show nothing.
    pub fn is_from_served_method(&self) -> bool {
        use tonic::Code::{Cancelled, DeadlineExceeded, Unavailable, Unimplemented};
        let says_nothing = [Unimplemented, Unavailable, DeadlineExceeded, Cancelled];
        matches!(self, Self::Call(grpc::Error::Status(it)) if !says_nothing.contains(&it.code()))
    }

    /// Returns whether the connection was lost, so that the outcome is unknown.
    pub fn is_connection_lost(&self) -> bool {
        matches!(self, Self::Call(grpc::Error::ConnectionLost(_)))
    }

    /// Returns whether the agent refused the RPC before processing it, so that it can be sent
    /// again.
    pub fn is_refused(&self) -> bool {
        matches!(self, Self::Call(grpc::Error::Refused(_)))
    }

    /// Returns whether there was no connection, so that nothing was sent.
    pub fn is_not_connected(&self) -> bool {
        use grpc::Error::{NotASocket, OutOfDescriptors, Unreachable, Untrusted, UntrustedLink};
        let Self::Call(error) = self else { return false };
        matches!(
            error,
            Unreachable(_)
                | NotASocket(_)
                | UntrustedLink(_)
                | Untrusted { .. }
                | OutOfDescriptors(_)
        )
    }

    /// Returns whether no agent was there or it did not answer in time. An agent that answers with
    /// an error is there. So is one whose socket refuses this user (EACCES).
    pub fn is_unreached(&self) -> bool {
        use grpc::Error::{Deadline, NotASocket, Refused, Unreachable};
        match self {
            Self::Call(Unreachable(error)) => error.kind() != ErrorKind::PermissionDenied,
            Self::Call(NotASocket(_) | Refused(_) | Deadline) => true,
            _ => false,
        }
    }

    /// Returns whether this is what a call meets while the agent is being restarted: no answer at
    /// all.
    pub fn looks_like_restart(&self) -> bool {
        use grpc::Error::{ConnectionLost, Deadline, Refused};
        match self {
            Self::Call(Refused(_) | ConnectionLost(_) | Deadline) => true,
            Self::Call(error) => error.is_unavailable(),
            _ => false,
        }
    }
}

/// Returns what the user is told: what happened, and what to do next.
fn advice(error: &grpc::Error) -> String {
    let key = Settings::KEY;
    match error {
        grpc::Error::Unreachable(error) if error.kind() == ErrorKind::PermissionDenied => {
            "connecting to antrea-agent's socket is not permitted: look at the owner and mode of its folder, and at SELinux or AppArmor".to_owned()
        }
        grpc::Error::Unreachable(error) if error.kind() == ErrorKind::NotFound => format!(
            "antrea-agent cannot be reached, there is no socket: wait until its Pod on this node is running, set {key}.socket if it listens elsewhere, or remove the conflist if this node is without Antrea"
        ),
        grpc::Error::Unreachable(_) => {
            "antrea-agent cannot be reached: wait until its Pod on this node is running, then try again".to_owned()
        }
        grpc::Error::NotASocket(path) => {
            format!("{path} is not a socket: correct {key}.socket, or remove that file")
        }
        grpc::Error::UntrustedLink(path) => format!(
            "the socket is a symbolic link to {path}, in a folder that other users may write to: set {key}.socket to a path in a folder that only root may write to"
        ),
        grpc::Error::Untrusted { .. } => format!(
            "the process behind the socket is not trusted: run antrea-agent as root, on Windows as LocalSystem, or set {key}.requireRootAgent to false"
        ),
        grpc::Error::OutOfDescriptors(_) => {
            "cannot make a socket: raise the limit of open files of the container runtime".to_owned()
        }
        grpc::Error::Refused(_) => {
            "antrea-agent does not take calls now: wait until its Pod on this node is running, then try again".to_owned()
        }
        grpc::Error::ConnectionLost(_) => {
            "antrea-agent went away during the call: try again when its Pod on this node is running".to_owned()
        }
        grpc::Error::NoValidReply(_) => {
            "antrea-agent gave no valid answer: look at its log on this node".to_owned()
        }
        grpc::Error::Deadline => {
            "antrea-agent did not answer in time: look at its log on this node, then try again".to_owned()
        }
        grpc::Error::Status(status) => {
            format!("antrea-agent answered {:?}: {}", status.code(), status.message())
        }
    }
}

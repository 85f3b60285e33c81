// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Errors of a connection or an RPC.

use std::error::Error as StdError;
use std::io::{self, ErrorKind};

use thiserror::Error;
use tonic::{Code, Status};

/// Describes why an RPC has no reply. The advice for users is in `client::Error`.
#[derive(Debug, Error)]
pub enum Error {
    /// Connecting to the socket failed.
    #[error("the socket cannot be connected to")]
    Unreachable(#[source] io::Error),
    /// The path does not lead to a socket.
    #[error("{0} is not a socket")]
    NotASocket(String),
    /// The path is a symbolic link into a folder where users other than root and the plugin's own
    /// may create a socket.
    #[error("the socket is a link to {0}, where other users may write")]
    UntrustedLink(String),
    /// The process behind the socket belongs neither to root nor to the plugin's own user.
    #[error("the process behind the socket is not trusted")]
    Untrusted {
        /// User of the process, if the kernel told it
        user: Option<String>,
        /// Reason why the kernel did not tell it
        source: Option<io::Error>,
    },
    /// This process cannot create a socket, usually for lack of descriptors.
    #[error("cannot make a socket")]
    OutOfDescriptors(#[source] io::Error),
    /// The server refused the RPC before processing it, so that every RPC can be made again:
    /// REFUSED_STREAM, or a stream above the last one of a GOAWAY (RFC 9113, section 8.7).
    #[error("the call was not taken: {0}")]
    Refused(String),
    /// The connection was lost after the RPC may have been sent, so its outcome is unknown.
    #[error("the connection was cut: {0}")]
    ConnectionLost(String),
    /// The RPC ended without a valid reply, but the connection is alive.
    #[error("the call ended without an answer: {0}")]
    NoValidReply(String),
    /// There was no answer before the deadline.
    #[error("no answer in time")]
    Deadline,
    /// The server answered with a gRPC status.
    #[error("{:?}: {}", .0.code(), .0.message())]
    Status(Status),
}

impl Error {
    /// Returns whether the server lacks the method. This is the one reason to fall back to an older
    /// API, because the server says so before the RPC has any effect.
    pub fn is_unimplemented(&self) -> bool {
        matches!(self, Self::Status(status) if status.code() == Code::Unimplemented)
    }

    /// Returns whether the server may just be restarting: there is no socket, nobody listens on it,
    /// or its backlog is full.
    pub fn is_unavailable(&self) -> bool {
        matches!(self, Self::Unreachable(error) if matches!(
            error.kind(),
            // WouldBlock: the backlog of a unix socket is full.
            ErrorKind::NotFound | ErrorKind::ConnectionRefused | ErrorKind::WouldBlock
        ))
    }
}

/// Returns an error and its sources in one line.
pub(super) fn error_chain(error: &(dyn StdError + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}

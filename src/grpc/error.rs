//! Why a call has no reply.

use std::error::Error as StdError;
use std::io::{self, ErrorKind};

use thiserror::Error;
use tonic::{Code, Status};

/// Why a call has no reply, as a fact: what to do about it is said elsewhere.
#[derive(Debug, Error)]
pub enum Error {
    /// The socket cannot be connected to.
    #[error("the socket cannot be connected to")]
    Unreachable(#[source] io::Error),
    /// The path leads to something else than a socket.
    #[error("{0} is not a socket")]
    NotASocket(String),
    /// The path is a link into a folder where others than root and our own user
    /// may put a socket of theirs.
    #[error("the socket is a link to {0}, where other users may write")]
    UntrustedLink(String),
    /// The process behind the socket is neither root's nor our own user's.
    #[error("the process behind the socket is not trusted")]
    Untrusted {
        /// Its user, where the kernel told it
        user: Option<String>,
        /// Why the kernel did not
        source: Option<io::Error>,
    },
    /// This process has no descriptor left for a socket.
    #[error("cannot make a socket")]
    OutOfDescriptors(#[source] io::Error),
    /// The server did not take the call, so that it can be made again whatever it
    /// does: REFUSED_STREAM, or a stream above the last one of a GOAWAY (RFC 9113,
    /// section 8.7).
    #[error("the call was not taken: {0}")]
    Refused(String),
    /// The connection died after the call may have been sent: its outcome is
    /// unknown.
    #[error("the connection was cut: {0}")]
    ConnectionLost(String),
    /// The transport ended this call; the connection lived on.
    #[error("the call ended without an answer: {0}")]
    NoValidReply(String),
    /// No answer by the deadline.
    #[error("no answer in time")]
    Deadline,
    /// A gRPC status that came from the server.
    #[error("{:?}: {}", .0.code(), .0.message())]
    Status(Status),
}

impl Error {
    /// Whether the server does not have what it was asked for: the one reason to
    /// step down the ladder. It says so before anything has an effect.
    pub fn is_unimplemented(&self) -> bool {
        matches!(self, Self::Status(status) if status.code() == Code::Unimplemented)
    }

    /// Whether a server that is being restarted explains the error: no socket,
    /// nobody who listens on it, or a full backlog.
    pub fn is_unavailable(&self) -> bool {
        matches!(self, Self::Unreachable(error) if matches!(
            error.kind(),
            // WouldBlock: the backlog of a unix socket is full.
            ErrorKind::NotFound | ErrorKind::ConnectionRefused | ErrorKind::WouldBlock
        ))
    }

    /// Whether there is no socket.
    pub fn is_socket_missing(&self) -> bool {
        matches!(self, Self::Unreachable(error) if error.kind() == ErrorKind::NotFound)
    }
}

/// An error and what it came from, in one line.
pub(super) fn error_chain(error: &(dyn StdError + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}

// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Defines the errors that end a command. What is wrong with one node is a row, not an error.

use std::io;
use std::path::PathBuf;

use antrea_cnictl::{Exit, plain};
use kube::client::UpgradeConnectionError;
use kube::config::KubeconfigError;
use thiserror::Error;

/// Describes why a command gave no answer.
#[derive(Debug, Error)]
pub(crate) enum Error {
    /// There is no usable kubeconfig.
    #[error("cannot use the kubeconfig: {0}; name one with --kubeconfig or KUBECONFIG")]
    Kubeconfig(KubeconfigError),
    /// The kubeconfig's cluster cannot be used.
    #[error("cannot set up a connection to the cluster: {0}")]
    Client(kube::Error),
    /// The API server refuses the user.
    #[error(
        "the API server does not let you {what} ({why}); docs/operations.md has the role that is needed"
    )]
    Forbidden {
        /// The refused operation
        what: String,
        /// The API server's words
        why: String,
    },
    /// The API server gave no answer.
    #[error("cannot {what}: {why}")]
    ApiServer {
        /// The operation
        what: String,
        /// The cause
        why: String,
    },
    /// No node was found.
    #[error("the cluster has no node{0}")]
    NoNodes(String),
    /// More logs than can be followed at once.
    #[error("{0} logs cannot be followed at once, at most {1}: choose nodes with --node")]
    TooManyLogs(usize, usize),
    /// A file cannot be written.
    #[error("cannot write {path}: {source}")]
    File {
        /// The file
        path: PathBuf,
        /// The error of the operating system
        source: io::Error,
    },
    /// An answer cannot be shown.
    #[error(transparent)]
    Tool(#[from] antrea_cnictl::Error),
    /// The answer cannot be written to standard output.
    #[error("cannot write the answer: {0}")]
    Output(#[from] io::Error),
    /// I/O cannot be set up.
    #[error("cannot set up I/O: {0}")]
    Runtime(io::Error),
}

impl Error {
    /// Returns the error of a request to the API server.
    pub(crate) fn request(what: &str, error: kube::Error) -> Self {
        let what = what.to_owned();
        match error {
            kube::Error::Api(status) if matches!(status.code, 401 | 403) => {
                Self::Forbidden { what, why: status.message }
            }
            other => Self::ApiServer { what, why: explain(&other) },
        }
    }

    /// Returns the exit status, as `antrea-cnictl` has it.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Kubeconfig(_) | Self::Forbidden { .. } | Self::TooManyLogs(..) => Exit::Usage,
            Self::Tool(error) => error.exit(),
            _ => Exit::Failure,
        }
    }

    /// Returns whether the reader closed standard output, as `head` does.
    pub(crate) fn is_broken_pipe(&self) -> bool {
        match self {
            Self::Output(error) => error.kind() == io::ErrorKind::BrokenPipe,
            Self::Tool(error) => error.is_broken_pipe(),
            _ => false,
        }
    }

    /// Returns the error as text for people.
    pub(crate) fn report(&self) -> String {
        let red = antrea_cnictl::BAD.bold();
        format!("{red}error:{red:#} {}", plain(&self.to_string()))
    }
}

/// Returns what kube says, without the debug output that its texts have, and with all causes.
pub(crate) fn explain(error: &kube::Error) -> String {
    match error {
        kube::Error::Api(status) if status.message.is_empty() => {
            format!("the API server answered with {} {}", status.code, status.reason)
        }
        kube::Error::Api(status) => status.message.clone(),
        kube::Error::UpgradeConnection(UpgradeConnectionError::ProtocolSwitch(code)) => {
            let advice = match code.as_u16() {
                401 | 403 => ": you may not create pods/exec",
                404 => ": the Pod is gone",
                _ => ": the kubelet cannot be reached, or the container does not run",
            };
            format!("exec was answered with {code}{advice}")
        }
        other => {
            let mut text = other.to_string();
            let mut cause = std::error::Error::source(other);
            while let Some(error) = cause {
                let error_text = error.to_string();
                if !text.contains(&error_text) {
                    text = format!("{text}: {error_text}");
                }
                cause = error.source();
            }
            text
        }
    }
}

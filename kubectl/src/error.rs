// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Defines the errors that end a command. What is wrong with one node is a row, not an error.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use antrea_cnictl::{Exit, plain};
use kube::client::{AuthError, UpgradeConnectionError};
use kube::config::KubeconfigError;
use thiserror::Error;

/// Describes why a command gave no answer.
#[derive(Debug, Error)]
pub(crate) enum Error {
    /// There is no usable kubeconfig. Further lines of the cause would quote the file.
    #[error("cannot use the kubeconfig: {}; {}", first_line(.0), advice(.0))]
    Kubeconfig(KubeconfigError),
    /// The proxy to the API server cannot be used.
    #[error("the proxy is no URL: {0}; correct HTTPS_PROXY, or proxy-url in the kubeconfig")]
    Proxy(String),
    /// The kubeconfig's cluster cannot be used.
    #[error("cannot set up a connection to the cluster: {}", explain(.0))]
    Client(kube::Error),
    /// The API server does not know the user.
    #[error("{server} does not know you ({why}): log in again, or choose another --context")]
    Unauthenticated {
        /// Address of the API server
        server: String,
        /// The API server's words
        why: String,
    },
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
    #[error("cannot {what}: {server}: {why}")]
    ApiServer {
        /// Address of the API server
        server: String,
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
    /// The man pages cannot be written.
    #[error("cannot write to {folder}: {source}")]
    ManPages {
        /// Their folder
        folder: PathBuf,
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
    pub(crate) fn request(server: &str, what: &str, error: &kube::Error) -> Self {
        let (server, what, why) = (server.to_owned(), what.to_owned(), explain(error));
        match error {
            kube::Error::Api(status) if status.code == 401 => Self::Unauthenticated { server, why },
            kube::Error::Api(status) if status.code == 403 => Self::Forbidden { what, why },
            _ => Self::ApiServer { server, what, why },
        }
    }

    /// Returns the exit status, as `antrea-cnictl` has it.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Kubeconfig(_)
            | Self::Proxy(_)
            | Self::Unauthenticated { .. }
            | Self::Forbidden { .. }
            | Self::NoNodes(_)
            | Self::TooManyLogs(..) => Exit::Usage,
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

/// Returns the text for a timeout.
pub(crate) fn no_answer(limit: Duration) -> String {
    format!("no answer within {} s", limit.as_secs_f64())
}

fn first_line(error: &KubeconfigError) -> String {
    error.to_string().lines().next().unwrap_or_default().to_owned()
}

fn advice(error: &KubeconfigError) -> &'static str {
    match error {
        KubeconfigError::ParseNoProxy(_) => {
            "correct it: names, addresses and networks, with one comma between two of them"
        }
        KubeconfigError::ParseProxyUrl(_) => "correct HTTPS_PROXY, or proxy-url in the kubeconfig",
        _ => "see --kubeconfig, --context and KUBECONFIG",
    }
}

/// Returns what kube says, without the debug output that its texts have, and with all causes.
pub(crate) fn explain(error: &kube::Error) -> String {
    match error {
        // The environment and the output of a credential plugin may have credentials.
        kube::Error::Auth(AuthError::AuthExecRun { out, .. }) => {
            format!("the kubeconfig's credential plugin ended with {}", out.status)
        }
        kube::Error::Auth(AuthError::AuthExecStart(error)) => {
            format!("the kubeconfig's credential plugin cannot be started: {error}; install it")
        }
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

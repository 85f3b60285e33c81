// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Stage 4: writes one JSON document to standard output, or nothing.

use std::io;

use bytes::Bytes;
use serde::Serialize;

use crate::cni_error::CniError;
use crate::input::version;
use crate::platform::stdio;

/// Holds what the process prints and how it exits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// Bytes for standard output: one JSON document, or nothing
    pub stdout: Bytes,
    /// Text for standard error, only if a person started the program without a command
    pub stderr: String,
    /// Whether the exit status is 0 and not 1; then the document must not be lost
    pub success: bool,
}

impl Output {
    /// Describes this program to a person who started it without a command.
    pub(crate) fn about() -> Self {
        let stderr = format!(
            "antrea-cni {}, the CNI plugin of Antrea: asks antrea-agent to connect Pods\n\
             CNI protocol versions supported: {}\n",
            env!("CARGO_PKG_VERSION"),
            version::supported_list(),
        );
        Self { stderr, ..Self::success(Bytes::new()) }
    }

    /// Answers VERSION. Like the Go skeleton, names the newest version, whatever the input names.
    pub(crate) fn version() -> Self {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Version {
            cni_version: semver::Version,
            supported_versions: [semver::Version; 7],
        }
        let (cni_version, supported_versions) = (version::NEWEST, version::SUPPORTED);
        Self::success(to_json(&Version { cni_version, supported_versions }))
    }

    /// Returns the output of a command that succeeded.
    pub(crate) fn success(stdout: Bytes) -> Self {
        Self { stdout, stderr: String::new(), success: true }
    }

    /// Returns the output of a command that failed.
    pub(crate) fn failure(error: &CniError) -> Self {
        Self { success: false, ..Self::success(to_json(error)) }
    }

    /// Writes the document to standard output, if there is one.
    ///
    /// # Errors
    /// Not everything was written, so a result is lost.
    pub fn write_to_stdout(&self) -> io::Result<()> {
        match self.stdout.is_empty() {
            true => Ok(()),
            false => stdio::write_stdout(&self.stdout, self.success),
        }
    }

    /// Returns the output after a panic.
    pub fn internal_error() -> Self {
        Self::failure(&CniError::internal())
    }
}

/// Serializes a struct of strings and numbers, which cannot fail.
fn to_json(document: &impl Serialize) -> Bytes {
    serde_json::to_vec(document).unwrap_or_default().into()
}

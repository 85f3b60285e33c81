//! Stage 3: one JSON document on standard output, or nothing.

use std::io;

use bytes::Bytes;
use serde::Serialize;

use crate::cni_error::CniError;
use crate::input::version;
use crate::platform::stdio;

/// What the process leaves behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// For standard output: one JSON document, or nothing
    pub stdout: Bytes,
    /// For standard error: only where a person called the program by hand
    pub stderr: String,
    /// Whether the exit status is 0, else it is 1. Then the document must not be lost
    pub success: bool,
}

impl Output {
    /// What this program is, for a person who called it without a command.
    pub(crate) fn about() -> Self {
        let stderr = format!(
            "antrea-cni {}, the CNI plugin of Antrea: asks antrea-agent to connect Pods\n\
             CNI protocol versions supported: {}\n",
            env!("CARGO_PKG_VERSION"),
            version::supported_list(),
        );
        Self { stderr, ..Self::success(Bytes::new()) }
    }

    /// The answer to VERSION.
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

    /// A command that was done.
    pub(crate) fn success(stdout: Bytes) -> Self {
        Self { stdout, stderr: String::new(), success: true }
    }

    /// A command that failed.
    pub(crate) fn failure(error: &CniError) -> Self {
        Self { success: false, ..Self::success(to_json(error)) }
    }

    /// Writes the document to standard output, if there is one.
    ///
    /// # Errors
    /// Not everything was written. A result is then lost.
    pub fn write_to_stdout(&self) -> io::Result<()> {
        match self.stdout.is_empty() {
            true => Ok(()),
            false => stdio::write_stdout(&self.stdout, self.success),
        }
    }

    /// The plugin itself broke.
    pub fn internal_error() -> Self {
        Self::failure(&CniError::internal())
    }
}

/// Strings and numbers in structs always have a JSON form.
fn to_json(document: &impl Serialize) -> Bytes {
    serde_json::to_vec(document).unwrap_or_default().into()
}

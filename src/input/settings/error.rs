// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Names what is wrong with the settings, and where it is.

use std::path::{Path, PathBuf};

use thiserror::Error;

/// The key of the network configuration that holds the settings.
pub(super) const KEY: &str = "antreaCni";

/// Describes what is wrong with the settings.
#[derive(Debug, Error)]
pub enum Error {
    /// The settings are not a JSON object.
    #[error("{0} is not an object")]
    NotAnObject(String),
    /// No setting has this name.
    #[error("unknown setting {0}: remove it, or correct its name")]
    Unknown(String),
    /// The setting cannot have this value.
    #[error("setting {name} must be {expected}")]
    Invalid {
        /// Key of the setting
        key: &'static str,
        /// Name of the setting, and where it is
        name: String,
        /// Values that it can have
        expected: String,
    },
    /// The settings file is empty, as after a power loss. It counts as absent.
    #[error("the settings file {0} is empty: it counts as absent; write it again or remove it")]
    EmptyFile(PathBuf),
    /// The settings file cannot be used.
    #[error("the settings in {path} cannot be used: {why}; correct the file or remove it")]
    File {
        /// The file
        path: PathBuf,
        /// The reason
        why: String,
    },
}

impl Error {
    /// Returns whether commands other than DEL and GC fail.
    pub fn is_fatal(&self) -> bool {
        !matches!(self, Self::EmptyFile(_))
    }

    /// Returns whether the value of `socket` is invalid.
    pub(in crate::input) fn is_of_socket(&self) -> bool {
        matches!(self, Self::Invalid { key: "socket", .. })
    }

    /// Returns whether the agent may listen elsewhere than the settings in force say. What is not
    /// known may be `socket`, misspelt.
    pub(in crate::input) fn may_hide_socket(&self) -> bool {
        self.is_of_socket() || self.is_fatal() && !matches!(self, Self::Invalid { .. })
    }
}

/// Tells where settings are, for errors that name them.
#[derive(Clone, Copy, Debug)]
pub enum Origin<'a> {
    /// Under the settings key of the network configuration
    Configuration,
    /// In the settings file of the node
    Node(&'a Path),
}

impl Origin<'_> {
    pub(super) fn describe(self) -> String {
        match self {
            Self::Configuration => format!("{} in the network configuration", KEY),
            Self::Node(path) => path.display().to_string(),
        }
    }

    pub(super) fn name_of(self, name: &str) -> String {
        match self {
            Self::Configuration => format!("{}.{name}", KEY),
            Self::Node(path) => format!("{name} in {}", path.display()),
        }
    }
}

// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Errors of the container runtime's input.

use std::io;

use thiserror::Error;

use super::settings;

/// Describes what is wrong with the input.
#[derive(Debug, Error)]
pub enum Error {
    /// Variables that the command requires are unset or empty.
    #[error("required env variables [{}] missing: set them as the CNI specification says", .0.join(","))]
    MissingVariables(Vec<&'static str>),
    /// A variable has bytes that a proto3 string cannot hold.
    #[error("{0} is not UTF-8: set it to valid UTF-8")]
    NotUtf8(&'static str),
    /// `CNI_CONTAINERID` breaks the specification's rule.
    #[error(
        "invalid characters in CNI_CONTAINERID {0:?}: use letters, digits, '_', '.' and '-', a letter or digit first"
    )]
    ContainerId(String),
    /// The kernel does not allow `CNI_IFNAME` as an interface name.
    #[error("invalid CNI_IFNAME {name:?}: {reason}")]
    InterfaceName {
        /// Value of the variable
        name: String,
        /// The broken rule
        reason: &'static str,
    },
    /// `CNI_COMMAND` is not a command of the specification.
    #[error("unknown CNI_COMMAND: {0}")]
    UnknownCommand(String),
    /// Standard input could not be read.
    #[error("cannot read the network configuration from standard input")]
    Read(#[source] io::Error),
    /// Standard input was not closed in time.
    #[error("standard input was not closed in time: close it after the network configuration")]
    Open,
    /// Standard input is longer than [`MAX_BYTES`](super::stdin::MAX_BYTES).
    #[error("the network configuration is over {most} bytes: shorten it")]
    TooLong {
        /// Limit in bytes
        most: u64,
    },
    /// Standard input is not one JSON object.
    #[error(
        "the network configuration is not a JSON object: correct the file in the CNI configuration folder"
    )]
    NotAnObject(#[source] serde_json::Error),
    /// A key that must be a string has another type.
    #[error("{0} in the network configuration is not a string")]
    NotAString(&'static str),
    /// `name` is missing, `null` or empty.
    #[error("missing network name: set \"name\" in the network configuration")]
    MissingName,
    /// `name` breaks the specification's rule.
    #[error(
        "invalid characters in network name {0:?}: use letters, digits, '_', '.' and '-', a letter or digit first"
    )]
    Name(String),
    /// This plugin does not support the `cniVersion`.
    #[error(
        "incompatible CNI versions: set cniVersion in the network configuration to a supported one"
    )]
    UnsupportedVersion(String),
    /// `cniVersion` does not consist of numbers, but the command has to compare it.
    #[error("cniVersion {0:?} is not a version: set it to one like 1.0.0")]
    VersionSyntax(String),
    /// The specification has the command only in versions later than `cniVersion`.
    #[error("config version does not allow {command}: it needs cniVersion {least} or later")]
    VersionTooLow {
        /// Name of the command
        command: &'static str,
        /// First version that has the command
        least: semver::Version,
    },
    /// A setting under `antreaCni` is invalid.
    #[error(transparent)]
    Settings(#[from] settings::Error),
    /// ADD names the network namespace that the plugin itself runs in.
    #[error(
        "CNI_NETNS {0} is the network namespace of the plugin itself: give the container one of its own, or set CNI_NETNS_OVERRIDE=1"
    )]
    OwnNetns(String),
}

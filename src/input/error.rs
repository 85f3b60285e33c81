//! What can be wrong with the input.

use std::io;

use thiserror::Error;

use super::settings;

/// What is wrong with the input.
#[derive(Debug, Error)]
pub enum Error {
    /// Variables that the command needs are unset or empty.
    #[error("required env variables [{}] missing: set them as the CNI specification says", .0.join(","))]
    MissingVariables(Vec<&'static str>),
    /// A variable has bytes that a proto3 string cannot carry.
    #[error("{0} is not UTF-8: set it to valid UTF-8")]
    NotUtf8(&'static str),
    /// `CNI_CONTAINERID` breaks the rule of the specification.
    #[error(
        "invalid characters in CNI_CONTAINERID {0:?}: use letters, digits, '_', '.' and '-', a letter or digit first"
    )]
    ContainerId(String),
    /// `CNI_IFNAME` is not a name that the kernel takes.
    #[error("invalid CNI_IFNAME {name:?}: {reason}")]
    InterfaceName {
        /// The value as it was
        name: String,
        /// What is wrong with it
        reason: &'static str,
    },
    /// `CNI_COMMAND` is none of the specification's.
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
        /// How long it may be, in bytes
        most: u64,
    },
    /// Standard input is not one JSON object.
    #[error(
        "the network configuration is not a JSON object: correct the file in the CNI configuration folder"
    )]
    NotAnObject(#[source] serde_json::Error),
    /// A key that must be a string is something else.
    #[error("{0} in the network configuration is not a string")]
    NotAString(&'static str),
    /// `name` is missing, `null` or empty.
    #[error("missing network name: set \"name\" in the network configuration")]
    MissingName,
    /// `name` breaks the rule of the specification.
    #[error(
        "invalid characters in network name {0:?}: use letters, digits, '_', '.' and '-', a letter or digit first"
    )]
    Name(String),
    /// `cniVersion` is not one that this plugin supports.
    #[error(
        "incompatible CNI versions: set cniVersion in the network configuration to a supported one"
    )]
    UnsupportedVersion(String),
    /// `cniVersion` is not made of numbers, and the command has to compare it.
    #[error("cniVersion {0:?} is not a version: set it to one like 1.0.0")]
    VersionSyntax(String),
    /// The command came to the specification later than `cniVersion`.
    #[error("config version does not allow {command}: it needs cniVersion {least} or later")]
    VersionTooLow {
        /// Name of the command
        command: &'static str,
        /// The first version that has it
        least: semver::Version,
    },
    /// A setting under `antreaCni` is not as documented.
    #[error(transparent)]
    Settings(#[from] settings::Error),
    /// An ADD for the network namespace that the plugin itself runs in.
    #[error(
        "CNI_NETNS {0} is the network namespace of the plugin itself: give the container one of its own, or set CNI_NETNS_OVERRIDE=1"
    )]
    OwnNetns(String),
}

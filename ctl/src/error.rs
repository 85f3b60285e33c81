// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Defines the errors of the commands, and the exit statuses.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use thiserror::Error;

use crate::platform;
use crate::style::plain;

/// Lists the exit statuses of all commands. clap, too, ends with 2 for wrong arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Done; `probe`: a Pod could be connected
    Success = 0,
    /// It could not be done; `probe`: there is an agent, but it could not connect a Pod;
    /// `check-config`: a file is refused, or not safe; `status`: there is a finding; `settings`: the
    /// plugin refuses them; `fleet`: an input could not be read
    Failure = 1,
    /// Wrong arguments, or not permitted
    Usage = 2,
    /// There is no agent
    NoAgent = 3,
    /// `check-config`: a file could not be read
    Unreadable = 4,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Describes why a command gave no answer.
#[derive(Debug, Error)]
pub enum Error {
    /// A file or folder cannot be used.
    #[error("cannot {what} {path}: {source}{}", hint(.source))]
    File {
        /// The attempted operation, as a verb
        what: &'static str,
        /// The file or folder
        path: PathBuf,
        /// The error of the operating system
        source: io::Error,
    },
    /// No plugin is embedded, and `--from` names none.
    #[error("no plugin is embedded in this build: name one with --from FILE")]
    NothingEmbedded,
    /// The new plugin does not run in the folder of CNI plugins.
    #[error("the plugin does not run in {folder}, so it was not installed: {why}")]
    DoesNotRun {
        /// Folder of the plugin
        folder: PathBuf,
        /// The cause and the advice
        why: String,
    },
    /// A staging folder is not what Antrea's installer leaves.
    #[error(
        "{folder} is not what Antrea's installer leaves: {why}; see the log of its container, install-cni"
    )]
    Staged {
        /// The folder
        folder: PathBuf,
        /// What is wrong with it
        why: String,
    },
    /// Another installer replaced the plugin.
    #[error(
        "another installer replaced {path}, so it was not changed: install again, then roll back"
    )]
    Foreign {
        /// The file
        path: PathBuf,
    },
    /// A conflist needs the plugin, and no working plugin would replace it.
    #[error(
        "{list} names the plugin, and no working one would replace {plugin}: Pods could neither start nor stop; change the list first, or use --force"
    )]
    Needed {
        /// The plugin
        plugin: PathBuf,
        /// The conflist
        list: PathBuf,
    },
    /// A conflist needs the plugin, and the plugin before does not work.
    #[error(
        "{list} names the plugin, and the previous {plugin} does not run: Pods could neither start nor stop; install another one, or change the list first"
    )]
    BrokenPrevious {
        /// The plugin
        plugin: PathBuf,
        /// The conflist
        list: PathBuf,
    },
    /// The plugin refuses the settings of the node.
    #[error(
        "the plugin was not installed, because it refuses the settings of this node in {path}: {why}; remove the setting with --set KEY=, or correct the file"
    )]
    RefusesSettings {
        /// The file
        path: PathBuf,
        /// The plugin's error
        why: String,
    },
    /// The settings of the node would be refused.
    #[error("{wrong}: take it away with --set KEY=")]
    Settings {
        /// The first error
        wrong: String,
    },
    /// A setting in the environment would be refused.
    #[error("{name} in the environment: {wrong}")]
    Environment {
        /// Name of the variable
        name: String,
        /// The error
        wrong: String,
    },
    /// An argument has an invalid value.
    #[error("{0}")]
    Argument(String),
    /// Another process has locked the owed DELs.
    #[error("a plugin is sending the owed DELs: try again in a moment")]
    OwedAreSent,
    /// Neither `--file` nor the setting `logFile` names a log.
    #[error(
        "the plugin writes no log here: name one with --file, or set one with antrea-cnictl install --set logFile=PATH"
    )]
    NoLog,
    /// A file is not a log of the plugin.
    #[error("{0} is no log of the plugin: not one line of it is an event")]
    NotALog(PathBuf),
    /// The name of the plugin is not a file name.
    #[error("--name {0:?} is not a file name: leave out folders")]
    Name(String),
    /// The address of `--listen` cannot be used.
    #[error("cannot listen at {address}: {source}{}", listen_hint(.source))]
    Listen {
        /// Value of `--listen`
        address: SocketAddr,
        /// The error of the operating system
        source: io::Error,
    },
    /// I/O cannot be set up.
    #[error("cannot set up I/O: {0}")]
    Runtime(io::Error),
    /// The answer cannot be written to standard output.
    #[error("cannot write the answer: {0}")]
    Output(io::Error),
}

/// Returns advice for the usual errors of files.
fn hint(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::PermissionDenied => platform::permission_hint(),
        io::ErrorKind::ReadOnlyFilesystem => {
            " (name a folder on a file system that can be written)"
        }
        io::ErrorKind::StorageFull => " (free some space)",
        _ => "",
    }
}

/// Returns advice for the usual errors of listening.
fn listen_hint(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::AddrInUse => " (name another port with --listen)",
        io::ErrorKind::AddrNotAvailable => " (name an address of this machine with --listen)",
        io::ErrorKind::PermissionDenied => " (name a port above 1023 with --listen)",
        _ => "",
    }
}

impl Error {
    /// Returns a function that adds operation and file to an error of the operating system.
    pub(crate) fn file(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::File { what, path: path.to_owned(), source }
    }

    /// Returns the exit status.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Name(_)
            | Self::NothingEmbedded
            | Self::NoLog
            | Self::Argument(_)
            | Self::Settings { .. }
            | Self::Environment { .. } => Exit::Usage,
            Self::File { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => {
                Exit::Usage
            }
            _ => Exit::Failure,
        }
    }

    /// Returns whether the reader closed standard output, as `head` does.
    pub fn is_broken_pipe(&self) -> bool {
        matches!(self, Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }

    /// Returns the error as text for people.
    pub fn report(&self) -> String {
        let red = anstyle::AnsiColor::Red.on_default().bold();
        // A list of problems has a line for each.
        let text = self.to_string();
        let lines: Vec<_> = text.lines().map(plain).collect();
        format!("{red}error:{red:#} {}", lines.join("\n"))
    }
}

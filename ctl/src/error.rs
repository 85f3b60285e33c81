//! Why a command could not give its answer, and the exit codes.

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use thiserror::Error;

use crate::platform;
use crate::style::plain;

/// The exit codes of every command. 2 is clap's for wrong arguments, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Done; `probe`: a Pod could be wired
    Success = 0,
    /// It could not be done; `probe`: there is an agent, but it could not wire
    /// a Pod; `check-config`: the plugin would refuse the file
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

/// Why a command gave no answer.
#[derive(Debug, Error)]
pub enum Error {
    /// A file or folder cannot be used.
    #[error("cannot {what} {path}: {source}{}", hint(.source))]
    File {
        /// What was to be done with it, as a verb
        what: &'static str,
        /// Which one
        path: PathBuf,
        /// Why not
        source: io::Error,
    },
    /// There is nothing to install.
    #[error("no plugin is embedded in this build: name one with --from FILE")]
    NothingEmbedded,
    /// The new plugin does not run where it is to be installed.
    #[error("the plugin does not run in {folder}, so it was not installed: {why}")]
    DoesNotRun {
        /// Folder of the plugin
        folder: PathBuf,
        /// What happened, and what to do
        why: String,
    },
    /// Somebody else's file is where ours was.
    #[error(
        "{path} is not what was installed, so it was left alone: install again, then roll back"
    )]
    Foreign {
        /// The file
        path: PathBuf,
    },
    /// A list leads to the plugin, and nothing else would stand there.
    #[error(
        "{list} names the plugin, and nothing that works would be at {plugin} without it: Pods could neither start nor stop; change the list first, or use --force"
    )]
    Needed {
        /// The plugin
        plugin: PathBuf,
        /// The list
        list: PathBuf,
    },
    /// The plugin refuses the settings of the node.
    #[error(
        "the plugin refuses the settings of this node, {path}, so it was left out: {why}; take the setting away with --set KEY=, or correct the file"
    )]
    RefusesSettings {
        /// The file
        path: PathBuf,
        /// What the plugin says
        why: String,
    },
    /// The settings of the node would be refused.
    #[error("{wrong}: take it away with --set KEY=")]
    Settings {
        /// The first that is wrong
        wrong: String,
    },
    /// A setting in the environment would be refused.
    #[error("{name} in the environment: {wrong}")]
    Environment {
        /// Name of the variable
        name: String,
        /// What is wrong
        wrong: String,
    },
    /// An argument has a value that it cannot have.
    #[error("{0}")]
    Argument(String),
    /// Another process has the DELs that are owed.
    #[error("a plugin sends the DELs that are owed now: try again in a moment")]
    OwedAreSent,
    /// No log was named, and the settings have none.
    #[error(
        "the plugin writes no log here: name one with --file, or set one with antrea-cnictl install --set logFile=PATH"
    )]
    NoLog,
    /// A file is no log of the plugin.
    #[error("{0} is no log of the plugin: not one line of it is an event")]
    NotALog(PathBuf),
    /// The name is no file name.
    #[error("--name {0:?} is not a file name: leave out folders")]
    Name(String),
    /// I/O cannot be set up.
    #[error("cannot set up I/O: {0}")]
    Runtime(io::Error),
    /// Standard output is gone.
    #[error("cannot write the answer: {0}")]
    Output(io::Error),
}

/// What helps against the usual errors of files.
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

impl Error {
    /// Names the file in an error of the operating system.
    pub(crate) fn file(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::File { what, path: path.to_owned(), source }
    }

    /// The exit status.
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

    /// Whether the reader of the answer went away, as `head` does.
    pub fn is_broken_pipe(&self) -> bool {
        matches!(self, Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }

    /// The error for a person.
    pub fn report(&self) -> String {
        let red = anstyle::AnsiColor::Red.on_default().bold();
        // A list of problems has a line for each.
        let text = self.to_string();
        let lines: Vec<_> = text.lines().map(plain).collect();
        format!("{red}error:{red:#} {}", lines.join("\n"))
    }
}

// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Defines the command line, from which help, man pages and completions are made.

pub(crate) mod values;

use std::env::consts::EXE_SUFFIX;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use antrea_cni::input::{Settings, node_settings};
use antrea_cni::{Action, TYPE};
use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};
use jiff::Timestamp;

use self::values::{PodName, action, action_names, duration, socket, time};
use crate::error::Error;
use crate::files;
use crate::output::OutputFormat;
use crate::platform::{BIN_DIR, CONF_DIR};
use crate::setting_arg::SettingArg;

pub(crate) const NAME: &str = "antrea-cnictl";

const EXIT_STATUS: &str = "Exit status:
  0  done; probe: a Pod could be connected
  1  it could not be done; probe: there is an agent, but it could not connect a Pod;
     check-config: a file is refused, or not safe;
     status: it found something wrong;
     settings: the plugin refuses them; fleet: an input could not be read
  2  wrong arguments, or not permitted
  3  there is no agent
  4  check-config: a file could not be read";

/// Installs, probes and observes the antrea-cni plugin on a node
#[derive(Debug, Parser)]
#[command(name = NAME, version, after_help = EXIT_STATUS, max_term_width = 100)]
pub struct Cli {
    /// What to do
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Put the plugin into the folder of CNI plugins, atomically
    #[command(after_help = EXIT_STATUS)]
    Install(Install),
    /// Restore the plugin that was there before this one, or remove this one if there was none
    #[command(after_help = EXIT_STATUS)]
    Uninstall(Uninstall),
    /// Restore the plugin that was there before the last change
    #[command(after_help = EXIT_STATUS)]
    Rollback(Undo),
    /// Show what is installed, whether it works, and whether a keeper runs; the agent is not asked
    #[command(after_help = EXIT_STATUS)]
    Status(Status),
    /// Show each setting of the plugin, and where it comes from
    #[command(after_help = EXIT_STATUS)]
    Settings(Status),
    /// Ask an agent what it can do, without any effect on the node
    #[command(after_help = EXIT_STATUS)]
    Probe(Probe),
    /// Show or drop the owed DELs. The plugin sends each to the next agent that answers
    #[command(after_help = EXIT_STATUS)]
    Owed(Owed),
    /// Check conflists and plugin configurations, and which agents accept them
    #[command(after_help = EXIT_STATUS)]
    CheckConfig(CheckConfig),
    /// Read the plugin's log file (setting logFile)
    #[command(subcommand)]
    Log(LogCommand),
    /// Show the outputs and logs of many nodes on one page
    #[command(after_help = EXIT_STATUS)]
    Fleet(Fleet),
    /// Collect what a maintainer asks for, without what looks like a secret, in one archive
    #[command(after_help = EXIT_STATUS)]
    Bundle(Bundle),
    /// Show the version, and which plugin is embedded
    Version,
    /// Write a completion script for a shell to standard output
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
    /// Write the man pages
    Man {
        /// Folder for the man pages, such as /usr/local/share/man/man1
        folder: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum LogCommand {
    /// Show calls as they happen
    #[command(after_help = EXIT_STATUS)]
    Follow(Follow),
    /// Show the calls that are in the log
    #[command(after_help = EXIT_STATUS)]
    Show(Follow),
    /// Count calls, times and the agents that answered
    #[command(after_help = EXIT_STATUS)]
    Summary(Summary),
}

/// Describes where the plugin and its network configurations are.
#[derive(Clone, Debug, Args)]
pub(crate) struct Place {
    #[arg(long = "bin-dir", value_name = "FOLDER", help = bin_dir_help())]
    bin_dirs: Vec<PathBuf>,
    /// File name of the plugin: the `type` in the network configuration
    #[arg(long, default_value = TYPE)]
    pub(crate) name: String,
    /// Folder of the network configurations, if it is not the node's setting confDir.
    /// An install with this option writes that setting
    #[arg(long, value_name = "FOLDER")]
    conf_dir: Option<PathBuf>,
}

impl Place {
    /// Returns the folder of the network configurations: `--conf-dir`, or the node's setting
    /// `confDir`.
    pub(crate) fn conf_dir(&self) -> PathBuf {
        let of_node = || {
            let mut settings = Settings::default();
            let plugin = self.plugin().ok()?;
            node_settings::apply_file(&node_settings::beside(&plugin), &mut settings);
            Some(PathBuf::from(settings.conf_dir))
        };
        self.named_conf_dir().or_else(of_node).unwrap_or_else(|| CONF_DIR.into())
    }

    /// Returns the value of `--conf-dir`.
    pub(crate) fn named_conf_dir(&self) -> Option<PathBuf> {
        self.conf_dir.clone()
    }

    /// Returns the folders of the CNI plugins: each `--bin-dir`, or the default.
    pub(crate) fn bin_dirs(&self) -> Vec<PathBuf> {
        self.named_bin_dirs().map_or_else(|| vec![BIN_DIR.into()], <[_]>::to_vec)
    }

    /// Returns each `--bin-dir`, if there is one.
    pub(crate) fn named_bin_dirs(&self) -> Option<&[PathBuf]> {
        (!self.bin_dirs.is_empty()).then_some(&self.bin_dirs)
    }

    /// Returns the folder of the plugin, which is the first `--bin-dir`.
    pub(crate) fn bin_dir(&self) -> &Path {
        self.bin_dirs.first().map_or_else(|| Path::new(BIN_DIR), PathBuf::as_path)
    }

    /// Returns the path of the plugin, which on Windows ends with `.exe`.
    pub(crate) fn plugin(&self) -> Result<PathBuf, Error> {
        let path = files::join_name(self.bin_dir(), &self.name)?;
        Ok(path.with_file_name(format!("{}{EXE_SUFFIX}", self.name)))
    }
}

fn bin_dir_help() -> String {
    format!(
        "Folder of the CNI plugins. Repeatable, because container runtimes may have several: \
         this plugin is in the first one, other plugins may be in any [default: {BIN_DIR}]"
    )
}

#[derive(Debug, Args)]
pub(crate) struct Uninstall {
    #[command(flatten)]
    pub(crate) undo: Undo,
    /// Uninstall even if a conflist still needs the plugin and nothing would replace it
    #[arg(long)]
    pub(crate) force: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Status {
    #[command(flatten)]
    pub(crate) place: Place,
    /// Format of the answer
    #[arg(long, short, value_enum, default_value_t)]
    pub(crate) output: OutputFormat,
}

#[derive(Debug, Args)]
pub(crate) struct Undo {
    #[command(flatten)]
    pub(crate) place: Place,
    /// Wait for SIGTERM when it is done, because a container that ends is started again
    #[cfg_attr(target_os = "linux", arg(long))]
    #[cfg_attr(not(target_os = "linux"), arg(skip))]
    pub(crate) stay: bool,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct Install {
    #[command(flatten)]
    pub(crate) place: Place,
    /// The plugin to install, if it is not the one that is embedded in this program
    #[arg(long, value_name = "FILE")]
    pub(crate) from: Option<PathBuf>,
    /// Set a setting of this node, in the file beside the plugin; KEY= removes it;
    /// repeatable. `ANTREA_CNI_SET_KEY` in the environment does the same
    #[arg(long, value_name = "KEY=VALUE", value_parser = SettingArg::parse)]
    pub(crate) set: Vec<SettingArg>,
    /// Warn and exit with 0 if the install fails and a working plugin is in place. With --staged-bin,
    /// Antrea's plugin is installed instead if it runs, and a staged file that cannot be moved is
    /// skipped. With --keep, the install is tried again
    #[arg(long)]
    pub(crate) best_effort: bool,
    /// What Antrea's installer wrote into folders of its own
    #[cfg_attr(target_os = "linux", command(flatten))]
    #[cfg_attr(not(target_os = "linux"), arg(skip))]
    pub(crate) staged: Option<StagedFolders>,
    /// Keep running until SIGTERM, and install again when another installer replaces the
    /// plugin. DURATION is the polling interval where inotify is missing
    #[cfg_attr(target_os = "linux", arg(long, value_name = "DURATION", value_parser = duration))]
    #[cfg_attr(not(target_os = "linux"), arg(skip))]
    pub(crate) keep: Option<Duration>,
    /// With --keep: write metrics for node-exporter's textfile collector
    #[cfg_attr(target_os = "linux", arg(long, value_name = "FILE", requires = "keep"))]
    #[cfg_attr(not(target_os = "linux"), arg(skip))]
    pub(crate) metrics: Option<PathBuf>,
    /// How often the metrics are written
    #[cfg_attr(target_os = "linux", arg(long, value_name = "DURATION", value_parser = duration, default_value = "60s", requires = "metrics"))]
    #[cfg_attr(not(target_os = "linux"), arg(skip))]
    pub(crate) metrics_interval: Duration,
    /// With --keep: answer HTTP at this address. /metrics has the metrics for Prometheus, /readyz
    /// says whether an ADD would be done now, /livez whether the keeper works
    #[cfg_attr(target_os = "linux", arg(long, value_name = "ADDRESS:PORT", requires = "keep"))]
    #[cfg_attr(not(target_os = "linux"), arg(skip))]
    pub(crate) listen: Option<SocketAddr>,
}

/// Names the folders into which Antrea's installer wrote, in the place of the node's.
#[derive(Clone, Debug, Args)]
pub(crate) struct StagedFolders {
    /// Folder in which Antrea's installer staged its programs. Each that changed is moved to
    /// --bin-dir. This plugin is installed in the place of Antrea's
    #[arg(long = "staged-bin", value_name = "FOLDER", required = false, requires_all = ["conf", "host_conf"])]
    pub(crate) bin: PathBuf,
    /// Folder into which Antrea's installer wrote its list
    #[arg(long = "staged-conf", value_name = "FOLDER", required = false, requires = "bin")]
    pub(crate) conf: PathBuf,
    /// Folder on the node to which that list is moved. It does not change the setting confDir
    #[arg(long, value_name = "FOLDER", required = false, requires = "bin")]
    pub(crate) host_conf: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Probe {
    #[command(flatten)]
    pub(crate) agent: Agent,
    /// How long to wait for each answer
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "5s")]
    pub(crate) timeout: Duration,
    /// Format of the answer
    #[arg(long, short, value_enum, default_value_t)]
    pub(crate) output: OutputFormat,
}

/// Describes the agent that a command is about.
#[derive(Debug, Args)]
pub(crate) struct Agent {
    /// Socket of the agent, if it is not the setting in force; may be unix://PATH
    #[arg(long, value_name = "PATH", value_parser = socket)]
    pub(crate) socket: Option<String>,
    #[command(flatten)]
    pub(crate) place: Place,
}

#[derive(Debug, Args)]
pub(crate) struct Owed {
    #[command(flatten)]
    pub(crate) agent: Agent,
    /// Drop the owed DELs: the plugin never sends them, so their addresses and interfaces may stay
    #[arg(long)]
    pub(crate) drop: bool,
    /// Format of the answer
    #[arg(long, short, value_enum, default_value_t)]
    pub(crate) output: OutputFormat,
}

#[derive(Debug, Args)]
pub(crate) struct CheckConfig {
    /// Conflists, plugin configurations, or folders of them; - is standard input. With --bin-dir
    /// each plugin of them is asked which cniVersions it supports. Without FILE, the node's folder
    /// (--conf-dir) is checked and its plugins are asked
    #[arg(value_name = "FILE", conflicts_with = "conf_dir")]
    pub(crate) files: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) place: Place,
    /// Format of the answer
    #[arg(long, short, value_enum, default_value_t)]
    pub(crate) output: OutputFormat,
}

#[derive(Debug, Args)]
pub(crate) struct Follow {
    #[command(flatten)]
    pub(crate) place: Place,
    #[command(flatten)]
    pub(crate) filter: Filter,
    /// The log file, if it is not the setting in force; `-` is standard input
    #[arg(long, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// Format of the answer
    #[arg(long, short, value_enum, default_value_t)]
    pub(crate) output: OutputFormat,
    /// End when standard input ends, as it does with the connection of an exec
    #[arg(long, hide = true)]
    pub(crate) until_stdin_ends: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Summary {
    #[command(flatten)]
    pub(crate) place: Place,
    #[command(flatten)]
    pub(crate) filter: Filter,
    /// A log file, if it is not the setting in force; FILE.1 is read, too. Repeatable, for
    /// several nodes; `-` is standard input
    #[arg(long = "file", value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// Format of the answer
    #[arg(long, short, value_enum, default_value_t)]
    pub(crate) output: OutputFormat,
    /// Write metrics instead, for node-exporter's textfile collector
    #[arg(long, value_enum, conflicts_with = "output")]
    pub(crate) format: Option<Format>,
    /// File for the metrics, replaced atomically; standard output without it
    #[arg(long, value_name = "FILE", requires = "format")]
    pub(crate) textfile: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Fleet {
    /// Outputs of status and probe (--output json) and logs, as NODE.status.json,
    /// NODE.probe.json, NODE.log, or with any names in a folder NODE; or folders of these
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// Write an HTML page, which needs no other file
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
    /// Format of the answer
    #[arg(long, short, value_enum, default_value_t)]
    pub(crate) output: OutputFormat,
}

#[derive(Debug, Args)]
pub(crate) struct Bundle {
    #[command(flatten)]
    pub(crate) place: Place,
    /// The archive (tar); - is standard output
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
}

/// Selects calls in a log.
#[derive(Clone, Debug, Default, Args)]
pub struct Filter {
    /// Calls since this time: a time (2026-11-24T10:00:00Z), a day, or how long ago (15m, 2d)
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) since: Option<Timestamp>,
    /// Calls before this time, written as for --since
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) until: Option<Timestamp>,
    #[arg(long, value_parser = action, help = format!("Calls of this command: {}", action_names()))]
    pub(crate) command: Option<Action>,
    /// Calls with this code; 0 is success
    #[arg(long)]
    pub(crate) code: Option<u32>,
    /// Calls for this Pod: NAME or NAMESPACE/NAME
    #[arg(long, value_parser = PodName::parse)]
    pub pod: Option<PodName>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Prometheus text format
    Prometheus,
}

/// Writes a man page for each command into a folder.
pub(crate) fn write_man_pages(folder: &Path) -> Result<(), Error> {
    std::fs::create_dir_all(folder).map_err(Error::file("create", folder))?;
    clap_mangen::generate_to(Cli::command(), folder).map_err(Error::file("write to", folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_is_consistent() {
        Cli::command().debug_assert();
    }
}

// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Defines the command line, from which help, man pages and completions are made.

use std::path::PathBuf;
use std::time::Duration;

use antrea_cnictl::{Filter, OutputFormat, PodName, duration, time};
use clap::{Args, Parser, Subcommand, ValueHint};
use jiff::Timestamp;

/// The name by which kubectl finds this program.
pub(crate) const NAME: &str = "kubectl-antrea_cni";

/// The word before a command line to complete, as `kubectl_complete-antrea_cni` gives it.
pub(crate) const COMPLETE: &str = "__complete";

const EXIT_STATUS: &str = "Exit status:
  0  done; status, probe, check-config, fleet: and nothing is wrong on any node
  1  a node gave no answer or has no Pod of antrea-cni, or the API server gave no answer;
     status, probe, check-config, fleet: or something is wrong on a node
  2  wrong arguments, no kubeconfig, or not permitted
  3  probe: no node has an agent";

/// Shows antrea-cni on all nodes of a cluster
#[derive(Debug, Parser)]
#[command(name = NAME, bin_name = "kubectl antrea-cni", version, after_help = EXIT_STATUS, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) scope: Scope,
    /// What to show
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Names the cluster and the nodes that are asked.
#[derive(Debug, Args)]
#[command(next_help_heading = "Cluster")]
pub(crate) struct Scope {
    /// The kubeconfig, if it is not that of KUBECONFIG or ~/.kube/config
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) kubeconfig: Option<PathBuf>,
    /// The context of the kubeconfig, if it is not the current one
    #[arg(long, global = true)]
    pub(crate) context: Option<String>,
    /// The namespace of antrea-cni's own Pods. A Pod whose calls are shown is NAMESPACE/NAME
    #[arg(long, short, global = true, default_value = "kube-system")]
    pub(crate) namespace: String,
    /// The Helm release of antrea-cni, where a node has more than one
    #[arg(long, global = true)]
    pub(crate) release: Option<String>,
    /// Ask these nodes only. Repeatable, or with commas
    #[arg(long = "node", global = true, value_name = "NODE", value_delimiter = ',')]
    pub(crate) nodes: Vec<String>,
    /// How long to wait for each answer of the API server, and for each node
    #[arg(long, global = true, value_name = "DURATION", value_parser = duration, default_value = "10s")]
    pub(crate) timeout: Duration,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show each node in a row: what is installed there, and whether a Pod could be connected
    #[command(after_help = EXIT_STATUS)]
    Status(Output),
    /// Ask each node's agent what it can do, without any effect
    #[command(after_help = EXIT_STATUS)]
    Probe(Output),
    /// Check each node's network configurations, and which agents accept them
    #[command(after_help = EXIT_STATUS)]
    CheckConfig(Output),
    /// Show the calls of the plugin on all nodes, by time
    #[command(after_help = EXIT_STATUS)]
    Logs(Logs),
    /// Show all nodes on one page, with what prevents a higher cniVersion
    #[command(after_help = EXIT_STATUS)]
    Fleet(Fleet),
    /// Collect what a maintainer asks for from all nodes, without what looks like a secret
    #[command(after_help = EXIT_STATUS)]
    Bundle {
        /// The archive; - is standard output
        #[arg(value_name = "FILE.tar.gz", value_hint = ValueHint::FilePath)]
        file: PathBuf,
    },
    /// Write the man pages
    #[command(hide = true)]
    Man {
        /// Folder for the man pages
        folder: PathBuf,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Output {
    /// Format of the answer
    #[arg(long, short, value_enum, default_value_t)]
    pub(crate) output: OutputFormat,
}

#[derive(Debug, Args)]
pub(crate) struct Logs {
    /// Calls for this Pod: NAME or NAMESPACE/NAME
    #[arg(value_name = "POD", value_parser = PodName::parse, conflicts_with = "pod")]
    pub(crate) pod_name: Option<PodName>,
    #[command(flatten)]
    pub(crate) filter: Filter,
    /// Show calls as they happen. With --since the earlier ones, too
    #[arg(long, short)]
    pub(crate) follow: bool,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Debug, Args)]
pub(crate) struct Fleet {
    /// Write an HTML page, which needs no other file
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) html: Option<PathBuf>,
    /// How much of each log to read: a time, a day, or how long ago
    #[arg(long, value_name = "TIME", value_parser = time, default_value = "1h")]
    pub(crate) since: Timestamp,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definition_is_consistent() {
        Cli::command().debug_assert();
    }
}

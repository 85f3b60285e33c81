// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! A node whose agent is replaced again and again, by another generation each
//! time, while Pods come and go:
//! `cargo run --release --example rolling_upgrade -- --pods 5000 --agents 100 --seed 1`.
//!
//! ```text
//! timetable ──▶ node ──── agent processes, one after another, one state
//!                 ▲
//! runtime ────────┘       a model of kubelet and containerd that runs the plugin
//!     │
//!     └──▶ checks ──▶ report
//! ```
//!
//! Exits with 1 if an invariant broke.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a program for people; what cannot go on ends it"
)]

mod checks;
mod node;
mod runtime;
mod timetable;

use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use clap::Parser;
use serde_json::{Value, json};

use crate::runtime::Outcome;
use crate::timetable::Timetable;

/// Replaces the agent under running Pods and checks that nothing is lost.
#[derive(Clone, Parser)]
pub(crate) struct Arguments {
    /// Pods that are made and deleted
    #[arg(long, default_value_t = 500)]
    pub(crate) pods: usize,
    /// Agents, one after another
    #[arg(long, default_value_t = 20)]
    pub(crate) agents: usize,
    /// Seed of the timetable
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Calls of the plugin at once
    #[arg(long, default_value_t = 16)]
    pub(crate) concurrency: usize,
    /// The setting waitForAgentSeconds
    #[arg(long, default_value_t = 30)]
    pub(crate) wait: u64,
    /// Another plugin to put through the same timetable; it has to use
    /// /var/run/antrea/cni.sock
    #[arg(long)]
    peer: Option<PathBuf>,
    /// Leave out the comparison with waitForAgentSeconds 0
    #[arg(long)]
    no_compare: bool,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    if let Some(options) = std::env::var_os(node::AGENT_OPTIONS) {
        return node::serve(&options);
    }
    let arguments = Arguments::parse();
    let plugin = std::env::var_os("ANTREA_CNI_PLUGIN").map_or_else(build, PathBuf::from);
    let timetable = Timetable::new(arguments.seed, arguments.agents);

    let mut columns = vec![("this plugin", run(&arguments, &timetable, &plugin, false))];
    if !arguments.no_compare {
        let hasty = Arguments { wait: 0, ..arguments.clone() };
        columns.push(("waitForAgentSeconds 0", run(&hasty, &timetable, &plugin, false)));
    }
    if let Some(peer) = &arguments.peer {
        columns.push(("peer", run(&arguments, &timetable, peer, true)));
    }

    if arguments.json {
        let report: Value =
            columns.iter().map(|(name, column)| (name.to_string(), column.json())).collect();
        println!("{report:#}");
    } else {
        print(&columns);
    }
    for call in columns[0].1.outcome.calls.iter().filter(|call| !call.success).take(20) {
        eprintln!(
            "{} failed after {:.1} s: {}",
            call.command,
            call.elapsed.as_secs_f64(),
            call.document
        );
    }
    let broken = &columns[0].1.broken;
    for sentence in broken.iter().take(20) {
        println!("BROKEN: {sentence}");
    }
    if broken.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// What a column of the report says.
struct Column {
    outcome: Outcome,
    agents: usize,
    done_again: usize,
    broken: Vec<String>,
}

fn run(
    arguments: &Arguments,
    timetable: &Timetable,
    plugin: &std::path::Path,
    is_peer: bool,
) -> Column {
    let node = node::Node::new(is_peer);
    let outcome = runtime::run(arguments, timetable, &node, plugin);
    let broken = checks::broken(arguments, &node, &outcome);
    let done_again = checks::done_again(&node.entries());
    Column { outcome, agents: timetable.agents.len(), done_again, broken }
}

impl Column {
    fn rows(&self) -> Vec<(&'static str, Value)> {
        let Outcome { calls, starts, adds_failed, dels_failed, .. } = &self.outcome;
        let seconds = |time: Option<Duration>| {
            json!((time.unwrap_or_default().as_secs_f64() * 1e3).round() / 1e3)
        };
        vec![
            ("Pods", json!(starts.len())),
            ("calls of the plugin", json!(calls.len())),
            ("agents", json!(self.agents)),
            ("Pods that lost a sandbox", json!(adds_failed)),
            ("DELs that failed", json!(dels_failed)),
            ("ADDs done again inside the plugin", json!(self.done_again)),
            ("Pod start p50, s", seconds(percentile(starts, 50))),
            ("Pod start p99, s", seconds(percentile(starts, 99))),
            ("invariants broken", json!(self.broken.len())),
        ]
    }

    fn json(&self) -> Value {
        let mut report: Value =
            self.rows().into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        report["broken"] = json!(self.broken);
        report
    }
}

fn percentile(times: &[Duration], percent: usize) -> Option<Duration> {
    let mut times = times.to_vec();
    times.sort();
    times.get((times.len() * percent / 100).min(times.len().saturating_sub(1))).copied()
}

fn print(columns: &[(&str, Column)]) {
    print!("{:36}", "");
    for (name, _) in columns {
        print!("{name:>24}");
    }
    println!();
    let rows: Vec<_> = columns.iter().map(|(_, column)| column.rows()).collect();
    for (at, (name, _)) in rows[0].iter().enumerate() {
        print!("{name:36}");
        for row in &rows {
            print!("{:>24}", row[at].1.to_string());
        }
        println!();
    }
}

/// Has cargo build the plugin, which an example cannot depend on.
fn build() -> PathBuf {
    let profile = if cfg!(debug_assertions) { "dev" } else { "release" };
    let built = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["build", "--quiet", "--bin", "antrea-cni", "--profile", profile])
        .args(["--message-format", "json"])
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    let artifacts = String::from_utf8(built.stdout).unwrap();
    let executable = artifacts.lines().find_map(|line| {
        let artifact: Value = serde_json::from_str(line).ok()?;
        Some(PathBuf::from(artifact.get("executable")?.as_str()?))
    });
    executable.expect("cargo builds the plugin")
}

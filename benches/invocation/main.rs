// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! What a call costs, as a whole process: `cargo bench --bench invocation`.
//!
//! Rounds of a process that does nothing, a client that does the same call and
//! nothing else (`floor.c`), and the plugin, against an agent in grpc-go; then
//! many ADDs at once, and plugins that wait. Writes `docs/contributing/performance.md`, with ratios to
//! the floor of the same round: times drift, ratios hold.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a program for people who work on this one"
)]

mod measure;
mod plot;
mod report;
mod waiting;

use std::path::PathBuf;

use clap::Parser;

use self::measure::Bench;

/// Measures whole processes against the least that the same call can cost
#[derive(Parser)]
struct Arguments {
    /// The plugin to measure; the static release build if nothing is said
    #[arg(long, value_name = "PATH")]
    plugin: Option<PathBuf>,
    /// Another plugin to measure beside it, such as the Go one; may be repeated
    #[arg(long, value_name = "PATH")]
    peer: Vec<PathBuf>,
    /// How often each is run one by one
    #[arg(long, default_value_t = 1000)]
    rounds: usize,
    /// How often each burst is repeated
    #[arg(long, default_value_t = 5)]
    bursts: usize,
    /// Write the report to docs/contributing/performance.md
    #[arg(long)]
    write: bool,
    /// What `cargo bench` says
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() {
    let arguments = Arguments::parse();
    let bench = Bench::new(arguments.plugin, &arguments.peer);
    let rounds = bench.rounds(arguments.rounds);
    let bursts = bench.bursts(arguments.bursts);
    let waiting = bench.waiting();
    let text = report::text(&bench, &rounds, &bursts, &waiting);
    println!("{text}");
    if arguments.write {
        report::write(&text, &rounds, &bursts);
    }
    let failed = rounds.iter().map(|row| row.failed).sum::<usize>()
        + bursts.iter().map(|row| row.failed).sum::<usize>()
        + waiting.failed;
    assert_eq!(failed, 0, "calls failed");
}

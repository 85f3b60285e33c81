// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Installs, probes and observes the plugin on a node, as `antrea-cnictl` does.
//!
//! `commands` has a module for each command; [`run`] chooses one. A command's answer is a value
//! that serializes to JSON; its `Display` is the text for people. The `kubectl` plugin, which asks
//! this tool on many nodes, takes from here how answers are read and shown.
#![cfg_attr(
    not(target_os = "linux"),
    expect(dead_code, reason = "a keeper needs what only Linux has")
)]

mod cli;
mod commands;
mod conflist;
mod error;
mod files;
mod json_spans;
mod multus;
mod network;
mod output;
mod platform;
mod plugin_check;
mod releases;
mod setting_arg;
mod staged_record;
mod style;

use std::io::Write;

use clap::CommandFactory;

use self::cli::{Command, LogCommand};
use self::commands::{bundle, check_config, fleet, install, log, owed, probe, settings, status};

pub use self::cli::values::{PodName, duration, time};
pub use self::cli::{Cli, Filter};
pub use self::commands::bundle::{ANSWERS, append_file};
pub use self::commands::fleet::{Fleet, Inputs, Row, Timeline};
pub use self::commands::log::event::LogLine;
pub use self::error::{Error, Exit};
pub use self::files::write_answer;
pub use self::output::{OutputFormat, answer, warn};
pub use self::style::{BAD, GOOD, TITLE, WEAK, plain};

/// Returns a log as events, summary, metrics and JSON, for the fuzzers.
#[cfg(fuzzing)]
pub fn fuzz_log(log: &[u8]) -> [String; 4] {
    log::fuzz(log)
}

/// Runs one command and writes its answer to `out`.
///
/// # Errors
/// The command could not run. A negative finding, such as an agent that cannot connect Pods, is
/// not an error but a non-zero [`Exit`].
pub fn run(cli: Cli, out: &mut impl Write) -> Result<Exit, Error> {
    match cli.command {
        Command::Install(arguments) => install::install(&arguments, out),
        Command::Uninstall(arguments) => install::uninstall(&arguments, out),
        Command::Rollback(arguments) => install::rollback(&arguments, out),
        Command::Status(arguments) => status::run(&arguments, out),
        Command::Settings(arguments) => settings::run(&arguments, out),
        Command::Probe(arguments) => probe::run(&arguments, out),
        Command::Owed(arguments) => owed::run(&arguments, out),
        Command::CheckConfig(arguments) => check_config::run(&arguments, out),
        Command::Log(LogCommand::Follow(arguments)) => log::follow::run(&arguments, out),
        Command::Log(LogCommand::Show(arguments)) => log::follow::show(&arguments, out),
        Command::Log(LogCommand::Summary(arguments)) => log::summarize(&arguments, out),
        Command::Fleet(arguments) => fleet::run(&arguments, out),
        Command::Bundle(arguments) => bundle::run(&arguments, out),
        Command::Version => {
            let (version, plugin) = (env!("CARGO_PKG_VERSION"), install::embedded());
            output::say(out, format!("{} {version}; {plugin}", cli::NAME)).map(|()| Exit::Success)
        }
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), cli::NAME, &mut script);
            // In one of two places, clap_complete takes the hyphen in the tool's name for the
            // separator of a subcommand.
            let script = String::from_utf8_lossy(&script);
            let script = script.replace("antrea__subcmd__cnictl", "antrea__cnictl");
            output::write(out, script.as_bytes())
        }
        Command::Man { folder } => cli::write_man_pages(&folder).map(|()| Exit::Success),
    }
}

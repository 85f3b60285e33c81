//! `antrea-cnictl`, for the people who run the plugin: puts it on a node and
//! takes it off, asks an agent what it can do, checks configurations and reads
//! the plugin's log.
//!
//! One module a command; [`run`] chooses. What a command found is a value that
//! serializes to JSON; `Display` is the same for a person.
#![cfg_attr(windows, expect(dead_code, reason = "a keeper needs what only Linux has"))]

mod check;
mod cli;
mod document;
mod error;
mod files;
mod fleet;
mod install;
mod log;
mod network;
mod output;
mod owed;
mod platform;
mod probe;
mod releases;
mod set;
mod settings;
mod status;
mod text;
mod trial;

use std::io::Write;

use clap::CommandFactory;

use self::cli::{Command, LogCommand};

pub use self::cli::Cli;
pub use self::error::{Error, Exit};

/// What only the fuzzers reach from outside: a log as events, summary, metrics and
/// JSON.
#[cfg(fuzzing)]
pub fn fuzz_log(log: &[u8]) -> [String; 4] {
    log::fuzz(log)
}

/// Runs one command and writes what it found to `out`.
///
/// # Errors
/// What kept the command from an answer. An answer that is bad news, such as an
/// agent that cannot wire Pods, is none: that is the [`Exit`].
pub fn run(cli: Cli, out: &mut impl Write) -> Result<Exit, Error> {
    match cli.command {
        Command::Install(arguments) => install::install(&arguments, out),
        Command::Uninstall(arguments) => install::uninstall(&arguments, out),
        Command::Rollback(arguments) => install::rollback(&arguments, out),
        Command::Status(arguments) => status::run(&arguments, out),
        Command::Settings(arguments) => settings::run(&arguments, out),
        Command::Probe(arguments) => probe::run(&arguments, out),
        Command::Owed(arguments) => owed::run(&arguments, out),
        Command::CheckConfig(arguments) => check::run(&arguments, out),
        Command::Log(LogCommand::Follow(arguments)) => log::follow::run(&arguments, out),
        Command::Log(LogCommand::Show(arguments)) => log::follow::show(&arguments, out),
        Command::Log(LogCommand::Summary(arguments)) => log::summarize(&arguments, out),
        Command::Fleet(arguments) => fleet::run(&arguments, out),
        Command::Version => {
            let (version, plugin) = (env!("CARGO_PKG_VERSION"), install::embedded());
            output::say(out, format!("{} {version}; {plugin}", cli::NAME)).map(|()| Exit::Success)
        }
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), cli::NAME, &mut script);
            // It takes the hyphen in our name for that of a subcommand, in one of two places.
            let script = String::from_utf8_lossy(&script);
            let script = script.replace("antrea__subcmd__cnictl", "antrea__cnictl");
            output::write(out, script.as_bytes())
        }
        Command::Man { folder } => cli::man(&folder).map(|()| Exit::Success),
    }
}

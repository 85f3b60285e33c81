// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Shows antrea-cni on all nodes of a cluster: `kubectl antrea-cni`.
//!
//! It runs `antrea-cnictl` in the Pod of each node and shows the answers together, so each node is
//! judged by the tool that is installed there.
//!
//! ```text
//! cli ──▶ kubeconfig ──▶ cluster ──▶ exec ──▶ ask ──▶ commands ──▶ stdout, exit status
//! ```

mod ask;
mod cli;
mod cluster;
mod commands;
mod completion;
mod error;
mod exec;
mod kubeconfig;

use std::io::Write;
use std::process::ExitCode;

use antrea_cnictl::Exit;
use clap::Parser;
use tokio::runtime::Builder;

use self::cli::{COMPLETE, Cli};
use self::error::Error;

fn main() -> ExitCode {
    let mut out = anstream::AutoStream::auto(std::io::stdout()).lock();
    let words: Vec<_> = std::env::args_os().collect();
    // The words to complete may contain options. This program does not parse them.
    let done = match words.get(1..) {
        Some([command, words @ ..]) if command == COMPLETE => {
            completion::write(words.to_vec(), &mut out).map(|()| Exit::Success)
        }
        _ => run(&mut out),
    };
    match done {
        Ok(exit) => exit.into(),
        Err(error) if error.is_broken_pipe() => ExitCode::SUCCESS,
        Err(error) => {
            let mut err = anstream::AutoStream::auto(std::io::stderr()).lock();
            let _ = writeln!(err, "{}", error.report());
            error.exit().into()
        }
    }
}

fn run(out: &mut impl Write) -> Result<Exit, Error> {
    let cli = Cli::parse();
    let runtime = Builder::new_current_thread().enable_all().build().map_err(Error::Runtime)?;
    runtime.block_on(commands::run(cli, out))
}

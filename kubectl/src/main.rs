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

use clap::Parser;
use tokio::runtime::Builder;

use self::cli::Cli;
use self::error::Error;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let mut out = anstream::AutoStream::auto(std::io::stdout()).lock();
    let runtime = Builder::new_current_thread().enable_all().build().map_err(Error::Runtime);
    match runtime.and_then(|it| it.block_on(commands::run(cli, &mut out))) {
        Ok(exit) => exit.into(),
        Err(error) if error.is_broken_pipe() => ExitCode::SUCCESS,
        Err(error) => {
            let mut err = anstream::AutoStream::auto(std::io::stderr()).lock();
            let _ = writeln!(err, "{}", error.report());
            error.exit().into()
        }
    }
}

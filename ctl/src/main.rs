// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Parses the arguments, runs the command, and ends with its exit status.

use std::io::Write;
use std::process::ExitCode;

use antrea_cnictl::{Cli, run};
use clap::Parser;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let mut out = anstream::AutoStream::auto(std::io::stdout()).lock();
    match run(cli, &mut out) {
        Ok(code) => code.into(),
        Err(error) if error.is_broken_pipe() => ExitCode::SUCCESS,
        Err(error) => {
            let mut err = anstream::AutoStream::auto(std::io::stderr()).lock();
            let _ = writeln!(err, "{}", error.report());
            error.exit().into()
        }
    }
}

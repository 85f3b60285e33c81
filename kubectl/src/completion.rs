// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Completes command lines. kubectl asks `kubectl_complete-antrea_cni` for that, which asks this
//! program, and reads candidates as Cobra writes them: one a line, and a directive at the end.

use std::ffi::OsString;
use std::io::Write;
use std::iter::once;

use clap::CommandFactory;
use clap_complete::engine::complete;

use crate::cli::{Cli, NAME};
use crate::error::Error;

/// Cobra's directive to complete file names, as after `--kubeconfig`.
const FILE_NAMES: u8 = 0;

/// Cobra's directive to complete no file names.
const NO_FILE_NAMES: u8 = 4;

/// Writes the candidates for the last of `words`.
pub(crate) fn write(words: Vec<OsString>, out: &mut impl Write) -> Result<(), Error> {
    let words: Vec<_> = once(OsString::from(NAME)).chain(words).collect();
    let last = words.len() - 1;
    // There is none for the value of most options.
    let found = complete(&mut Cli::command(), words, last, None).unwrap_or_default();
    for candidate in &found {
        let value = candidate.get_value().to_string_lossy();
        match candidate.get_help() {
            Some(help) => writeln!(out, "{value}\t{help}")?,
            None => writeln!(out, "{value}")?,
        }
    }
    let directive = if found.is_empty() { FILE_NAMES } else { NO_FILE_NAMES };
    writeln!(out, ":{directive}")?;
    Ok(())
}

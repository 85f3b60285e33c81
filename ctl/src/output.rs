// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Writes answers as text or as JSON. Text has styles only on a terminal.

use std::fmt::Display;
use std::io::Write;

use clap::ValueEnum;
use serde::Serialize;

use crate::error::{Error, Exit};
use crate::style::BAD;

/// Names the format of an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum OutputFormat {
    /// For people
    #[default]
    Text,
    /// For programs: one JSON document, or one a line
    Json,
}

/// Writes an answer in the requested format.
///
/// # Errors
/// `out` cannot be written.
pub fn answer<T: Display + Serialize>(
    out: &mut impl Write,
    form: OutputFormat,
    answer: &T,
) -> Result<(), Error> {
    match form {
        OutputFormat::Text => write!(out, "{answer}").map_err(Error::Output)?,
        OutputFormat::Json => json_line(out, answer)?,
    }
    out.flush().map_err(Error::Output)
}

pub(crate) fn json_line(out: &mut impl Write, value: &impl Serialize) -> Result<(), Error> {
    serde_json::to_writer(&mut *out, value).map_err(|error| Error::Output(error.into()))?;
    writeln!(out).map_err(Error::Output)
}

pub(crate) fn write(out: &mut impl Write, bytes: &[u8]) -> Result<Exit, Error> {
    out.write_all(bytes).and_then(|()| out.flush()).map_err(Error::Output)?;
    Ok(Exit::Success)
}

pub(crate) fn say(out: &mut impl Write, text: impl Display) -> Result<(), Error> {
    writeln!(out, "{text}").and_then(|()| out.flush()).map_err(Error::Output)
}

/// Shows a spinner on standard error while the tool waits. Without a terminal it shows nothing.
pub(crate) fn waiting(for_what: impl Into<String>) -> indicatif::ProgressBar {
    let spinner = indicatif::ProgressBar::new_spinner().with_message(for_what.into());
    spinner.enable_steady_tick(std::time::Duration::from_millis(100));
    spinner
}

/// Writes a warning to standard error. A closed standard error is not an error, because the
/// command's work matters more.
pub fn warn(text: impl Display) {
    let mut err = anstream::AutoStream::auto(std::io::stderr()).lock();
    let _ = writeln!(err, "{BAD}warning:{BAD:#} {text}");
}

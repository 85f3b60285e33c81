//! Writing answers: text with styles that are left out where there is no
//! terminal, or JSON.

use std::fmt::Display;
use std::io::Write;

use clap::ValueEnum;
use serde::Serialize;

use crate::error::{Error, Exit};
use crate::style::BAD;

/// The form of an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum OutputFormat {
    /// For people
    #[default]
    Text,
    /// For programs: one JSON document, or one a line
    Json,
}

/// Writes an answer in the form that was asked for.
pub(crate) fn answer<T: Display + Serialize>(
    out: &mut impl Write,
    form: OutputFormat,
    answer: &T,
) -> Result<(), Error> {
    match form {
        OutputFormat::Text => write!(out, "{answer}").map_err(Error::Output)?,
        OutputFormat::Json => line(out, answer)?,
    }
    out.flush().map_err(Error::Output)
}

/// Writes a line of JSON.
pub(crate) fn line(out: &mut impl Write, value: &impl Serialize) -> Result<(), Error> {
    serde_json::to_writer(&mut *out, value).map_err(|error| Error::Output(error.into()))?;
    writeln!(out).map_err(Error::Output)
}

/// Writes bytes as they are.
pub(crate) fn write(out: &mut impl Write, bytes: &[u8]) -> Result<Exit, Error> {
    out.write_all(bytes).and_then(|()| out.flush()).map_err(Error::Output)?;
    Ok(Exit::Success)
}

/// Writes a line about what was done.
pub(crate) fn say(out: &mut impl Write, text: impl Display) -> Result<(), Error> {
    writeln!(out, "{text}").and_then(|()| out.flush()).map_err(Error::Output)
}

/// A spinner on standard error while something is waited for; nothing where
/// that is no terminal.
pub(crate) fn waiting(for_what: impl Into<String>) -> indicatif::ProgressBar {
    let spinner = indicatif::ProgressBar::new_spinner().with_message(for_what.into());
    spinner.enable_steady_tick(std::time::Duration::from_millis(100));
    spinner
}

/// Writes a warning on standard error. A reader that is gone keeps nothing from its work.
pub(crate) fn warn(text: impl Display) {
    let mut err = anstream::AutoStream::auto(std::io::stderr()).lock();
    let _ = writeln!(err, "{BAD}warning:{BAD:#} {text}");
}

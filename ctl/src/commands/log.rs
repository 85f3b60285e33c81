// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Implements `log`: reads the plugin's log files, which have one JSON object a line.

pub(crate) mod counters;
pub(crate) mod event;
pub(crate) mod follow;
pub(crate) mod prometheus;
pub(crate) mod read;
pub(crate) mod summary;

use std::io::Write;
use std::path::Path;

use self::read::read_log;
use self::summary::{Summary, Tally};
use crate::cli::Summary as Arguments;
use crate::commands::settings;
use crate::error::{Error, Exit};
use crate::files;
use crate::output::{self, waiting};

/// Runs the command `log summary`.
pub(crate) fn summarize(arguments: &Arguments, out: &mut impl Write) -> Result<Exit, Error> {
    let spinner = waiting("reading");
    let mut count = Tally::default();
    let files = match &*arguments.files {
        [] => &[settings::log_file(&arguments.place)?],
        files => files,
    };
    for path in files {
        let file = path.to_string_lossy();
        let mut events = 0;
        let torn = read_log(path, |event| {
            events += 1;
            if arguments.filter.accepts(&event) {
                count.add(&file, &event);
            }
        })?;
        if events == 0 && torn > 0 {
            return Err(Error::NotALog(path.clone()));
        }
        count.torn_lines += torn;
    }
    spinner.finish_and_clear();
    let summary = Summary::new(count);
    match (&arguments.format, &arguments.textfile) {
        (None, _) => output::answer(out, arguments.output, &summary)?,
        (Some(_), None) => drop(output::write(out, prometheus::metrics(&summary).as_bytes())?),
        (Some(_), Some(path)) => write_textfile(path, &prometheus::metrics(&summary))?,
    }
    Ok(Exit::Success)
}

/// Writes a file for node-exporter, which reads it at any moment and as another user.
pub(crate) fn write_textfile(path: &Path, text: &str) -> Result<(), Error> {
    files::remove_stale(path)?;
    files::write(path, text.as_bytes(), 0o644)
}

/// Returns a log as events, summary, metrics and JSON, for the fuzzers.
#[cfg(fuzzing)]
pub(crate) fn fuzz(mut log: &[u8]) -> [String; 4] {
    let (mut count, mut text) = (Tally::default(), String::new());
    let torn = read::read_events(&mut log, |event| {
        text += &format!("{event}\n");
        count.add("log", &event);
    });
    count.torn_lines = torn.unwrap_or_default();
    let summary = Summary::new(count);
    let json = serde_json::to_string(&summary).unwrap_or_default();
    [text, summary.to_string(), prometheus::metrics(&summary), json]
}

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
        let mut lines = 0;
        let torn = read_log(path, |line| {
            lines += 1;
            if arguments.filter.accepts(&line) {
                count.add(&file, &line);
            }
        })?;
        if lines == 0 && torn > 0 {
            return Err(Error::NotALog(path.clone()));
        }
        count.torn_lines += torn;
    }
    spinner.finish_and_clear();
    let summary = Summary::new(count);
    match (&arguments.format, &arguments.textfile) {
        (None, _) => output::answer(out, arguments.output, &summary)?,
        (Some(_), None) => drop(output::write(out, prometheus::summary(summary).as_bytes())?),
        (Some(_), Some(path)) => write_textfile(path, &prometheus::summary(summary))?,
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
    let torn = read::read_lines(&mut log, |line| {
        text += &format!("{line}\n");
        count.add("log", &line);
    });
    count.torn_lines = torn.unwrap_or_default();
    let summary = Summary::new(count);
    let (people, json) = (summary.to_string(), serde_json::to_string(&summary).unwrap_or_default());
    [text, people, prometheus::summary(summary), json]
}

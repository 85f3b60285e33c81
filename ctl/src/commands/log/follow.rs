// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Implements `log show`, and `log follow`, which shows calls as they happen.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{sleep, spawn};
use std::time::Duration;

use super::event::LogLine;
use super::read::{is_standard_input, read_log, rotated};
use crate::cli::Follow;
use crate::commands::settings;
use crate::error::{Error, Exit};
use crate::files;
use crate::output::{OutputFormat, say, warn};
use crate::platform;
use crate::style::plain;

/// Pause between two reads of the file.
const PAUSE: Duration = Duration::from_millis(200);

/// Runs the command `log show`, which also reads the rotated file.
pub(crate) fn show(arguments: &Follow, out: &mut impl Write) -> Result<Exit, Error> {
    let path = match &arguments.file {
        Some(path) => path,
        None => &settings::log_file(&arguments.place)?,
    };
    for_each_line(path, |line| match arguments.output {
        _ if !arguments.filter.accepts(&line) => Ok(()),
        OutputFormat::Text => writeln!(out, "{line}").map_err(Error::Output),
        OutputFormat::Json => line.write_json(out),
    })?;
    out.flush().map_err(Error::Output).map(|()| Exit::Success)
}

/// Passes each line of a log to `show`, until `show` fails.
fn for_each_line(
    path: &Path,
    mut show: impl FnMut(LogLine) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut shown = Ok(());
    read_log(path, |line| {
        if shown.is_ok() {
            shown = show(line);
        }
    })?;
    shown
}

/// Runs the command `log follow`, which ends with a signal, when its reader closes the output, or
/// with `--until-stdin-ends`.
pub(crate) fn run(arguments: &Follow, out: &mut impl Write) -> Result<Exit, Error> {
    let mut show = |line: LogLine| match arguments.output {
        _ if !arguments.filter.accepts(&line) => Ok(()),
        OutputFormat::Text => say(out, line),
        OutputFormat::Json => {
            line.write_json(out).and_then(|()| out.flush().map_err(Error::Output))
        }
    };
    let path = match &arguments.file {
        Some(path) => path,
        None => &settings::log_file(&arguments.place)?,
    };
    if is_standard_input(path) {
        return for_each_line(path, show).map(|()| Exit::Success);
    }
    let has_ended = Arc::new(AtomicBool::new(false));
    if arguments.until_stdin_ends {
        let has_ended = Arc::clone(&has_ended);
        spawn(move || {
            let _ = io::copy(&mut io::stdin().lock(), &mut io::sink());
            has_ended.store(true, Ordering::Relaxed);
        });
    }
    // It is opened before the rotated file: a rotation between the two then hides no call.
    let there = Log::open(path).ok();
    if arguments.filter.since.is_some() {
        // With --since the person wants the earlier calls, too.
        let is_old = |old: &Log| there.as_ref().is_none_or(|it| it.identity != old.identity);
        if let Some(mut old) = Log::open(&rotated(path)).ok().filter(is_old) {
            old.show_new_lines(path, &mut show)?;
        }
    }
    let mut log = match there {
        Some(mut log) if arguments.filter.since.is_none() => {
            log.file.seek(SeekFrom::End(0)).map_err(Error::file("read", path))?;
            log
        }
        Some(log) => log,
        None => {
            wait_for(path, &has_ended);
            Log::open(path)?
        }
    };
    while !has_ended.load(Ordering::Relaxed) {
        log.show_new_lines(path, &mut show)?;
        log.rewind_if_truncated(path)?;
        if log.is_rotated(path) {
            // The plugin may have written lines between the last read and the rotation.
            log.show_new_lines(path, &mut show)?;
            log = Log::open(path)?;
        } else {
            sleep(PAUSE);
        }
    }
    Ok(Exit::Success)
}

/// Waits for a log that is not there yet.
fn wait_for(path: &Path, has_ended: &AtomicBool) {
    // The plugin creates the file at its first call, but not the folder.
    let may_come = path.parent().is_some_and(Path::is_dir);
    if may_come && !path.exists() {
        warn(plain(&format!("{} is not there yet: waiting for the first call", path.display())));
    }
    while may_come && !path.exists() && !has_ended.load(Ordering::Relaxed) {
        sleep(PAUSE);
    }
}

struct Log {
    file: BufReader<File>,
    identity: Option<(u64, u64)>,
    /// A line that the plugin is still writing
    line: Vec<u8>,
}

impl Log {
    fn open(path: &Path) -> Result<Self, Error> {
        let file = files::open_plain(path).map_err(Error::file("read", path))?;
        let identity = platform::identity(&file).ok();
        Ok(Self { file: BufReader::new(file), identity, line: Vec::new() })
    }

    fn show_new_lines(
        &mut self,
        path: &Path,
        mut show: impl FnMut(LogLine) -> Result<(), Error>,
    ) -> Result<(), Error> {
        while self.file.read_until(b'\n', &mut self.line).map_err(Error::file("read", path))? > 0 {
            if !self.line.ends_with(b"\n") {
                break;
            }
            if let Some((line, _)) = LogLine::parse(&self.line) {
                show(line)?;
            }
            self.line.clear();
        }
        Ok(())
    }

    /// Reads from the beginning again if the file was truncated, as logrotate's copytruncate does.
    fn rewind_if_truncated(&mut self, path: &Path) -> Result<(), Error> {
        let read = self.file.stream_position().map_err(Error::file("read", path))?;
        let there = self.file.get_ref().metadata().map_err(Error::file("read", path))?.len();
        if there < read {
            self.line.clear();
            self.file.seek(SeekFrom::Start(0)).map_err(Error::file("read", path))?;
        }
        Ok(())
    }

    /// Returns whether another file has the log's name now.
    fn is_rotated(&self, path: &Path) -> bool {
        let now = files::open_plain(path).and_then(|file| platform::identity(&file));
        now.is_ok_and(|now| Some(now) != self.identity)
    }
}

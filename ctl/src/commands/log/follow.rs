// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Implements `log show`, and `log follow`, which shows calls as they happen.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{sleep, spawn};
use std::time::Duration;

use super::event::LogLine;
use super::read::{is_standard_input, open_files, read_log};
use crate::cli::Follow;
use crate::commands::settings;
use crate::error::{Error, Exit};
use crate::files;
use crate::output::{OutputFormat, warn};
use crate::platform;
use crate::style::plain;

/// Pause between two reads of the file.
const PAUSE: Duration = Duration::from_millis(200);

/// Runs the command `log show`, which also reads the rotated file.
pub(crate) fn show(arguments: &Follow, out: &mut impl Write) -> Result<Exit, Error> {
    for_each_line(&path(arguments)?, |line| write_line(arguments, &line, out))?;
    out.flush().map_err(Error::Output).map(|()| Exit::Success)
}

/// Returns the path of `--file`, or of the log in the settings.
fn path(arguments: &Follow) -> Result<PathBuf, Error> {
    arguments.file.clone().map_or_else(|| settings::log_file(&arguments.place), Ok)
}

/// Writes a line of the log that the filter accepts.
fn write_line(arguments: &Follow, line: &LogLine, out: &mut impl Write) -> Result<(), Error> {
    match arguments.output {
        _ if !arguments.filter.accepts(line) => Ok(()),
        OutputFormat::Text => writeln!(out, "{line}").map_err(Error::Output),
        OutputFormat::Json => line.write_json(out),
    }
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
    let mut show = |line: LogLine| {
        write_line(arguments, &line, out).and_then(|()| out.flush().map_err(Error::Output))
    };
    let path = &path(arguments)?;
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
    let [old, there] = open_files(path).map_err(Error::file("read", path))?;
    // With --since the person wants the earlier calls, too.
    let wants_all = arguments.filter.since.is_some();
    if let Some(old) = old.filter(|_| wants_all) {
        Log::new(old).show_new_lines(path, &mut show)?;
    }
    let mut log = match there {
        Some(there) => {
            let mut log = Log::new(there);
            if !wants_all {
                log.file.seek(SeekFrom::End(0)).map_err(Error::file("read", path))?;
            }
            log
        }
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
        files::open_regular(path).map(Self::new).map_err(Error::file("read", path))
    }

    fn new(file: File) -> Self {
        let identity = platform::identity(&file).ok();
        Self { file: BufReader::new(file), identity, line: Vec::new() }
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
        let now = files::open_regular(path).and_then(|file| platform::identity(&file));
        now.is_ok_and(|now| Some(now) != self.identity)
    }
}

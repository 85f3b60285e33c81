// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Reads the lines of a log, oldest first.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};

use antrea_cni::log::ROTATED;

use super::event::LogLine;
use crate::cli::Filter;
use crate::error::Error;
use crate::{files, platform};

impl Filter {
    /// Returns the arguments that give another `antrea-cnictl` this filter.
    pub fn arguments(&self) -> Vec<String> {
        let times = [("--since", self.since), ("--until", self.until)];
        let times = times.into_iter().filter_map(|(name, time)| Some(format!("{name}={}", time?)));
        let command = self.command.map(|it| format!("--command={}", it.name()));
        let code = self.code.map(|code| format!("--code={code}"));
        let pod = self.pod.as_ref().map(|pod| format!("--pod={pod}"));
        times.chain(command).chain(code).chain(pod).collect()
    }

    pub(super) fn accepts(&self, line: &LogLine) -> bool {
        let LogLine { event, time, .. } = line;
        self.since.is_none_or(|since| *time >= since)
            && self.until.is_none_or(|until| *time < until)
            && self.command.is_none_or(|it| it.name() == event.command)
            && self.code.is_none_or(|code| event.code == code)
            && self.pod.as_ref().is_none_or(|pod| {
                pod.name == event.pod_name
                    && pod.namespace.as_ref().is_none_or(|it| *it == event.pod_namespace)
            })
    }
}

/// Returns the name of the log's rotated file.
fn rotated(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ROTATED);
    name.into()
}

/// Returns whether `path` is `-`, which stands for standard input.
pub(super) fn is_standard_input(path: &Path) -> bool {
    path == Path::new("-")
}

/// Opens the rotated file of a log, and the log. Each may be absent.
///
/// # Errors
/// One of them cannot be opened. What cannot be rotated to, such as a folder, is no rotated file.
pub(super) fn open_files(path: &Path) -> io::Result<[Option<File>; 2]> {
    let open = |path: &Path| match files::open_regular(path) {
        Ok(file) => Ok(Some(file)),
        // The plugin makes the log with its next call.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    };
    // The log is opened first: a rotation between the two then hides no file.
    let log = open(path)?;
    let rotated = rotated(path);
    let old = if rotated.is_dir() { None } else { open(&rotated)? };
    let identity = |file: &File| platform::identity(file).ok();
    let is_log = |old: &File| log.as_ref().is_some_and(|log| identity(log) == identity(old));
    Ok([old.filter(|old| !is_log(old)), log])
}

/// Passes every line of a log and its rotated file to `handle`. Returns the number of torn lines,
/// as a full disk leaves them.
pub(super) fn read_log(path: &Path, mut handle: impl FnMut(LogLine)) -> Result<usize, Error> {
    let read = || {
        if is_standard_input(path) {
            return read_lines(io::stdin().lock(), handle);
        }
        let files = match open_files(path)? {
            [None, None] => [Some(files::open_regular(path)?), None],
            files => files,
        };
        files
            .into_iter()
            .flatten()
            .try_fold(0, |torn, file| Ok(torn + read_lines(BufReader::new(file), &mut handle)?))
    };
    read().map_err(Error::file("read", path))
}

/// Does the same as [`read_log`] with one file.
pub(crate) fn read_lines(
    mut lines: impl BufRead,
    mut handle: impl FnMut(LogLine),
) -> io::Result<usize> {
    let (mut torn, mut line) = (0, Vec::new());
    while lines.read_until(b'\n', &mut line)? > 0 {
        match LogLine::parse(&line) {
            Some((parsed, whole)) => {
                torn += usize::from(!whole);
                handle(parsed);
            }
            // The plugin may still be writing it.
            None if !line.ends_with(b"\n") => (),
            None => torn += 1,
        }
        line.clear();
    }
    Ok(torn)
}

// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Reads a log as events, oldest first.

use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};

use super::event::Event;
use crate::cli::Filter;
use crate::error::Error;
use crate::files;

impl Filter {
    pub(super) fn accepts(&self, event: &Event) -> bool {
        self.since.is_none_or(|since| event.time >= since)
            && self.until.is_none_or(|until| event.time < until)
            && self.command.is_none_or(|it| it.name() == event.command)
            && self.code.is_none_or(|code| event.code == code)
            && self.pod.as_ref().is_none_or(|pod| {
                pod.name == event.pod_name
                    && pod.namespace.as_ref().is_none_or(|it| *it == event.pod_namespace)
            })
    }
}

/// Returns the name of the log's rotated file.
pub(super) fn rotated(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".1");
    name.into()
}

/// Returns whether `path` is `-`, which stands for standard input.
pub(super) fn is_standard_input(path: &Path) -> bool {
    path == Path::new("-")
}

/// Passes every event of a log and its rotated file to `handle`. Returns the number of torn lines,
/// as a full disk leaves them.
pub(super) fn read_log(path: &Path, mut handle: impl FnMut(Event)) -> Result<usize, Error> {
    if is_standard_input(path) {
        return read_events(io::stdin().lock(), handle).map_err(Error::file("read", path));
    }
    let mut torn = 0;
    let old = files::open_plain(&rotated(path)).ok();
    let new = files::open_plain(path).map_err(Error::file("read", path))?;
    for file in old.into_iter().chain([new]) {
        torn +=
            read_events(BufReader::new(file), &mut handle).map_err(Error::file("read", path))?;
    }
    Ok(torn)
}

/// Does the same as [`read_log`] with one file.
pub(crate) fn read_events(
    mut lines: impl BufRead,
    mut handle: impl FnMut(Event),
) -> io::Result<usize> {
    let (mut torn, mut line) = (0, Vec::new());
    while lines.read_until(b'\n', &mut line)? > 0 {
        match Event::parse(&line) {
            Some((event, whole)) => {
                torn += usize::from(!whole);
                handle(event);
            }
            None => torn += 1,
        }
        line.clear();
    }
    Ok(torn)
}

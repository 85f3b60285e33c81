// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Reads standard input with a deadline, so that a container runtime that never closes it cannot
//! block the plugin.

use std::io::{self, ErrorKind, Read};
use std::time::{Duration, Instant};

use super::error::Error;
use super::settings::{LEAST_ADD_TIMEOUT, Settings};
use super::timeouts::Timeouts;
use crate::action::Action;
use crate::platform::stdio;

/// Longest configuration that is read. Real ones have a few kilobytes.
pub const MAX_BYTES: u64 = 1 << 20;

/// Supplies the network configuration.
pub trait Source {
    /// Reads some bytes, as [`Read::read`] does.
    ///
    /// # Errors
    /// [`ErrorKind::TimedOut`] if there are no bytes by `until`.
    fn read_until(&mut self, bytes: &mut [u8], until: Instant) -> io::Result<usize>;
}

/// Reads standard input of this process.
#[derive(Clone, Copy, Debug)]
pub struct Stdin;

impl Source for Stdin {
    fn read_until(&mut self, bytes: &mut [u8], until: Instant) -> io::Result<usize> {
        stdio::read_until(bytes, until)
    }
}

/// Reads a configuration in memory.
impl Source for &[u8] {
    fn read_until(&mut self, bytes: &mut [u8], _: Instant) -> io::Result<usize> {
        self.read(bytes)
    }
}

/// Least time for the configuration to come. Runtimes in Go write it after the plugin has started,
/// on a busy node seconds later. STATUS has used up its second then, and answers from memory.
const LEAST_WAIT: Duration = Duration::from_secs(5);

/// Reads `source` to its end, which must come within the shortest timeout of the command, and at
/// least [`LEAST_WAIT`]. The configured timeout is not known yet.
///
/// # Errors
/// [`Error::Read`], [`Error::Open`], and [`Error::TooLong`] over [`MAX_BYTES`].
pub(super) fn read_stdin(
    source: &mut dyn Source,
    action: Option<Action>,
    started: Instant,
) -> Result<Vec<u8>, Error> {
    let settings = Settings { add_timeout: LEAST_ADD_TIMEOUT, ..Settings::default() };
    // An unknown command is reported only after the configuration was checked.
    let Timeouts { total, .. } = Timeouts::for_action(action.unwrap_or(Action::Del), &settings);
    let until = started + total.max(LEAST_WAIT);
    let mut bytes = Vec::new();
    let mut read = 0;
    loop {
        if read == bytes.len() {
            bytes.resize((2 * read).max(4096), 0);
        }
        let room = bytes.get_mut(read..).unwrap_or_default();
        match source.read_until(room, until) {
            Ok(0) => break,
            Ok(more) => read += more,
            Err(error) if error.kind() == ErrorKind::Interrupted => (),
            Err(error) if error.kind() == ErrorKind::TimedOut => return Err(Error::Open),
            Err(error) => return Err(Error::Read(error)),
        }
        if read as u64 > MAX_BYTES {
            return Err(Error::TooLong { most: MAX_BYTES });
        }
    }
    bytes.truncate(read);
    Ok(bytes)
}

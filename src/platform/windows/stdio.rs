// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Reads standard input with a deadline, and writes standard output without losing a result.

use std::io::{self, ErrorKind, Read, Write};
use std::os::windows::io::AsRawHandle;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::sync::{LazyLock, Mutex};
use std::thread;
use std::time::Instant;

/// Reads standard input in a thread, because a blocked read cannot be cancelled.
static INPUT: LazyLock<Mutex<Input>> = LazyLock::new(|| {
    let (sender, chunks) = sync_channel(1);
    thread::spawn(move || {
        loop {
            let mut chunk = vec![0; CHUNK_BYTES];
            let read = io::stdin().lock().read(&mut chunk);
            let is_over = !matches!(read, Ok(1..));
            let sent = sender.send(read.map(|read| {
                chunk.truncate(read);
                chunk
            }));
            if is_over || sent.is_err() {
                return;
            }
        }
    });
    Mutex::new(Input { chunks, left: Vec::new() })
});

struct Input {
    chunks: Receiver<io::Result<Vec<u8>>>,
    /// Bytes that were received but not read yet
    left: Vec<u8>,
}

const CHUNK_BYTES: usize = 4096;

/// Reads some bytes of standard input. Returns 0 at its end.
///
/// # Errors
/// [`ErrorKind::TimedOut`] if there are no bytes by `until`.
pub(crate) fn read_until(bytes: &mut [u8], until: Instant) -> io::Result<usize> {
    let mut input = INPUT.lock().map_err(|_| io::Error::from(ErrorKind::Other))?;
    if input.left.is_empty() {
        let left = until.saturating_duration_since(Instant::now());
        input.left = match input.chunks.recv_timeout(left) {
            Ok(chunk) => chunk?,
            Err(RecvTimeoutError::Timeout) => return Err(ErrorKind::TimedOut.into()),
            // The end was reported already.
            Err(RecvTimeoutError::Disconnected) => return Ok(0),
        };
    }
    let length = input.left.len().min(bytes.len());
    for (to, from) in bytes.iter_mut().zip(input.left.drain(..length)) {
        *to = from;
    }
    Ok(length)
}

/// Writes to standard output. The standard library reports success for a missing handle, which
/// would lose a result.
///
/// # Errors
/// Not everything was written.
pub(crate) fn write_stdout(bytes: &[u8], is_result: bool) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    if is_result && stdout.as_raw_handle().is_null() {
        return Err(ErrorKind::NotConnected.into());
    }
    stdout.write_all(bytes)?;
    stdout.flush()
}

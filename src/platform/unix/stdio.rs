// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Reads standard input with a deadline, and writes standard output without losing a result.

use std::io::{self, ErrorKind};
use std::os::fd::AsFd;
use std::time::Instant;

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::stat::{SFlag, fstat};

/// Reads some bytes of standard input. Returns 0 at its end.
///
/// # Errors
/// [`ErrorKind::TimedOut`] if there are no bytes by `until`.
pub(crate) fn read_until(bytes: &mut [u8], until: Instant) -> io::Result<usize> {
    let stdin = io::stdin();
    loop {
        let left = until.saturating_duration_since(Instant::now());
        let mut fds = [PollFd::new(stdin.as_fd(), PollFlags::POLLIN)];
        match poll(&mut fds, PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX)) {
            Ok(0) => return Err(ErrorKind::TimedOut.into()),
            // Only a read tells the end: Linux looks for bytes and for writers of a pipe without a
            // lock, and reports POLLHUP alone if the last writer writes and closes in between. Does
            // not use the standard library's buffer, which is for lines.
            Ok(_) => return Ok(nix::unistd::read(&stdin, bytes)?),
            Err(Errno::EINTR) => (),
            Err(errno) => return Err(errno.into()),
        }
    }
}

/// Writes to standard output with write(2). [`io::stdout`] reports success for a closed descriptor,
/// which would lose a result.
///
/// # Errors
/// Not everything was written.
pub(crate) fn write_stdout(mut bytes: &[u8], is_result: bool) -> io::Result<()> {
    let stdout = io::stdout();
    if is_result {
        prepare(&stdout)?;
    }
    while !bytes.is_empty() {
        match nix::unistd::write(&stdout, bytes) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(written) => bytes = bytes.get(written..).unwrap_or_default(),
            Err(Errno::EINTR) => (),
            Err(errno) => return Err(errno.into()),
        }
    }
    Ok(())
}

/// Detects what would lose a result. RLIMIT_FSIZE kills the process with a signal. In place of a
/// closed descriptor, the standard library opens `/dev/null` for reading and writing.
fn prepare(stdout: &impl AsFd) -> io::Result<()> {
    let file = fstat(stdout)?;
    match SFlag::from_bits_truncate(file.st_mode & SFlag::S_IFMT.bits()) {
        SFlag::S_IFREG => SigSet::from(Signal::SIGXFSZ).thread_block()?,
        SFlag::S_IFCHR if file.st_rdev == NULL_DEVICE => {
            let flags = OFlag::from_bits_truncate(fcntl(stdout, FcntlArg::F_GETFL)?);
            if flags & OFlag::O_ACCMODE == OFlag::O_RDWR {
                return Err(ErrorKind::NotConnected.into());
            }
        }
        _ => (),
    }
    Ok(())
}

/// The device number of `/dev/null`, on every Linux.
const NULL_DEVICE: nix::libc::dev_t = 1 << 8 | 3;

//! Standard input, which has to come in time, and standard output, which must not be lost.

use std::io::{self, ErrorKind};
use std::os::fd::AsFd;
use std::time::Instant;

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::stat::{SFlag, fstat};

/// Reads some bytes of standard input: none at its end.
///
/// # Errors
/// [`ErrorKind::TimedOut`] if there are none until `until`.
pub(crate) fn read_until(bytes: &mut [u8], until: Instant) -> io::Result<usize> {
    let stdin = io::stdin();
    loop {
        let left = until.saturating_duration_since(Instant::now());
        let mut fds = [PollFd::new(stdin.as_fd(), PollFlags::POLLIN)];
        let found = poll(&mut fds, PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX));
        let [fd] = &fds;
        match found {
            Ok(0) => return Err(ErrorKind::TimedOut.into()),
            // A pipe that is empty, and that nobody can write to any more.
            Ok(_) if fd.revents() == Some(PollFlags::POLLHUP) => return Ok(0),
            // Past the buffer of the standard library, which is for lines.
            Ok(_) => return Ok(nix::unistd::read(&stdin, bytes)?),
            Err(Errno::EINTR) => (),
            Err(errno) => return Err(errno.into()),
        }
    }
}

/// Writes to standard output, past the standard library, which takes a descriptor
/// that cannot be written for one that swallows everything. A result must not be lost.
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
            Ok(written) => bytes = bytes.get(written..).unwrap_or_default(),
            Err(Errno::EINTR) => (),
            Err(errno) => return Err(errno.into()),
        }
    }
    Ok(())
}

/// Finds out what would lose a result: a limit of file sizes ends a process by a
/// signal, and in the place of a descriptor that was closed the standard library
/// opens `/dev/null`, to read and write.
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

/// `/dev/null`, on every Linux.
const NULL_DEVICE: u64 = 1 << 8 | 3;

//! Standard input, which a runtime writes at once and closes; but one that does
//! not must not keep the plugin.

use std::io::{self, ErrorKind, Read};
use std::os::fd::AsFd;
use std::time::Instant;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

/// Where a configuration is read from.
pub trait Source {
    /// Reads some bytes, as [`Read::read`] does.
    ///
    /// # Errors
    /// [`ErrorKind::TimedOut`] if there are none until then.
    fn read_until(&mut self, bytes: &mut [u8], until: Instant) -> io::Result<usize>;
}

/// Standard input of this process.
#[derive(Clone, Copy, Debug)]
pub struct Stdin;

impl Source for Stdin {
    fn read_until(&mut self, bytes: &mut [u8], until: Instant) -> io::Result<usize> {
        let stdin = io::stdin();
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let mut fds = [PollFd::new(stdin.as_fd(), PollFlags::POLLIN)];
            match poll(&mut fds, PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX)) {
                Ok(0) => return Err(ErrorKind::TimedOut.into()),
                // Past the buffer of the standard library, which is for lines.
                Ok(_) => return Ok(nix::unistd::read(&stdin, bytes)?),
                Err(nix::errno::Errno::EINTR) => (),
                Err(errno) => return Err(errno.into()),
            }
        }
    }
}

/// Bytes that are there already.
impl Source for &[u8] {
    fn read_until(&mut self, bytes: &mut [u8], _: Instant) -> io::Result<usize> {
        self.read(bytes)
    }
}

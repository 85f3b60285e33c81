//! The server's pipe: one attempt to connect, and who is at the other end.

use std::io::{self, ErrorKind};
use std::thread::sleep;
use std::time::{Duration, Instant};

use antrea_cni_windows::{Process, owner, server_process_id};
use tokio::net::windows::named_pipe::{ClientOptions, NamedPipeClient};
use tokio::runtime;

use super::peer::Peer;
use super::stream::Stream;
use crate::backoff::Backoff;
use crate::grpc::error::Error;

/// All instances of the pipe are taken: a server makes the next one only when somebody
/// has connected to the last.
const ERROR_PIPE_BUSY: i32 = 231;

/// How long a busy pipe is tried again. It is no absent server: a burst of calls is normal.
const BUSY: Duration = Duration::from_secs(2);

/// Connects to the pipe at `path`, without waiting for a server that is away. A peer has
/// to be LocalSystem's, an administrator's or our own user's, unless it may be `anybody`;
/// if it is `watched`, its end can be told.
///
/// # Errors
/// [`Error::NotASocket`], [`Error::OutOfDescriptors`], [`Error::Unreachable`],
/// [`Error::Untrusted`].
pub fn connect(
    path: &str,
    allow_any_user: bool,
    track_peer: bool,
    deadline: Instant,
) -> Result<(Stream, Peer), Error> {
    let runtime = runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(Error::OutOfDescriptors)?;
    let pipe = {
        let _entered = runtime.enter();
        open(path, deadline.min(Instant::now() + BUSY)).map_err(Error::Unreachable)?
    };
    if !allow_any_user {
        trust(&pipe)?;
    }
    let pid = server_process_id(&pipe).ok();
    let process = pid.filter(|_| track_peer).and_then(|pid| Process::open(pid).ok());
    Ok((Stream::new(pipe, runtime), Peer::new(pid, process)))
}

/// Tries again while the pipe is busy.
fn open(path: &str, until: Instant) -> io::Result<NamedPipeClient> {
    let mut backoff = Backoff::new(1, 20);
    loop {
        match ClientOptions::new().open(path) {
            Err(error) if error.raw_os_error() == Some(ERROR_PIPE_BUSY) => {
                if Instant::now() >= until {
                    return Err(ErrorKind::WouldBlock.into());
                }
                sleep(backoff.next_pause());
            }
            opened => return opened,
        }
    }
}

/// Refuses a pipe of an owner that is not trusted. The owner is the pipe's, whoever has the
/// id of its process by now.
fn trust(pipe: &NamedPipeClient) -> Result<(), Error> {
    match owner(pipe) {
        Ok(owner) if owner.is_trusted => Ok(()),
        Ok(owner) => Err(Error::Untrusted { user: owner.user, source: None }),
        Err(error) => Err(Error::Untrusted { user: None, source: Some(error) }),
    }
}

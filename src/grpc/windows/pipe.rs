//! The server's pipe: one attempt to connect, and who is at the other end.

use std::io::{self, ErrorKind};
use std::thread::sleep;
use std::time::{Duration, Instant};

use antrea_cni_windows::{Process, server_process_id};
use tokio::net::windows::named_pipe::{ClientOptions, NamedPipeClient};
use tokio::runtime;

use super::peer::Peer;
use super::stream::Stream;
use crate::backoff::Backoff;
use crate::grpc::error::Error;

/// The folder of all pipes.
const FOLDER: &str = r"\\.\pipe\";

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
/// [`Error::NotASocket`], [`Error::NoSocket`], [`Error::Unreachable`],
/// [`Error::Untrusted`].
pub fn connect(
    path: &str,
    anybody: bool,
    watched: bool,
    deadline: Instant,
) -> Result<(Stream, Peer), Error> {
    if !path.get(..FOLDER.len()).is_some_and(|start| start.eq_ignore_ascii_case(FOLDER)) {
        return Err(Error::NotASocket(path.to_owned()));
    }
    let runtime = runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(Error::NoSocket)?;
    let pipe = {
        let _entered = runtime.enter();
        open(path, deadline.min(Instant::now() + BUSY)).map_err(Error::Unreachable)?
    };
    let pid = server_process_id(&pipe).ok();
    let process = pid.map_or_else(|| Err(ErrorKind::NotFound.into()), Process::open);
    if !anybody {
        trust(&process)?;
    }
    let peer = Peer::new(pid, process.ok().filter(|_| watched));
    Ok((Stream::new(pipe, runtime), peer))
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
                sleep(backoff.pause());
            }
            opened => return opened,
        }
    }
}

fn trust(process: &io::Result<Process>) -> Result<(), Error> {
    let untrusted = |user, source| Err(Error::Untrusted { user, source });
    let process = match process {
        Ok(process) => process,
        Err(error) => return untrusted(None, Some(error.kind().into())),
    };
    match process.is_trusted() {
        Ok(true) => Ok(()),
        Ok(false) => untrusted(process.user().ok(), None),
        Err(error) => untrusted(None, Some(error)),
    }
}

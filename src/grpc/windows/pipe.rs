// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Connects to the server's pipe and checks its owner.

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

/// All instances of the pipe are in use. A server creates the next one only when a client has
/// connected to the last.
const ERROR_PIPE_BUSY: i32 = 231;

/// How long to retry a busy pipe. A busy pipe does not mean that the server is gone: bursts of
/// calls are normal.
const BUSY_TIMEOUT: Duration = Duration::from_secs(2);

/// Connects to the pipe at `path` without waiting for a server that is unavailable. Refuses a pipe
/// whose owner is not LocalSystem, an administrator or the plugin's own user, unless
/// `allow_any_user`. With `track_peer`, [`Peer::is_gone`] tells when the peer has ended.
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
        open_pipe(path, deadline.min(Instant::now() + BUSY_TIMEOUT)).map_err(Error::Unreachable)?
    };
    if !allow_any_user {
        check_owner(&pipe)?;
    }
    let pid = server_process_id(&pipe).ok();
    let process = pid.filter(|_| track_peer).and_then(|pid| Process::open(pid).ok());
    Ok((Stream::new(pipe, runtime), Peer::new(pid, process)))
}

/// Opens the pipe, and retries while it is busy.
fn open_pipe(path: &str, until: Instant) -> io::Result<NamedPipeClient> {
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

/// Refuses a pipe whose owner is not trusted. The owner stays correct even if the server's process
/// id was reused.
fn check_owner(pipe: &NamedPipeClient) -> Result<(), Error> {
    match owner(pipe) {
        Ok(owner) if owner.is_trusted => Ok(()),
        Ok(owner) => Err(Error::Untrusted { user: owner.user, source: None }),
        Err(error) => Err(Error::Untrusted { user: None, source: Some(error) }),
    }
}

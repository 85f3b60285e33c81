//! The agent's socket: connecting, waiting for an agent that is being
//! restarted, and who is at the other end.

use std::io::{self, ErrorKind};
use std::time::Duration;

use tokio::net::UnixStream;
use tokio::time::{Instant, sleep_until};

use super::delivery::Error;
use super::peer::Peer;
use crate::input::Settings;

/// Pauses between two attempts to connect: from the first to the second, doubled
/// each time. A restarted agent is found this soon, and a node full of waiting
/// plugins stays idle.
const PAUSE: (Duration, Duration) = (Duration::from_millis(5), Duration::from_millis(80));

/// Connects, waiting until `wait_until` for a socket that is missing, refuses,
/// or whose backlog is full, and for nothing else.
///
/// # Errors
/// [`Error::Unreachable`], [`Error::Untrusted`].
pub(super) async fn connect(
    settings: &Settings,
    wait_until: Instant,
) -> Result<(UnixStream, Peer), Error> {
    let mut pause = PAUSE.0;
    loop {
        let unreachable = match UnixStream::connect(&settings.socket).await {
            Ok(stream) => return trusted(stream, settings),
            Err(error) => error,
        };
        let now = Instant::now();
        if !is_restarting(&unreachable) || now >= wait_until {
            return Err(Error::Unreachable(unreachable));
        }
        sleep_until(wait_until.min(now + pause)).await;
        pause = PAUSE.1.min(pause * 2);
    }
}

/// Whether an agent that is being restarted or upgraded explains the error.
fn is_restarting(error: &io::Error) -> bool {
    // WouldBlock: the backlog of a unix socket is full.
    matches!(
        error.kind(),
        ErrorKind::NotFound | ErrorKind::ConnectionRefused | ErrorKind::WouldBlock
    )
}

/// Lets a peer pass that is root or our own user: nobody else may wire Pods.
fn trusted(stream: UnixStream, settings: &Settings) -> Result<(UnixStream, Peer), Error> {
    let unknown = |error| Error::Untrusted { uid: None, source: Some(error) };
    let credentials = stream.peer_cred().map_err(unknown)?;
    let uid = credentials.uid();
    if settings.require_root_agent && uid != 0 && uid != own_uid().map_err(unknown)? {
        return Err(Error::Untrusted { uid: Some(uid), source: None });
    }
    let connected = std::time::Instant::now();
    Ok((stream, Peer { pid: credentials.pid(), connected }))
}

/// Our own user, which the kernel tells at the other end of a pair.
fn own_uid() -> io::Result<u32> {
    let (one, _other) = UnixStream::pair()?;
    Ok(one.peer_cred()?.uid())
}

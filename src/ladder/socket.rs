//! The agent's socket: connecting, waiting for an agent that is being
//! restarted, and who is at the other end.

use std::fs;
use std::io::{self, ErrorKind};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::os::unix::net::UnixStream;
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::sys::socket::sockopt::PeerCredentials;
use nix::sys::socket::{
    AddressFamily, SockFlag, SockType, UnixAddr, connect as connect_to, getsockopt, socket,
};
use nix::unistd::geteuid;

use super::delivery::Error;
use super::peer::Peer;
use super::stream::Stream;
use crate::input::Settings;

/// Pauses between two attempts to connect: from the first to the second, doubled
/// each time. A restarted agent is found this soon, and a node full of waiting
/// plugins stays idle.
const PAUSE: (Duration, Duration) = (Duration::from_millis(5), Duration::from_millis(80));

/// Mode of a folder that its group or everybody may change.
const OTHERS_MAY_WRITE: u32 = 0o022;

/// Connects, waiting until `wait_until` for a socket that is missing, refuses,
/// or whose backlog is full, and for nothing else.
///
/// # Errors
/// [`Error::NotASocket`], [`Error::OpenFolder`], [`Error::NoSocket`],
/// [`Error::Unreachable`], [`Error::Untrusted`].
pub(super) fn connect(settings: &Settings, wait_until: Instant) -> Result<(Stream, Peer), Error> {
    let mut pause = PAUSE.0;
    loop {
        look(&settings.socket)?;
        let unreachable = match try_connect(&settings.socket)? {
            Ok(stream) => return trusted(stream, settings),
            Err(error) => error,
        };
        let now = Instant::now();
        if !is_restarting(&unreachable) || now >= wait_until {
            return Err(Error::Unreachable(unreachable));
        }
        sleep(pause.min(wait_until - now));
        pause = PAUSE.1.min(pause * 2);
    }
}

/// What is at the path. What cannot be looked at cannot be connected to either,
/// which says why.
fn look(path: &str) -> Result<(), Error> {
    let Ok(file) = fs::symlink_metadata(path) else { return Ok(()) };
    if file.is_symlink()
        && let Ok(target) = fs::canonicalize(path)
        && let Some(Ok(folder)) = target.parent().map(fs::metadata)
    {
        let ours = [0, geteuid().as_raw()].contains(&folder.uid());
        if !ours || folder.mode() & OTHERS_MAY_WRITE != 0 {
            return Err(Error::OpenFolder(target.to_string_lossy().into_owned()));
        }
    }
    let is_socket = |file: fs::Metadata| file.file_type().is_socket();
    if file.file_type().is_socket() || fs::metadata(path).map_or(true, is_socket) {
        Ok(())
    } else {
        Err(Error::NotASocket(path.to_owned()))
    }
}

/// Connects without waiting.
fn try_connect(path: &str) -> Result<io::Result<UnixStream>, Error> {
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    let socket = socket(AddressFamily::Unix, SockType::Stream, flags, None)
        .map_err(|errno| Error::NoSocket(errno.into()))?;
    let connected = UnixAddr::new(path).and_then(|to| connect_to(socket.as_raw_fd(), &to));
    Ok(connected.map(|()| socket.into()).map_err(io::Error::from))
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
fn trusted(stream: UnixStream, settings: &Settings) -> Result<(Stream, Peer), Error> {
    let peer = getsockopt(&stream, PeerCredentials)
        .map_err(|errno| Error::Untrusted { uid: None, source: Some(errno.into()) })?;
    let uid = peer.uid();
    if settings.require_root_agent && uid != 0 && uid != geteuid().as_raw() {
        return Err(Error::Untrusted { uid: Some(uid), source: None });
    }
    Ok((Stream::new(stream), Peer { pid: Some(peer.pid()), uid, connected: Instant::now() }))
}

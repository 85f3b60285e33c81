//! The server's socket: one attempt to connect, and who is at the other end.

use std::fs;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::os::unix::net::UnixStream;
use std::time::Instant;

use nix::sys::socket::sockopt::PeerCredentials;
use nix::sys::socket::{
    AddressFamily, SockFlag, SockType, UnixAddr, UnixCredentials, connect as connect_to,
    getsockopt, socket,
};
use nix::unistd::geteuid;

use super::peer::Peer;
use super::stream::Stream;
use crate::grpc::error::Error;

/// Mode of a folder that its group or everybody may change.
const OTHERS_MAY_WRITE: u32 = 0o022;

/// Connects to the socket at `path` without waiting, and so before any deadline. A peer
/// has to be root's or our own user's, unless it may be `anybody`; if it is `watched`, its
/// end can be told.
///
/// # Errors
/// [`Error::NotASocket`], [`Error::UntrustedLink`], [`Error::OutOfDescriptors`],
/// [`Error::Unreachable`], [`Error::Untrusted`].
pub fn connect(
    path: &str,
    allow_any_user: bool,
    track_peer: bool,
    _: Instant,
) -> Result<(Stream, Peer), Error> {
    look(path)?;
    let stream = UnixAddr::new(path)
        .map_err(|errno| Error::Unreachable(errno.into()))
        .and_then(|address| open(&address))?;
    let credentials = credentials(&stream)
        .map_err(|errno| Error::Untrusted { user: None, source: Some(errno.into()) })?;
    let uid = credentials.uid();
    if !allow_any_user && !is_trusted(uid) {
        return Err(Error::Untrusted { user: Some(uid.to_string()), source: None });
    }
    let peer = if track_peer { Peer::tracked } else { Peer::new };
    Ok((Stream::new(stream), peer(credentials.pid(), uid)))
}

/// A socket that does not block, connected to `address`.
pub(super) fn open(address: &UnixAddr) -> Result<UnixStream, Error> {
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    let socket = socket(AddressFamily::Unix, SockType::Stream, flags, None)
        .map_err(|errno| Error::OutOfDescriptors(errno.into()))?;
    connect_to(socket.as_raw_fd(), address)
        .map_err(|errno| Error::Unreachable(io::Error::from(errno)))?;
    Ok(UnixStream::from(socket))
}

/// Who made the socket at the other end listen.
pub(super) fn credentials(stream: &UnixStream) -> nix::Result<UnixCredentials> {
    getsockopt(stream, PeerCredentials)
}

/// Whether a user is root or our own.
pub(super) fn is_trusted(uid: u32) -> bool {
    uid == 0 || uid == geteuid().as_raw()
}

/// Looks at what is at the path. A path that cannot be looked at passes: connecting to
/// it fails too, and that error says why. Where nothing is, nobody can be connected to: a
/// plugin that waits looks again and again.
fn look(path: &str) -> Result<(), Error> {
    let file = match fs::symlink_metadata(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(Error::Unreachable(error));
        }
        Err(_) => return Ok(()),
    };
    if file.is_symlink()
        && let Ok(target) = fs::canonicalize(path)
        && let Some(Ok(folder)) = target.parent().map(fs::metadata)
        && (!is_trusted(folder.uid()) || folder.mode() & OTHERS_MAY_WRITE != 0)
    {
        return Err(Error::UntrustedLink(target.to_string_lossy().into_owned()));
    }
    let is_socket = |file: fs::Metadata| file.file_type().is_socket();
    if file.file_type().is_socket() || fs::metadata(path).map_or(true, is_socket) {
        Ok(())
    } else {
        Err(Error::NotASocket(path.to_owned()))
    }
}

// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Connects to the server's socket and checks its peer.

use std::fs;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::os::unix::net::UnixStream;
use std::time::Instant;

use nix::sys::socket::{
    AddressFamily, SockFlag, SockType, UnixAddr, connect as connect_to, socket,
};
#[cfg(target_os = "linux")]
use nix::sys::socket::{getsockopt, sockopt::PeerCredentials};
use nix::unistd::geteuid;

use super::peer::Peer;
use super::stream::Stream;
use crate::grpc::error::Error;

/// Write permission of a folder for its group or for everybody.
const OTHERS_MAY_WRITE: u32 = 0o022;

/// Connects to the socket at `path` without waiting, so the deadline does not matter. Refuses a
/// peer that runs neither as root nor as the plugin's own user, unless `allow_any_user`. With
/// `track_peer`, [`Peer::is_gone`] tells when the peer has ended.
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
    check_path(path)?;
    let stream = UnixAddr::new(path)
        .map_err(|errno| Error::Unreachable(errno.into()))
        .and_then(|address| connect_nonblocking(&address))?;
    let (pid, uid) = pid_and_uid(&stream)
        .map_err(|errno| Error::Untrusted { user: None, source: Some(errno.into()) })?;
    if !allow_any_user && !is_trusted(uid) {
        return Err(Error::Untrusted { user: Some(uid.to_string()), source: None });
    }
    let peer = if track_peer { Peer::tracked } else { Peer::new };
    Ok((Stream::new(stream), peer(pid, uid)))
}

/// Creates a non-blocking socket and connects it to `address`.
pub(super) fn connect_nonblocking(address: &UnixAddr) -> Result<UnixStream, Error> {
    #[cfg(target_os = "linux")]
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    #[cfg(not(target_os = "linux"))]
    let flags = SockFlag::empty();
    let socket = socket(AddressFamily::Unix, SockType::Stream, flags, None)
        .map_err(|errno| Error::OutOfDescriptors(errno.into()))?;
    connect_to(socket.as_raw_fd(), address)
        .map_err(|errno| Error::Unreachable(io::Error::from(errno)))?;
    let stream = UnixStream::from(socket);
    if cfg!(not(target_os = "linux")) {
        stream.set_nonblocking(true).map_err(Error::OutOfDescriptors)?;
    }
    Ok(stream)
}

/// Returns process and user id of the process that called listen().
#[cfg(target_os = "linux")]
pub(super) fn pid_and_uid(stream: &UnixStream) -> nix::Result<(i32, u32)> {
    getsockopt(stream, PeerCredentials).map(|it| (it.pid(), it.uid()))
}

/// Returns the user id of the process that called listen(), and 0, as its process id is not known.
#[cfg(not(target_os = "linux"))]
pub(super) fn pid_and_uid(stream: &UnixStream) -> nix::Result<(i32, u32)> {
    nix::unistd::getpeereid(stream).map(|(uid, _)| (0, uid.as_raw()))
}

/// Returns whether a user is root or the plugin's own.
pub(super) fn is_trusted(uid: u32) -> bool {
    uid == 0 || uid == geteuid().as_raw()
}

/// Checks what is at the path. A missing socket is reported without connecting, because a plugin
/// that waits checks often. A path that cannot be examined passes, because connecting fails too,
/// with a better error.
fn check_path(path: &str) -> Result<(), Error> {
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

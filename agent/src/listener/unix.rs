// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Listens on a unix socket.

use std::fs::{Permissions, metadata, remove_file, set_permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use antrea_cni::grpc::Peer;
use tokio::net::UnixListener;

pub(crate) type Stream = tokio::net::UnixStream;

pub(crate) struct Listener(UnixListener);

impl Listener {
    /// Listens as the real agent does: removes an existing socket, and allows only the agent's own
    /// user and group to connect.
    pub(crate) fn bind(socket: &Path) -> io::Result<Self> {
        match remove_file(socket) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => (),
        }
        let listener = UnixListener::bind(socket)?;
        set_permissions(socket, Permissions::from_mode(0o750))?;
        Ok(Self(listener))
    }

    /// Accepts the next connection.
    pub(crate) async fn accept(&mut self) -> io::Result<Stream> {
        self.0.accept().await.map(|(stream, _)| stream)
    }
}

/// Removes the socket.
pub(crate) fn remove(socket: &Path) {
    let _ = remove_file(socket);
}

/// Checks that a process of root or of the caller serves the socket, and that not everybody may
/// connect.
pub(crate) fn is_private(socket: &str, peer: &Peer) -> Result<(), String> {
    let uid = peer.uid;
    if uid != 0 && uid != nix::unistd::geteuid().as_raw() {
        return Err(format!("it is served by user {uid}"));
    }
    let file = metadata(socket).map_err(|error| format!("{socket}: {error}"))?;
    match file.permissions().mode() & 0o777 {
        mode if mode & 0o002 != 0 => Err(format!("any user may connect: mode {mode:04o}")),
        _ => Ok(()),
    }
}

// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Listens on a named pipe.

use std::ffi::OsString;
use std::io;
use std::path::Path;

use antrea_cni::grpc::Peer;
use tokio::net::windows::named_pipe::{NamedPipeServer, ServerOptions};

pub(crate) type Stream = NamedPipeServer;

pub(crate) struct Listener {
    name: OsString,
    /// Instance for the next client
    next: NamedPipeServer,
}

impl Listener {
    /// Listens as the real agent does (go-winio), with one instance at a time waiting for a client.
    pub(crate) fn bind(socket: &Path) -> io::Result<Self> {
        let name = socket.as_os_str().to_owned();
        let next =
            ServerOptions::new().first_pipe_instance(true).write_owner(true).create(&name)?;
        antrea_cni_windows::own(&next)?;
        Ok(Self { name, next })
    }

    /// Accepts the next connection.
    pub(crate) async fn accept(&mut self) -> io::Result<Stream> {
        self.next.connect().await?;
        let next = ServerOptions::new().write_owner(true).create(&self.name)?;
        antrea_cni_windows::own(&next)?;
        Ok(std::mem::replace(&mut self.next, next))
    }
}

/// Does nothing, because a pipe is removed with its last handle.
pub(crate) fn remove(_: &Path) {}

/// Does not examine the security descriptor of the pipe.
pub(crate) fn is_private(_: &str, _: &Peer) -> Result<(), String> {
    Ok(())
}

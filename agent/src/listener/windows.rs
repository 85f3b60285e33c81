//! A named pipe.

use std::ffi::OsString;
use std::io;
use std::path::Path;

use antrea_cni::grpc::Peer;
use tokio::net::windows::named_pipe::{NamedPipeServer, ServerOptions};

/// One connection.
pub(crate) type Stream = NamedPipeServer;

/// A pipe that is listened on.
pub(crate) struct Listener {
    name: OsString,
    /// The instance that the next client gets
    next: NamedPipeServer,
}

impl Listener {
    /// Listens as the real agent does (go-winio): one instance at a time waits for a client.
    pub(crate) fn bind(socket: &Path) -> io::Result<Self> {
        let name = socket.as_os_str().to_owned();
        let next =
            ServerOptions::new().first_pipe_instance(true).write_owner(true).create(&name)?;
        antrea_cni_windows::own(&next)?;
        Ok(Self { name, next })
    }

    /// The next connection.
    pub(crate) async fn accept(&mut self) -> io::Result<Stream> {
        self.next.connect().await?;
        let next = ServerOptions::new().write_owner(true).create(&self.name)?;
        antrea_cni_windows::own(&next)?;
        Ok(std::mem::replace(&mut self.next, next))
    }
}

/// A pipe goes with its last handle.
pub(crate) fn remove(_: &Path) {}

/// Who else may serve or use a pipe: its security descriptor is not looked at.
pub(crate) fn is_private(_: &str, _: &Peer) -> Result<(), String> {
    Ok(())
}

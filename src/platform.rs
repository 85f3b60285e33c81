//! What differs between the systems that the plugin runs on, but for the socket
//! ([`grpc`](crate::grpc)): standard input and output, files, network namespaces.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
pub(crate) use self::unix::{conf_dir, files, folder, netns, socket_path, stdio};
#[cfg(windows)]
pub(crate) use self::windows::{conf_dir, files, folder, netns, socket_path, stdio};

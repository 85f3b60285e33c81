//! Hides the differences between operating systems: standard input and output, files, and network
//! namespaces. The socket is in [`grpc`](crate::grpc).

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
pub(crate) use self::unix::{conf_dir, files, folder, netns, socket_path, stdio};
#[cfg(windows)]
pub(crate) use self::windows::{conf_dir, files, folder, netns, socket_path, stdio};

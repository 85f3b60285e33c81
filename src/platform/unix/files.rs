// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Opens files that other users may control: never follows a symbolic link, never blocks on a FIFO.

use std::ffi::OsString;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, OFlag};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::stat::{UtimensatFlags, utimensat};
use nix::sys::time::TimeSpec;

/// Returns options that neither follow a symbolic link nor block on a FIFO.
pub(crate) fn no_follow_options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.custom_flags((OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK).bits()).mode(0o600);
    options
}

/// Returns the path of the running program.
///
/// # Errors
/// There is no `/proc`.
pub(crate) fn current_exe() -> io::Result<PathBuf> {
    let mut path = fs::read_link("/proc/self/exe")?.into_os_string().into_vec();
    // The kernel appends this for a program that was replaced after it started.
    if let Some(replaced) = path.strip_suffix(b" (deleted)") {
        path.truncate(replaced.len());
    }
    Ok(OsString::from_vec(path).into())
}

/// Returns the name that the program was started under, which is the configuration's `type`.
pub(crate) fn program_name() -> Option<String> {
    let program = PathBuf::from(std::env::args_os().next()?);
    let name = program.file_name()?;
    name.to_str().map(str::to_owned)
}

/// Returns `FOLDER/.NAME.json` for the program `FOLDER/NAME`.
pub(crate) fn settings_path(program: &Path) -> PathBuf {
    let path = program.as_os_str().as_bytes();
    let start = path.iter().rposition(|byte| *byte == b'/').map_or(0, |slash| slash + 1);
    let folder = path.get(..start).unwrap_or_default();
    let name = path.get(start..).unwrap_or_default();
    OsString::from_vec([folder, b".", name, b".json"].concat()).into()
}

/// Returns the path `SOCKET.EXTENSION` beside a socket.
pub(crate) fn path_beside_socket(socket: &str, extension: &str) -> Option<String> {
    Some([socket, ".", extension].concat())
}

/// Sets the modification time of the file at `path` to now, with one system call. Does not follow a
/// symbolic link.
///
/// # Errors
/// The file does not exist, or belongs to another user.
pub(crate) fn touch(path: &str) -> io::Result<()> {
    let (omit, now) = (TimeSpec::UTIME_OMIT, TimeSpec::UTIME_NOW);
    Ok(utimensat(AT_FDCWD, path, &omit, &now, UtimensatFlags::NoFollowSymlink)?)
}

/// Returns whether an error means that this process has no descriptor left.
pub(crate) fn is_out_of_descriptors(error: &io::Error) -> bool {
    error.raw_os_error() == Some(Errno::EMFILE as i32)
}

/// Returns why a file is not trusted: a foreign owner, or write permission for others.
pub(crate) fn untrusted_reason(_: &File, metadata: &Metadata) -> io::Result<Option<&'static str>> {
    let is_trusted = metadata.uid() == 0 || metadata.uid() == nix::unistd::geteuid().as_raw();
    Ok(if !is_trusted {
        Some("it belongs neither to root nor to the plugin's user")
    } else if metadata.mode() & 0o022 != 0 {
        Some("others than its owner may write it")
    } else {
        None
    })
}

/// Returns the number of names of a file; 0 if it was removed.
pub(crate) fn link_count(_: &File, metadata: &Metadata) -> io::Result<u64> {
    Ok(metadata.nlink())
}

/// Returns whether `path` names this file.
pub(crate) fn is_same_file(file: &File, path: &str) -> bool {
    let identity = |it: Metadata| (it.dev(), it.ino());
    let there = fs::symlink_metadata(path).map(identity).ok();
    there.is_some() && file.metadata().map(identity).ok() == there
}

/// Locks the file at `path` until it is closed.
///
/// # Errors
/// Another process has locked it.
pub(crate) fn lock(file: &File, _: &str) -> io::Result<()> {
    file.try_lock().map_err(|_| ErrorKind::WouldBlock.into())
}

/// Truncates a file to no bytes.
///
/// # Errors
/// The file may not be written.
pub(crate) fn truncate(file: &File, _: &str) -> io::Result<()> {
    file.set_len(0)
}

/// Blocks SIGXFSZ, so that RLIMIT_FSIZE makes write(2) fail instead of killing the process.
pub(crate) fn block_sigxfsz() {
    let _ = SigSet::from(Signal::SIGXFSZ).thread_block();
}

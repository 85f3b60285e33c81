// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Implements the platform functions for Windows, which has no modes. A running program cannot be
//! replaced or deleted, but renamed.

use std::ffi::OsString;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use antrea_cni::grpc;
use tokio::signal::windows::{CtrlC, CtrlClose, CtrlShutdown, ctrl_c, ctrl_close, ctrl_shutdown};

pub(crate) use std::os::windows::fs::symlink_file as symlink;

/// A socket on which no agent listens.
pub(crate) const NO_SOCKET: &str = r"\\.\pipe\antrea-cnictl-nobody";

/// Folder of the CNI plugins in Antrea's manifests.
pub(crate) const BIN_DIR: &str = r"C:\opt\cni\bin";

/// Folder of the network configurations in Antrea's manifests.
pub(crate) const CONF_DIR: &str = r"C:\etc\cni\net.d";

/// ERROR_BAD_EXE_FORMAT: the error for a file that is not a program for this machine.
pub(crate) const NOT_A_PROGRAM: i32 = 193;

/// `STATUS_DLL_NOT_FOUND`.
pub(crate) const NOT_FOUND: i32 = 0xc000_0135_u32.cast_signed();

/// The user whose agent the plugin trusts.
pub(crate) const TRUSTED: &str = "an administrator";

/// The first bytes of a program.
pub(crate) const MAGIC: &[u8] = b"MZ";

const ERROR_ACCESS_DENIED: i32 = 5;
const ERROR_SHARING_VIOLATION: i32 = 32;
const ERROR_DIR_NOT_EMPTY: i32 = 145;

/// Whether a folder with an open file can be renamed.
pub(crate) const RENAMES_FOLDERS_IN_USE: bool = false;

/// Does nothing, because Windows has no process groups.
pub(crate) fn start_in_group(_: &mut tokio::process::Command) {}

/// Does nothing, because Windows has no process groups.
pub(crate) fn end_group(_: Option<u32>) {}

/// Returns the path of the running program.
pub(crate) fn this_program() -> io::Result<PathBuf> {
    std::env::current_exe()
}

/// Returns `true`, because every file may be started.
pub(crate) fn may_run(_: &Metadata) -> bool {
    true
}

/// Returns `None`, because files inherit permissions from their folder and have no mode.
pub(crate) fn mode(_: &Metadata) -> Option<u32> {
    None
}

/// Returns `true`, because files inherit their owner from the process.
pub(crate) fn is_own(_: &Metadata) -> bool {
    true
}

/// Opens a file for reading.
pub(crate) fn open_without_waiting(path: &Path) -> io::Result<File> {
    File::open(path)
}

/// Does nothing, because files have no mode.
pub(crate) fn set_mode(_: &File, _: u32) -> io::Result<()> {
    Ok(())
}

/// Does nothing, because folders have no mode.
pub(crate) fn set_folder_mode(_: &Path, _: u32) -> io::Result<()> {
    Ok(())
}

/// Does nothing, because files inherit permissions from their folder.
pub(crate) fn make_private(_: &mut OpenOptions) {}

/// Does nothing, because files inherit permissions from their folder.
pub(crate) fn copy_owner_and_mode(_: &File, _: &Metadata) {}

/// Returns the identity of a file: its file system, and its number there.
pub(crate) fn identity(file: &File) -> io::Result<(u64, u64)> {
    antrea_cni_windows::identity(file).map(|it| (it.volume.into(), it.index))
}

/// Returns `false`, because [`link`] makes no hard links.
pub(crate) fn is_same(_: &Path, _: &Path) -> bool {
    false
}

/// Makes no hard link, because none of a file's names could be deleted while the program runs.
pub(crate) fn link(_: &Path, _: &Path) -> io::Result<()> {
    Err(ErrorKind::Unsupported.into())
}

/// Makes the content of a file durable.
pub(crate) fn sync(path: &Path) -> io::Result<()> {
    File::options().write(true).open(path)?.sync_all()
}

/// Does nothing, because the file system's journal makes names durable.
pub(crate) fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

/// Calls `put`, which replaces `target`. A running program is renamed first, and renamed back if
/// `put` fails again.
pub(crate) fn replace(target: &Path, mut put: impl FnMut() -> io::Result<()>) -> io::Result<()> {
    match put() {
        Err(error) if is_in_use(&error) => {
            let Ok(away) = rename_away(target) else { return Err(error) };
            put().inspect(|()| drop(fs::remove_file(&away))).inspect_err(|_| {
                let _ = fs::rename(&away, target);
            })
        }
        done => done,
    }
}

/// Removes a file. A running program is renamed, and removed from the disk by the first change
/// after its end.
pub(crate) fn remove_file(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if is_in_use(&error) => rename_away(path).map(drop).map_err(|_| error),
        done => done,
    }
}

/// Renames a file to a name that is cleaned up like temporary files.
fn rename_away(path: &Path) -> io::Result<PathBuf> {
    let mut prefix = OsString::from(".");
    prefix.push(path.file_name().unwrap_or_default());
    prefix.push(".cnictl-old-");
    let folder = path.parent().unwrap_or_else(|| Path::new("."));
    let away = tempfile::Builder::new()
        .prefix(&prefix)
        .suffix(".tmp")
        .make_in(folder, |away| fs::rename(path, away))?;
    away.into_temp_path().keep().map_err(Into::into)
}

/// Returns whether an operation failed because a process uses the file, or a file in the folder.
pub(crate) fn is_in_use(error: &io::Error) -> bool {
    let codes = [ERROR_ACCESS_DENIED, ERROR_SHARING_VIOLATION, ERROR_DIR_NOT_EMPTY];
    error.raw_os_error().is_some_and(|code| codes.contains(&code))
}

/// Returns advice for "permission denied".
pub(crate) fn permission_hint() -> &'static str {
    " (run it as an administrator; if it is one, a program has the file open)"
}

/// Returns `None`, because only an attempt shows whether a file can be created in a folder.
pub(crate) fn refuses_files(_: &Path) -> Option<String> {
    None
}

/// Returns `None`, because a named pipe is not a file.
pub(crate) fn socket_file(_: &str) -> io::Result<Option<(u32, u32, u32)>> {
    Ok(None)
}

/// Returns `None`, because users have no number.
pub(crate) fn user(_: &grpc::Peer) -> Option<u32> {
    None
}

/// Receives Ctrl-C, and the events that end a container.
pub(crate) struct Signals {
    interrupt: CtrlC,
    close: CtrlClose,
    shutdown: CtrlShutdown,
}

impl Signals {
    /// Starts to receive the signals, which then no longer end the process by themselves.
    pub(crate) fn listen() -> io::Result<Self> {
        Ok(Self { interrupt: ctrl_c()?, close: ctrl_close()?, shutdown: ctrl_shutdown()? })
    }

    /// Waits until a signal asks the process to end.
    pub(crate) async fn terminated(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => (),
            _ = self.close.recv() => (),
            _ = self.shutdown.recv() => (),
        }
    }
}

// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Implements the platform functions for Unix.

use std::fs::{self, File, Metadata, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

use antrea_cni::grpc;
use nix::fcntl::OFlag;
use nix::unistd::{AccessFlags, access, geteuid};
use tokio::signal::unix::{Signal, SignalKind, signal};

pub(crate) use std::os::unix::fs::symlink;

/// A socket on which no agent listens.
pub(crate) const NO_SOCKET: &str = "/nonexistent/antrea-cnictl.sock";

/// A log that cannot be written.
pub(crate) const NO_LOG: &str = "/nonexistent/antrea-cnictl.log";

/// Default folder of the CNI plugins.
pub(crate) const BIN_DIR: &str = "/opt/cni/bin";

/// Default folder of the network configurations.
pub(crate) const CONF_DIR: &str = "/etc/cni/net.d";

/// ENOEXEC: the kernel's error for a file that is not a program for this machine.
pub(crate) const NOT_A_PROGRAM: i32 = 8;

/// Exit status of a dynamic loader, env or shell that does not find a file.
pub(crate) const NOT_FOUND: i32 = 127;

/// The user whose agent the plugin trusts.
pub(crate) const TRUSTED: &str = "root";

/// The first bytes of a program.
pub(crate) const MAGIC: &[u8] = b"\x7fELF";

/// Whether a folder with an open file can be renamed.
pub(crate) const RENAMES_FOLDERS_IN_USE: bool = true;

/// Makes a command start in its own process group.
pub(crate) fn start_in_group(command: &mut tokio::process::Command) {
    command.process_group(0);
}

/// Ends the processes that are left in a process group.
pub(crate) fn end_group(leader: Option<u32>) {
    if let Some(leader) = leader {
        let group = nix::unistd::Pid::from_raw(leader.cast_signed());
        let _ = nix::sys::signal::killpg(group, nix::sys::signal::Signal::SIGKILL);
    }
}

/// Returns the path of the running program, which is valid also after its file was replaced.
pub(crate) fn this_program() -> io::Result<PathBuf> {
    Ok("/proc/self/exe".into())
}

pub(crate) fn may_run(file: &Metadata) -> bool {
    file.permissions().mode() & 0o111 != 0
}

pub(crate) fn mode(file: &Metadata) -> Option<u32> {
    Some(file.mode() & 0o7777)
}

/// Returns whether a file belongs to the tool's user.
pub(crate) fn is_own(file: &Metadata) -> bool {
    file.uid() == geteuid().as_raw()
}

/// Opens a file for reading. Without O_NONBLOCK the kernel waits for the writer of a FIFO.
pub(crate) fn open_without_waiting(path: &Path) -> io::Result<File> {
    File::options().read(true).custom_flags(OFlag::O_NONBLOCK.bits()).open(path)
}

pub(crate) fn set_mode(file: &File, mode: u32) -> io::Result<()> {
    file.set_permissions(Permissions::from_mode(mode))
}

/// Sets the mode of a folder. Does not follow a symbolic link.
pub(crate) fn set_folder_mode(path: &Path, mode: u32) -> io::Result<()> {
    let flags = (OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW).bits();
    set_mode(&File::options().read(true).custom_flags(flags).open(path)?, mode)
}

/// Makes created files accessible only to their owner.
pub(crate) fn make_private(options: &mut OpenOptions) {
    options.mode(0o600);
}

/// Gives a file the owner and the mode of another, as far as the kernel permits.
pub(crate) fn copy_owner_and_mode(file: &File, of: &Metadata) {
    // Without the capability CHOWN the file stays with the tool's user.
    let _ = fchown(file, Some(of.uid()), Some(of.gid()));
    // chown(2) clears the set-user-ID and set-group-ID bits.
    let _ = set_mode(file, of.mode() & 0o7777);
}

/// Returns the identity of a file: its file system, and its number there.
pub(crate) fn identity(file: &File) -> io::Result<(u64, u64)> {
    file.metadata().map(|it| (it.dev(), it.ino()))
}

/// Returns whether two paths are hard links to one file. Symbolic links are not followed.
pub(crate) fn is_same(one: &Path, other: &Path) -> bool {
    let inode = |path| fs::symlink_metadata(path).map(|it| (it.dev(), it.ino())).ok();
    inode(one).is_some_and(|it| inode(other) == Some(it))
}

pub(crate) fn link(from: &Path, to: &Path) -> io::Result<()> {
    fs::hard_link(from, to)
}

/// Makes the content of a file durable.
pub(crate) fn sync(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Makes the names in a folder durable.
pub(crate) fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Calls `put`, which replaces `target`. A running program can be replaced.
pub(crate) fn replace(_: &Path, mut put: impl FnMut() -> io::Result<()>) -> io::Result<()> {
    put()
}

/// Removes a file, which may be a running program.
pub(crate) fn remove_file(path: &Path) -> io::Result<()> {
    fs::remove_file(path)
}

/// Returns whether an operation failed because a process uses the file, or a file in the folder.
pub(crate) fn is_in_use(_: &io::Error) -> bool {
    false
}

/// Returns advice for "permission denied".
pub(crate) fn permission_hint() -> &'static str {
    match geteuid().is_root() {
        true => {
            " (it belongs to another user, and root needs the capability DAC_OVERRIDE for it: add that to the container)"
        }
        false => " (run it as root)",
    }
}

/// Returns why no file can be created in a folder.
pub(crate) fn refuses_files(folder: &Path) -> Option<String> {
    access(folder, AccessFlags::W_OK).err().map(|errno| errno.desc().to_owned())
}

/// Returns owner, group and mode of a socket's file.
///
/// # Errors
/// The file does not exist.
pub(crate) fn socket_file(path: &str) -> io::Result<Option<(u32, u32, u32)>> {
    let file = fs::metadata(path)?;
    Ok(Some((file.uid(), file.gid(), file.mode() & 0o7777)))
}

/// Returns the user of the process behind a connection.
pub(crate) fn user(peer: &grpc::Peer) -> Option<u32> {
    Some(peer.uid)
}

/// Receives SIGTERM and SIGINT, for which the first process of a container has no default action.
pub(crate) struct Signals {
    term: Signal,
    int: Signal,
}

impl Signals {
    /// Starts to receive the signals, which then no longer end the process by themselves.
    pub(crate) fn listen() -> io::Result<Self> {
        Ok(Self { term: signal(SignalKind::terminate())?, int: signal(SignalKind::interrupt())? })
    }

    /// Waits until a signal asks the process to end.
    pub(crate) async fn terminated(&mut self) {
        tokio::select! {
            _ = self.term.recv() => (),
            _ = self.int.recv() => (),
        }
    }
}

//! Unix.

use std::fs::{self, File, Metadata, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

use antrea_cni::grpc;
use nix::fcntl::OFlag;
use nix::unistd::{AccessFlags, access, geteuid};
use tokio::signal::unix::{Signal, SignalKind, signal};

pub(crate) use std::os::unix::fs::symlink;

/// Where no agent listens.
pub(crate) const NO_SOCKET: &str = "/nonexistent/antrea-cnictl.sock";

/// Where the CNI plugins are.
pub(crate) const BIN_DIR: &str = "/opt/cni/bin";

/// Where the network configuration lists are.
pub(crate) const CONF_DIR: &str = "/etc/cni/net.d";

/// ENOEXEC: what the kernel says of a program for another machine, and of what is none.
pub(crate) const NOT_A_PROGRAM: i32 = 8;

/// Exit status of a dynamic loader, env or shell that does not find what it needs.
pub(crate) const NOT_FOUND: i32 = 127;

/// Whose agent the plugin talks to.
pub(crate) const TRUSTED: &str = "root";

/// What a program begins with.
pub(crate) const MAGIC: &[u8] = b"\x7fELF";

/// Whether a folder can be renamed while a file in it is open.
pub(crate) const RENAMES_FOLDERS_IN_USE: bool = true;

/// Starts a program in a process group of its own.
pub(crate) fn in_a_group(command: &mut tokio::process::Command) {
    command.process_group(0);
}

/// Ends what is left of the group of a program that was started in one.
pub(crate) fn end_group(leader: Option<u32>) {
    if let Some(leader) = leader {
        let group = nix::unistd::Pid::from_raw(leader.cast_signed());
        let _ = nix::sys::signal::killpg(group, nix::sys::signal::Signal::SIGKILL);
    }
}

/// The program that is running, also when it has been replaced.
pub(crate) fn this_program() -> io::Result<PathBuf> {
    Ok("/proc/self/exe".into())
}

/// Whether a file may be started.
pub(crate) fn may_run(file: &Metadata) -> bool {
    file.permissions().mode() & 0o111 != 0
}

/// The mode of a file.
pub(crate) fn mode(file: &Metadata) -> Option<u32> {
    Some(file.mode() & 0o7777)
}

/// Sets the mode of an open file.
pub(crate) fn set_mode(file: &File, mode: u32) -> io::Result<()> {
    file.set_permissions(Permissions::from_mode(mode))
}

/// Sets the mode of a folder, and of nothing that a link leads to.
pub(crate) fn set_folder_mode(path: &Path, mode: u32) -> io::Result<()> {
    let flags = (OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW).bits();
    set_mode(&File::options().read(true).custom_flags(flags).open(path)?, mode)
}

/// Makes a file that is created nobody else's.
pub(crate) fn for_us_alone(options: &mut OpenOptions) {
    options.mode(0o600);
}

/// Gives a file the owner and the mode of another, as far as that is allowed.
pub(crate) fn adopt(file: &File, of: &Metadata) {
    // Without the capability for it, the file is ours.
    let _ = fchown(file, Some(of.uid()), Some(of.gid()));
    // Changing the owner clears bits of the mode.
    let _ = set_mode(file, of.mode() & 0o7777);
}

/// What tells a file from all others.
pub(crate) fn identity(file: &File) -> io::Result<(u64, u64)> {
    file.metadata().map(|it| (it.dev(), it.ino()))
}

/// Whether two paths are names of one file. A link is no name of what it leads to.
pub(crate) fn is_same(one: &Path, other: &Path) -> bool {
    let inode = |path| fs::symlink_metadata(path).map(|it| (it.dev(), it.ino())).ok();
    inode(one).is_some_and(|it| inode(other) == Some(it))
}

/// Makes a second name for a file.
pub(crate) fn link(from: &Path, to: &Path) -> io::Result<()> {
    fs::hard_link(from, to)
}

/// Makes what is in a file durable.
pub(crate) fn sync(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Makes the names in a folder durable.
pub(crate) fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Puts something in the place of `target`: a program that runs is not in the way.
pub(crate) fn replace(_: &Path, mut put: impl FnMut() -> io::Result<()>) -> io::Result<()> {
    put()
}

/// Removes a file, which may be a program that runs.
pub(crate) fn remove_file(path: &Path) -> io::Result<()> {
    fs::remove_file(path)
}

/// Whether a file, or a folder with one in it, cannot be moved or removed as long as
/// somebody uses it.
pub(crate) fn is_in_use(_: &io::Error) -> bool {
    false
}

/// What helps where something is not permitted.
pub(crate) fn permission_hint() -> &'static str {
    match geteuid().is_root() {
        true => {
            " (it belongs to another user, and root needs the capability DAC_OVERRIDE for it: add that to the container)"
        }
        false => " (run it as root)",
    }
}

/// Why no file can be made in a folder.
pub(crate) fn refuses_files(folder: &Path) -> Option<String> {
    access(folder, AccessFlags::W_OK).err().map(|errno| errno.desc().to_owned())
}

/// Owner, group and mode of a socket, which is a file.
///
/// # Errors
/// There is none.
pub(crate) fn socket_file(path: &str) -> io::Result<Option<(u32, u32, u32)>> {
    let file = fs::metadata(path)?;
    Ok(Some((file.uid(), file.gid(), file.mode() & 0o7777)))
}

/// The user of the process behind a connection.
pub(crate) fn user(peer: &grpc::Peer) -> Option<u32> {
    Some(peer.uid)
}

/// SIGTERM and SIGINT. The first process of a container has no default action for them.
pub(crate) struct Signals {
    term: Signal,
    int: Signal,
}

impl Signals {
    /// From now on the signals end nothing by themselves.
    pub(crate) fn listen() -> io::Result<Self> {
        Ok(Self { term: signal(SignalKind::terminate())?, int: signal(SignalKind::interrupt())? })
    }

    /// Until the process is asked to end.
    pub(crate) async fn terminated(&mut self) {
        tokio::select! {
            _ = self.term.recv() => (),
            _ = self.int.recv() => (),
        }
    }
}

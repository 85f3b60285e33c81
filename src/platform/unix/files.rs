//! Files that others may have put there: no link is followed, and nobody is waited for.

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

/// Options that neither follow a link nor wait for somebody at a pipe's other end.
pub(crate) fn no_follow_options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.custom_flags((OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK).bits()).mode(0o600);
    options
}

/// The path of the program that is running.
///
/// # Errors
/// Where there is no `/proc`.
pub(crate) fn current_exe() -> io::Result<PathBuf> {
    let mut path = fs::read_link("/proc/self/exe")?.into_os_string().into_vec();
    // The kernel says so of a program that was replaced after it was started.
    if let Some(replaced) = path.strip_suffix(b" (deleted)") {
        path.truncate(replaced.len());
    }
    Ok(OsString::from_vec(path).into())
}

/// Returns the name that the program was started under, which is the `type` of the
/// configuration.
pub(crate) fn program_name() -> Option<String> {
    let program = PathBuf::from(std::env::args_os().next()?);
    let name = program.file_name()?;
    name.to_str().map(str::to_owned)
}

/// `FOLDER/.NAME.json` for the program `FOLDER/NAME`.
pub(crate) fn settings_path(program: &Path) -> PathBuf {
    let path = program.as_os_str().as_bytes();
    let start = path.iter().rposition(|byte| *byte == b'/').map_or(0, |slash| slash + 1);
    let folder = path.get(..start).unwrap_or_default();
    let name = path.get(start..).unwrap_or_default();
    OsString::from_vec([folder, b".", name, b".json"].concat()).into()
}

/// The path of what belongs to a socket: `SOCKET.EXTENSION`, beside it.
pub(crate) fn path_beside_socket(socket: &str, extension: &str) -> Option<String> {
    Some([socket, ".", extension].concat())
}

/// Gives the file at `path` the time of now, with one system call. Follows no link.
///
/// # Errors
/// It is not there, or is another user's.
pub(crate) fn touch(path: &str) -> io::Result<()> {
    let (omit, now) = (TimeSpec::UTIME_OMIT, TimeSpec::UTIME_NOW);
    Ok(utimensat(AT_FDCWD, path, &omit, &now, UtimensatFlags::NoFollowSymlink)?)
}

/// Whether an error is of this process, which has no descriptor left, and not of a file.
pub(crate) fn is_out_of_descriptors(error: &io::Error) -> bool {
    error.raw_os_error() == Some(Errno::EMFILE as i32)
}

/// What lets others than root and our own user write a file.
///
/// # Errors
/// None.
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

/// How many names a file has. None is left of one that was removed.
///
/// # Errors
/// None.
pub(crate) fn link_count(_: &File, metadata: &Metadata) -> io::Result<u64> {
    Ok(metadata.nlink())
}

/// Whether `path` is a name of a file.
pub(crate) fn is_same_file(file: &File, path: &str) -> bool {
    let ours = file.metadata().map(|it| it.ino());
    fs::symlink_metadata(path).is_ok_and(|there| ours.is_ok_and(|ours| ours == there.ino()))
}

/// Locks a file, which is at `path`, until it is closed.
///
/// # Errors
/// Another process has locked it.
pub(crate) fn lock(file: &File, _: &str) -> io::Result<()> {
    file.try_lock().map_err(|_| ErrorKind::WouldBlock.into())
}

/// Empties a file.
///
/// # Errors
/// It may not be written.
pub(crate) fn truncate(file: &File, _: &str) -> io::Result<()> {
    file.set_len(0)
}

/// Makes a limit of file sizes an error of the write, and not the end of us.
pub(crate) fn block_sigxfsz() {
    let _ = SigSet::from(Signal::SIGXFSZ).thread_block();
}

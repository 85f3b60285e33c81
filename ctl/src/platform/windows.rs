//! Windows. It has no modes, and lets nobody replace or delete a program that runs, but
//! rename it.

use std::ffi::OsString;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use antrea_cni::grpc;
use tokio::signal::windows::{CtrlC, CtrlClose, CtrlShutdown, ctrl_c, ctrl_close, ctrl_shutdown};

pub(crate) use std::os::windows::fs::symlink_file as symlink;

/// Where no agent listens.
pub(crate) const NO_SOCKET: &str = r"\\.\pipe\antrea-cnictl-nobody";

/// Where the CNI plugins are, by Antrea's manifests.
pub(crate) const BIN_DIR: &str = r"C:\opt\cni\bin";

/// Where the network configuration lists are, by Antrea's manifests.
pub(crate) const CONF_DIR: &str = r"C:\etc\cni\net.d";

/// ERROR_BAD_EXE_FORMAT: what the system says of a program for another machine, and of
/// what is none.
pub(crate) const NOT_A_PROGRAM: i32 = 193;

/// `STATUS_DLL_NOT_FOUND`.
pub(crate) const NOT_FOUND: i32 = 0xc000_0135_u32.cast_signed();

/// Whose agent the plugin talks to.
pub(crate) const TRUSTED: &str = "an administrator";

/// What a program begins with.
pub(crate) const MAGIC: &[u8] = b"MZ";

const ERROR_ACCESS_DENIED: i32 = 5;
const ERROR_SHARING_VIOLATION: i32 = 32;
const ERROR_DIR_NOT_EMPTY: i32 = 145;

/// Whether a folder can be renamed while a file in it is open.
pub(crate) const RENAMES_FOLDERS_IN_USE: bool = false;

/// There are no process groups.
pub(crate) fn in_a_group(_: &mut tokio::process::Command) {}

/// There are no process groups.
pub(crate) fn end_group(_: Option<u32>) {}

/// The program that is running.
pub(crate) fn this_program() -> io::Result<PathBuf> {
    std::env::current_exe()
}

/// Whether a file may be started: any may.
pub(crate) fn may_run(_: &Metadata) -> bool {
    true
}

/// The mode of a file: it has none, and what its folder hands down counts.
pub(crate) fn mode(_: &Metadata) -> Option<u32> {
    None
}

/// Files have no mode.
pub(crate) fn set_mode(_: &File, _: u32) -> io::Result<()> {
    Ok(())
}

/// Folders have no mode.
pub(crate) fn set_folder_mode(_: &Path, _: u32) -> io::Result<()> {
    Ok(())
}

/// Makes a file that is created nobody else's: it is whose its folder is.
pub(crate) fn for_us_alone(_: &mut OpenOptions) {}

/// Gives a file the owner and the mode of another: it has those of its folder.
pub(crate) fn adopt(_: &File, _: &Metadata) {}

/// What tells a file from all others.
pub(crate) fn identity(file: &File) -> io::Result<(u64, u64)> {
    antrea_cni_windows::identity(file).map(|it| (it.volume.into(), it.index))
}

/// Whether two paths are names of one file: never, as [`link`] makes none.
pub(crate) fn is_same(_: &Path, _: &Path) -> bool {
    false
}

/// Makes a second name for a file. None of them could be deleted while one runs.
pub(crate) fn link(_: &Path, _: &Path) -> io::Result<()> {
    Err(ErrorKind::Unsupported.into())
}

/// Makes what is in a file durable.
pub(crate) fn sync(path: &Path) -> io::Result<()> {
    File::options().write(true).open(path)?.sync_all()
}

/// Makes the names in a folder durable: the file system's journal does.
pub(crate) fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

/// Puts something in the place of `target`. A program that runs there is renamed away,
/// and back if that does not help.
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

/// Removes a file, which may be a program that runs: it is gone from its name then, and
/// from the disk at the next change after its end.
pub(crate) fn remove_file(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if is_in_use(&error) => rename_away(path).map(drop).map_err(|_| error),
        done => done,
    }
}

/// Under a name that is cleaned up as those of temporary files are.
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

/// Whether a file, or a folder with one in it, cannot be moved or removed as long as
/// somebody uses it.
pub(crate) fn is_in_use(error: &io::Error) -> bool {
    let codes = [ERROR_ACCESS_DENIED, ERROR_SHARING_VIOLATION, ERROR_DIR_NOT_EMPTY];
    error.raw_os_error().is_some_and(|code| codes.contains(&code))
}

/// What helps where something is not permitted.
pub(crate) fn permission_hint() -> &'static str {
    " (run it as an administrator; if it is one, a program has the file open)"
}

/// Why no file can be made in a folder: nothing but an attempt tells.
pub(crate) fn refuses_files(_: &Path) -> Option<String> {
    None
}

/// Owner, group and mode of a socket, where it is a file: a pipe is none.
pub(crate) fn socket_file(_: &str) -> io::Result<Option<(u32, u32, u32)>> {
    Ok(None)
}

/// The user of the process behind a connection: it has no number.
pub(crate) fn user(_: &grpc::Peer) -> Option<u32> {
    None
}

/// Ctrl-C, and what ends a container.
pub(crate) struct Signals {
    interrupt: CtrlC,
    close: CtrlClose,
    shutdown: CtrlShutdown,
}

impl Signals {
    /// From now on the signals end nothing by themselves.
    pub(crate) fn listen() -> io::Result<Self> {
        Ok(Self { interrupt: ctrl_c()?, close: ctrl_close()?, shutdown: ctrl_shutdown()? })
    }

    /// Until the process is asked to end.
    pub(crate) async fn terminated(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => (),
            _ = self.close.recv() => (),
            _ = self.shutdown.recv() => (),
        }
    }
}

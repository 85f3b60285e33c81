//! Files that others may have put there: no link is followed.

use std::ffi::OsString;
use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::windows::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use antrea_cni_windows::{create_private_folder, identity, owner_is_trusted};

/// Opens a link itself, and not what it leads to.
const FILE_FLAG_OPEN_REPARSE_POINT: u32 = 0x0020_0000;

/// Lets a folder be opened.
const FILE_FLAG_BACKUP_SEMANTICS: u32 = 0x0200_0000;

/// The plugin's own folder.
const FOLDER: &str = r"C:\ProgramData\antrea-cni";

/// Options that do not follow a link.
pub(crate) fn no_follow_options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.custom_flags(FILE_FLAG_OPEN_REPARSE_POINT);
    options
}

/// The path of the program that is running.
///
/// # Errors
/// The system does not tell.
pub(crate) fn current_exe() -> io::Result<PathBuf> {
    std::env::current_exe()
}

/// Returns the name that the program was started under, which is the `type` of the
/// configuration.
pub(crate) fn program_name() -> Option<String> {
    let program = PathBuf::from(std::env::args_os().next()?);
    let name = program.file_stem()?;
    name.to_str().map(str::to_owned)
}

/// `FOLDER\.NAME.json` for the program `FOLDER\NAME.exe`.
pub(crate) fn settings_path(program: &Path) -> PathBuf {
    let is_exe = program.extension().is_some_and(|it| it.eq_ignore_ascii_case("exe"));
    let name = if is_exe { program.file_stem() } else { program.file_name() };
    let mut file = OsString::from(".");
    file.push(name.unwrap_or_default());
    file.push(".json");
    program.with_file_name(file)
}

/// The path of what belongs to a pipe: nothing can stand beside it, so it is in the plugin's
/// own folder, if that is nobody else's.
pub(crate) fn path_beside_socket(socket: &str, extension: &str) -> Option<String> {
    let folder = Path::new(FOLDER);
    create_private_folder(folder).ok()?;
    let is_ours = is_private_folder(folder).ok()?;
    let name = socket.rsplit('\\').next().unwrap_or_default();
    is_ours.then(|| format!(r"{FOLDER}\{name}.{extension}"))
}

/// Whether the folder at `path` is nobody else's, and no link.
///
/// # Errors
/// It is not there, or cannot be looked at.
pub(crate) fn is_private_folder(path: &Path) -> io::Result<bool> {
    let flags = FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_OPEN_REPARSE_POINT;
    let opened = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    Ok(opened.metadata()?.is_dir() && owner_is_trusted(&opened)?)
}

/// Gives the file at `path` the time of now.
///
/// # Errors
/// It is not there, or is another user's.
pub(crate) fn touch(path: &str) -> io::Result<()> {
    no_follow_options().write(true).open(path)?.set_modified(SystemTime::now())
}

/// Whether an error is of this process, and not of a file: there is no such limit.
pub(crate) fn is_out_of_descriptors(_: &io::Error) -> bool {
    false
}

/// What lets others than the administrators and our own user write a file: its owner may
/// always.
///
/// # Errors
/// The file may not be looked at.
pub(crate) fn untrusted_reason(file: &File, _: &Metadata) -> io::Result<Option<&'static str>> {
    let why = "it belongs neither to the administrators nor to the plugin's user";
    Ok((!owner_is_trusted(file)?).then_some(why))
}

/// How many names a file has.
///
/// # Errors
/// The file system does not tell.
pub(crate) fn link_count(file: &File, _: &Metadata) -> io::Result<u64> {
    Ok(identity(file)?.names.into())
}

/// Whether `path` is a name of a file.
pub(crate) fn is_same_file(file: &File, path: &str) -> bool {
    let there = no_follow_options().read(true).open(path).and_then(|there| identity(&there));
    there.is_ok_and(|there| identity(file).is_ok_and(|ours| ours == there))
}

/// Locks what is at `path`, until the file that this gives is closed. One that is open for
/// appending cannot be locked itself.
///
/// # Errors
/// Another process has locked it.
pub(crate) fn lock(_: &File, path: &str) -> io::Result<File> {
    let lock = no_follow_options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(format!("{path}.lock"))?;
    lock.try_lock().map_err(|_| io::Error::from(ErrorKind::WouldBlock))?;
    Ok(lock)
}

/// Empties a file, which is at `path`.
///
/// # Errors
/// It may not be written.
pub(crate) fn truncate(_: &File, path: &str) -> io::Result<()> {
    no_follow_options().write(true).truncate(true).open(path).map(drop)
}

/// There is no limit of file sizes.
pub(crate) fn block_sigxfsz() {}

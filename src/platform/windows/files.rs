// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Opens files that other users may control: never follows a link.

use std::ffi::OsString;
use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::windows::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use antrea_cni_windows::{create_private_folder, identity, owner_is_trusted};

/// Opens a link itself, and not its target.
const FILE_FLAG_OPEN_REPARSE_POINT: u32 = 0x0020_0000;

/// Allows a folder to be opened.
const FILE_FLAG_BACKUP_SEMANTICS: u32 = 0x0200_0000;

/// The plugin's own folder.
const FOLDER: &str = r"C:\ProgramData\antrea-cni";

/// Returns options that do not follow a link.
pub(crate) fn no_follow_options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.custom_flags(FILE_FLAG_OPEN_REPARSE_POINT);
    options
}

/// Returns the path of the running program.
///
/// # Errors
/// Windows does not tell it.
pub(crate) fn current_exe() -> io::Result<PathBuf> {
    std::env::current_exe()
}

/// Returns the name that the program was started under, which is the configuration's `type`.
pub(crate) fn program_name() -> Option<String> {
    let program = PathBuf::from(std::env::args_os().next()?);
    let name = program.file_stem()?;
    name.to_str().map(str::to_owned)
}

/// Returns `FOLDER\.NAME.json` for the program `FOLDER\NAME.exe`.
pub(crate) fn settings_path(program: &Path) -> PathBuf {
    let is_exe = program.extension().is_some_and(|it| it.eq_ignore_ascii_case("exe"));
    let name = if is_exe { program.file_stem() } else { program.file_name() };
    let mut file = OsString::from(".");
    file.push(name.unwrap_or_default());
    file.push(".json");
    program.with_file_name(file)
}

/// Returns the path of a file that belongs to a pipe. No file can be beside a pipe, so it is in the
/// plugin's own folder, if no other user owns that.
pub(crate) fn path_beside_socket(socket: &str, extension: &str) -> Option<String> {
    let folder = Path::new(FOLDER);
    create_private_folder(folder).ok()?;
    let is_ours = is_private_folder(folder).ok()?;
    let name = socket.rsplit('\\').next().unwrap_or_default();
    is_ours.then(|| format!(r"{FOLDER}\{name}.{extension}"))
}

/// Returns whether the folder at `path` belongs to no other user and is not a link.
///
/// # Errors
/// The folder does not exist, or cannot be examined.
pub(crate) fn is_private_folder(path: &Path) -> io::Result<bool> {
    let flags = FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_OPEN_REPARSE_POINT;
    let opened = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    Ok(opened.metadata()?.is_dir() && owner_is_trusted(&opened)?)
}

/// Sets the modification time of the file at `path` to now.
///
/// # Errors
/// The file does not exist, or belongs to another user.
pub(crate) fn touch(path: &str) -> io::Result<()> {
    no_follow_options().write(true).open(path)?.set_modified(SystemTime::now())
}

/// Returns `false`: Windows has no limit of descriptors.
pub(crate) fn is_out_of_descriptors(_: &io::Error) -> bool {
    false
}

/// Returns why a file is not trusted: a foreign owner, who may always write it.
///
/// # Errors
/// The file cannot be examined.
pub(crate) fn untrusted_reason(file: &File, _: &Metadata) -> io::Result<Option<&'static str>> {
    let why = "it belongs neither to the administrators nor to the plugin's user";
    Ok((!owner_is_trusted(file)?).then_some(why))
}

/// Returns the number of names of a file.
///
/// # Errors
/// The file system does not tell.
pub(crate) fn link_count(file: &File, _: &Metadata) -> io::Result<u64> {
    Ok(identity(file)?.names.into())
}

/// Returns whether `path` names this file.
pub(crate) fn is_same_file(file: &File, path: &str) -> bool {
    let there = no_follow_options().read(true).open(path).and_then(|there| identity(&there));
    there.is_ok_and(|there| identity(file).is_ok_and(|ours| ours == there))
}

/// Locks what is at `path`, until the returned file is closed. A file that is open for appending
/// cannot be locked itself.
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

/// Truncates the file at `path` to no bytes.
///
/// # Errors
/// The file may not be written.
pub(crate) fn truncate(_: &File, path: &str) -> io::Result<()> {
    no_follow_options().write(true).truncate(true).open(path).map(drop)
}

/// Does nothing: Windows has no limit of file sizes.
pub(crate) fn block_sigxfsz() {}

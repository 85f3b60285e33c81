// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Writes, moves and removes files so that a crash leaves the old or the new file, never a part.

use std::ffi::OsStr;
use std::fs::{self, File, FileTimes, Metadata};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use tempfile::TempPath;

use crate::error::Error;
use crate::platform;

/// Returns prefix and suffix of temporary files. No container runtime reads such a name as a
/// configuration.
fn temporary_name(name: &str) -> (String, &'static str) {
    (format!(".{name}.cnictl-"), ".tmp")
}

/// Writes and closes a temporary file beside `target`. It is durable only after [`sync`].
pub(crate) fn prepare(target: &Path, bytes: &[u8], mode: u32) -> Result<TempPath, Error> {
    prepare_with(target, bytes, |file| platform::set_mode(file, mode))
}

/// Does the same as [`prepare`], and calls `finish` with the open file. A path would not be safe,
/// because the owner of the folder can replace the file by a symbolic link at any moment.
fn prepare_with(
    target: &Path,
    bytes: &[u8],
    finish: impl FnOnce(&File) -> io::Result<()>,
) -> Result<TempPath, Error> {
    let (folder, name) = split(target);
    let (prefix, suffix) = temporary_name(&name);
    let mut file = tempfile::Builder::new()
        .prefix(&prefix)
        .suffix(suffix)
        .tempfile_in(folder)
        .map_err(Error::file("create a file in", folder))?;
    file.write_all(bytes)
        .and_then(|()| finish(file.as_file()))
        .map_err(Error::file("write to", folder))?;
    Ok(file.into_temp_path())
}

/// Replaces `target` by a prepared file, atomically.
pub(crate) fn publish(prepared: TempPath, target: &Path) -> Result<(), Error> {
    let mut prepared = Some(prepared);
    let persist = || match prepared.take().map(|it| it.persist(target)) {
        Some(Err(refused)) => {
            prepared = Some(refused.path);
            Err(refused.error)
        }
        _ => Ok(()),
    };
    platform::replace(target, persist).map_err(Error::file("replace", target))
}

/// Writes the file that a person named for an answer: atomically, and through a link to a file. What
/// is there and is no regular file, such as a pipe or a terminal, is written to, as a shell's
/// redirection does, and never replaced.
///
/// # Errors
/// The file cannot be written. A regular file that was there before stays.
pub fn write_answer(target: &Path, bytes: &[u8], mode: u32) -> Result<(), Error> {
    match fs::metadata(target) {
        Ok(there) if there.is_file() => {
            let target = target.canonicalize().map_err(Error::file("find", target))?;
            write(&target, bytes, mode)
        }
        Ok(there) if !there.is_dir() => {
            let file = File::options().write(true).open(target);
            let written = file.and_then(|mut file| file.write_all(bytes));
            written.map_err(Error::file("write to", target))
        }
        _ => write(target, bytes, mode),
    }
}

/// Writes a file atomically and durably.
pub(crate) fn write(target: &Path, bytes: &[u8], mode: u32) -> Result<(), Error> {
    let prepared = prepare_with(target, bytes, |file| {
        platform::set_mode(file, mode)?;
        file.sync_all()
    })?;
    publish(prepared, target)?;
    sync_folder(target)
}

/// Makes the content of a file durable.
pub(crate) fn sync(path: &Path) -> Result<(), Error> {
    platform::sync(path).map_err(Error::file("sync", path))
}

/// Makes `to` a hard link to the file `from`, which needs no space on a full disk. Makes a copy if
/// that fails.
pub(crate) fn link_or_copy(from: &Path, to: &Path) -> Result<(), Error> {
    if platform::is_same(from, to) {
        return Ok(());
    }
    let (folder, name) = split(to);
    let (prefix, suffix) = temporary_name(&name);
    let linked = tempfile::Builder::new()
        .prefix(&prefix)
        .suffix(suffix)
        .make_in(folder, |path| platform::link(from, path));
    match linked {
        Ok(linked) => publish(linked.into_temp_path(), to),
        Err(_) => copy(from, to),
    }
}

/// Moves the file `from` to `to`, which may be on another file system.
pub(crate) fn move_to(from: &Path, to: &Path) -> Result<(), Error> {
    match platform::replace(to, || fs::rename(from, to)) {
        Ok(()) => {
            // rename(2) does nothing if both are hard links to one file.
            remove(from)?;
            sync_folder(to)
        }
        Err(error) if error.kind() == io::ErrorKind::CrossesDevices => {
            copy(from, to)?;
            remove(from).map(drop)
        }
        Err(error) => Err(Error::file("rename", from)(error)),
    }
}

/// Replaces `to` by a copy of the file `from`. A symbolic link stays one.
fn copy(from: &Path, to: &Path) -> Result<(), Error> {
    let metadata = fs::symlink_metadata(from).map_err(Error::file("read", from))?;
    if metadata.is_symlink() {
        let link = fs::read_link(from).map_err(Error::file("read", from))?;
        let (folder, name) = split(to);
        let (prefix, suffix) = temporary_name(&name);
        let made = tempfile::Builder::new()
            .prefix(&prefix)
            .suffix(suffix)
            .make_in(folder, |path| platform::symlink(&link, path))
            .map_err(Error::file("create a link in", folder))?;
        return publish(made.into_temp_path(), to);
    }
    let bytes = read_regular(from).map_err(Error::file("read", from))?;
    let prepared = prepare_with(to, &bytes, |file| {
        platform::set_mode(file, platform::mode(&metadata).unwrap_or(0o600))?;
        platform::copy_owner_and_mode(file, &metadata);
        let _ = copy_times(file, &metadata);
        Ok(())
    })?;
    publish(prepared, to)
}

fn copy_times(file: &File, as_of: &Metadata) -> io::Result<()> {
    let times = FileTimes::new().set_modified(as_of.modified()?).set_accessed(as_of.accessed()?);
    file.set_times(times)
}

/// Removes a file or folder. Returns whether it existed.
pub(crate) fn remove(path: &Path) -> Result<bool, Error> {
    let removed = match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_dir() => fs::remove_dir_all(path),
        Ok(_) => platform::remove_file(path),
        Err(error) => Err(error),
    };
    match removed {
        Ok(()) => sync_folder(path).map(|()| true),
        Err(error) if is_absent(&error) => Ok(false),
        Err(error) => Err(Error::file("remove", path)(error)),
    }
}

/// Moves a file within its folder.
pub(crate) fn rename(from: &Path, to: &Path) -> Result<(), Error> {
    platform::replace(to, || fs::rename(from, to)).map_err(Error::file("rename", from))?;
    // rename(2) does nothing if both are hard links to one file.
    remove(from)?;
    sync_folder(to)
}

/// Most bytes of a file that is read as a whole: more than each program and each log has.
const MAX_BYTES: u64 = 2 << 30;

/// Opens a regular file for reading. A FIFO or a device in its place would never end, and a keeper
/// that waits for one keeps nothing.
///
/// # Errors
/// The file cannot be opened, or is no regular file.
pub(crate) fn open_regular(path: &Path) -> io::Result<File> {
    let file = platform::open_without_waiting(path)?;
    match file.metadata()?.is_file() {
        true => Ok(file),
        false => Err(io::Error::other("it is not a regular file")),
    }
}

/// Reads a regular file as a whole.
///
/// # Errors
/// As [`open_regular`], or the file is too large.
pub(crate) fn read_regular(path: &Path) -> io::Result<Vec<u8>> {
    read_at_most(path, MAX_BYTES)
}

/// Reads a regular file of at most `most` bytes.
///
/// # Errors
/// As [`open_regular`], or the file is larger.
pub(crate) fn read_at_most(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open_regular(path)?.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    match bytes.len() as u64 > most {
        true => Err(io::Error::other(format!("it is over {} MiB", most >> 20))),
        false => Ok(bytes),
    }
}

/// Returns whether a path is a regular file of the tool's user with these bytes and this mode.
pub(crate) fn is_same(path: &Path, bytes: &[u8], mode: u32) -> bool {
    let is_alike = fs::symlink_metadata(path).is_ok_and(|it| {
        it.is_file()
            && it.len() == bytes.len() as u64
            && platform::mode(&it).is_none_or(|its| its == mode)
            && platform::is_own(&it)
    });
    is_alike && read_regular(path).is_ok_and(|there| there == bytes)
}

/// Returns the bytes of a regular file, or `None` if it does not exist.
pub(crate) fn read_if_exists(path: &Path) -> Result<Option<Vec<u8>>, Error> {
    match read_regular(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if is_absent(&error) => Ok(None),
        Err(error) => Err(Error::file("read", path)(error)),
    }
}

/// Returns the SHA-256 of bytes, in hexadecimal.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// Creates a folder with `mode`, and its parents with 0755. The umask has no effect.
pub(crate) fn create_folder(path: &Path, mode: u32) -> Result<(), Error> {
    if path.is_dir() {
        return Ok(());
    }
    if let Some(parent) = path.parent().filter(|it| !it.as_os_str().is_empty()) {
        create_folder(parent, 0o755)?;
    }
    match fs::create_dir(path) {
        Ok(()) => {
            platform::set_folder_mode(path, mode).map_err(Error::file("set the mode of", path))
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(Error::file("create", path)(error)),
    }
}

/// Removes the temporary files that a killed process left beside `target`.
pub(crate) fn remove_stale(target: &Path) -> Result<(), Error> {
    let (folder, name) = split(target);
    let (prefix, suffix) = temporary_name(&name);
    remove_matching(folder, |file| file.starts_with(&prefix) && file.ends_with(suffix))
}

/// Removes all temporary files that killed processes left in a folder of this tool.
pub(crate) fn remove_all_stale(folder: &Path) -> Result<(), Error> {
    remove_matching(folder, |file| file.starts_with('.') && file.contains(".cnictl-"))
}

fn remove_matching(folder: &Path, is_stale: impl Fn(&str) -> bool) -> Result<(), Error> {
    let Ok(entries) = fs::read_dir(folder) else { return Ok(()) };
    let is_ours = |file: &OsStr| file.to_str().is_some_and(&is_stale);
    for entry in entries.flatten().filter(|entry| is_ours(&entry.file_name())) {
        match fs::remove_file(entry.path()) {
            Ok(()) => (),
            // On Windows a replaced program cannot be removed while it runs.
            Err(error) if platform::is_in_use(&error) => (),
            Err(_) => drop(remove(&entry.path())?),
        }
    }
    Ok(())
}

/// Makes created, renamed and removed names in the folder of a file durable.
pub(crate) fn sync_folder(file: &Path) -> Result<(), Error> {
    let folder = split(file).0;
    platform::sync_folder(folder).map_err(Error::file("sync", folder))
}

fn split(path: &Path) -> (&Path, String) {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    (folder.unwrap_or_else(|| Path::new(".")), name)
}

/// Returns the folder of the tool's state of the plugin `name`, in a folder of plugins.
pub(crate) fn state_folder(bin_dir: &Path, name: &str) -> PathBuf {
    bin_dir.join(format!(".{name}.cnictl"))
}

/// Joins a folder and a file name.
///
/// # Errors
/// The name is a path that may lead out of the folder.
pub(crate) fn join_name(folder: &Path, name: &str) -> Result<PathBuf, Error> {
    let mut parts = Path::new(name).components();
    match (parts.next(), parts.next()) {
        (Some(std::path::Component::Normal(_)), None) => Ok(folder.join(name)),
        _ => Err(Error::Name(name.to_owned())),
    }
}

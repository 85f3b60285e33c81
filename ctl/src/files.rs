//! Files that are there whole or not at all, whatever happens meanwhile.

use std::ffi::OsStr;
use std::fs::{self, File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use tempfile::TempPath;

use crate::error::Error;

/// Prefix and suffix of temporary files, which no runtime reads as a
/// configuration.
fn temporary_name(name: &str) -> (String, &'static str) {
    (format!(".{name}.cnictl-"), ".tmp")
}

/// Writes a temporary file beside `target`, durable and closed.
pub(crate) fn prepare(target: &Path, bytes: &[u8], mode: u32) -> Result<TempPath, Error> {
    let (folder, name) = split(target);
    let (prefix, suffix) = temporary_name(&name);
    let mut file = tempfile::Builder::new()
        .prefix(&prefix)
        .suffix(suffix)
        .tempfile_in(folder)
        .map_err(Error::file("create a file in", folder))?;
    file.write_all(bytes)
        .and_then(|()| file.as_file().set_permissions(Permissions::from_mode(mode)))
        .and_then(|()| file.as_file().sync_all())
        .map_err(Error::file("write to", folder))?;
    Ok(file.into_temp_path())
}

/// Puts a prepared file in the place of `target`.
pub(crate) fn publish(prepared: TempPath, target: &Path) -> Result<(), Error> {
    prepared.persist(target).map_err(|error| Error::File {
        what: "replace",
        path: target.to_owned(),
        source: error.error,
    })?;
    sync_folder(target)
}

/// Writes a file atomically.
pub(crate) fn write(target: &Path, bytes: &[u8], mode: u32) -> Result<(), Error> {
    publish(prepare(target, bytes, mode)?, target)
}

/// Copies what is at `from` (a link stays a link) in the place of `to`.
pub(crate) fn copy(from: &Path, to: &Path) -> Result<(), Error> {
    let metadata = fs::symlink_metadata(from).map_err(Error::file("read", from))?;
    if metadata.is_symlink() {
        let link = fs::read_link(from).map_err(Error::file("read", from))?;
        let (folder, name) = split(to);
        let (prefix, suffix) = temporary_name(&name);
        let made = tempfile::Builder::new()
            .prefix(&prefix)
            .suffix(suffix)
            .make_in(folder, |path| symlink(&link, path))
            .map_err(Error::file("create a link in", folder))?;
        return publish(made.into_temp_path(), to);
    }
    let bytes = fs::read(from).map_err(Error::file("read", from))?;
    write(to, &bytes, metadata.permissions().mode() & 0o7777)
}

/// Removes a file or folder that may be absent. Whether it was there.
pub(crate) fn remove(path: &Path) -> Result<bool, Error> {
    let removed = match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    match removed {
        Ok(()) => sync_folder(path).map(|()| true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(Error::file("remove", path)(error)),
    }
}

/// Moves a file within its folder.
pub(crate) fn rename(from: &Path, to: &Path) -> Result<(), Error> {
    fs::rename(from, to).map_err(Error::file("rename", from))?;
    sync_folder(to)
}

/// The bytes of a file; `None` if there is none.
pub(crate) fn read(path: &Path) -> Result<Option<Vec<u8>>, Error> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::file("read", path)(error)),
    }
}

/// Removes the temporary files that a killed process left beside `target`.
pub(crate) fn remove_stale(target: &Path) -> Result<(), Error> {
    let (folder, name) = split(target);
    let (prefix, suffix) = temporary_name(&name);
    let is_ours = |file: &OsStr| {
        file.to_str().is_some_and(|file| file.starts_with(&prefix) && file.ends_with(suffix))
    };
    let Ok(entries) = fs::read_dir(folder) else { return Ok(()) };
    for entry in entries.flatten().filter(|entry| is_ours(&entry.file_name())) {
        remove(&entry.path())?;
    }
    Ok(())
}

/// Makes what happened to the names in a folder durable.
fn sync_folder(file: &Path) -> Result<(), Error> {
    let folder = split(file).0;
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(Error::file("sync", folder))
}

fn split(path: &Path) -> (&Path, String) {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    (folder.unwrap_or_else(|| Path::new(".")), name)
}

/// Joins a folder and a name that must not leave it.
pub(crate) fn within(folder: &Path, name: &str) -> Result<PathBuf, Error> {
    let mut parts = Path::new(name).components();
    match (parts.next(), parts.next()) {
        (Some(std::path::Component::Normal(_)), None) => Ok(folder.join(name)),
        _ => Err(Error::Name(name.to_owned())),
    }
}

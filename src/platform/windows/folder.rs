//! A folder of small files that only LocalSystem, the administrators and our own user may
//! write.

use std::cell::OnceCell;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use antrea_cni_windows::create_private_folder;

use super::files;

/// What is locked: a folder cannot be.
const LOCK: &str = ".lock";

/// A folder at a path.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    lock: OnceCell<File>,
}

impl Folder {
    /// Opens the folder at `path`.
    ///
    /// # Errors
    /// It is not there, or others own it.
    pub(crate) fn open(path: &str) -> io::Result<Self> {
        if !files::is_private_folder(Path::new(path))? {
            return Err(ErrorKind::PermissionDenied.into());
        }
        Ok(Self { path: path.into(), lock: OnceCell::new() })
    }

    /// Opens the folder at `path`, and makes it if it is not there.
    ///
    /// # Errors
    /// As [`Self::open`], or it cannot be made.
    pub(crate) fn create(path: &str) -> io::Result<Self> {
        create_private_folder(Path::new(path))?;
        Self::open(path)
    }

    /// Returns the names in the folder.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub(crate) fn names(&self) -> io::Result<Vec<String>> {
        let names = fs::read_dir(&self.path)?
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .filter(|name| name != LOCK);
        Ok(names.collect())
    }

    /// Locks a file of at most `most` bytes, until it is closed, and reads it.
    ///
    /// # Errors
    /// [`WouldBlock`](ErrorKind::WouldBlock): another process has locked it.
    /// [`InvalidData`](ErrorKind::InvalidData): it is no such file.
    pub(crate) fn take(&self, name: &str, most: u64) -> io::Result<(File, Vec<u8>)> {
        let file = files::no_follow_options().read(true).write(true).open(self.path.join(name))?;
        let metadata = file.metadata()?;
        if !metadata.is_file() || metadata.len() > most {
            return Err(ErrorKind::InvalidData.into());
        }
        file.try_lock().map_err(|_| io::Error::from(ErrorKind::WouldBlock))?;
        let mut bytes = Vec::new();
        (&file).take(most).read_to_end(&mut bytes)?;
        Ok((file, bytes))
    }

    /// Whether a file was not written for `time`.
    pub(crate) fn is_older(&self, name: &str, time: Duration) -> bool {
        let written = fs::metadata(self.path.join(name)).and_then(|it| it.modified());
        written.is_ok_and(|it| it.elapsed().is_ok_and(|age| age > time))
    }

    /// Writes a file, whole or not at all, under the name `temporary` first.
    ///
    /// # Errors
    /// It cannot be written.
    pub(crate) fn write(&self, name: &str, temporary: &str, bytes: &[u8]) -> io::Result<()> {
        fs::write(self.path.join(temporary), bytes)?;
        self.rename(temporary, name)
    }

    /// Gives a file another name.
    ///
    /// # Errors
    /// It is not there, or the folder may not be written.
    pub(crate) fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.path.join(from), self.path.join(to))
    }

    /// Removes a file.
    ///
    /// # Errors
    /// It is not there, or the folder may not be written.
    pub(crate) fn remove(&self, name: &str) -> io::Result<()> {
        fs::remove_file(self.path.join(name))
    }

    /// Locks the folder until it is closed. Returns `false` if another process has it.
    pub(crate) fn try_lock(&self) -> bool {
        if self.lock.get().is_some() {
            return true;
        }
        let path = self.path.join(LOCK);
        let lock = files::no_follow_options().create(true).truncate(false).write(true).open(path);
        lock.is_ok_and(|lock| lock.try_lock().is_ok() && self.lock.set(lock).is_ok())
    }
}

/// Removes the folder at `path` if nothing but its lock is in it.
pub(crate) fn remove_empty(path: &str) {
    let is_empty = Folder::open(path).and_then(|it| it.names()).is_ok_and(|it| it.is_empty());
    if is_empty {
        let _ = fs::remove_file(Path::new(path).join(LOCK));
        let _ = fs::remove_dir(path);
    }
}

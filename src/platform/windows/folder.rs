// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Manages a folder of small files that only LocalSystem, the administrators and the plugin's own
//! user may write.

use std::cell::OnceCell;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use antrea_cni_windows::create_private_folder;

use super::files;

/// File that is locked, because a folder cannot be.
const LOCK: &str = ".lock";

#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    lock: OnceCell<File>,
}

impl Folder {
    /// Opens the folder at `path`.
    ///
    /// # Errors
    /// The folder does not exist, or belongs to another user.
    pub(crate) fn open(path: &str) -> io::Result<Self> {
        if !files::is_private_folder(Path::new(path))? {
            return Err(ErrorKind::PermissionDenied.into());
        }
        Ok(Self { path: path.into(), lock: OnceCell::new() })
    }

    /// Opens the folder at `path`, and creates it if it does not exist.
    ///
    /// # Errors
    /// As [`Self::open`], or the folder cannot be created.
    pub(crate) fn create(path: &str) -> io::Result<Self> {
        create_private_folder(Path::new(path))?;
        Self::open(path)
    }

    /// Returns the names of the files in the folder.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub(crate) fn file_names(&self) -> io::Result<Vec<String>> {
        let names = fs::read_dir(&self.path)?
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .filter(|name| name != LOCK);
        Ok(names.collect())
    }

    /// Locks a file of at most `most` bytes until it is closed, and reads it.
    ///
    /// # Errors
    /// [`WouldBlock`](ErrorKind::WouldBlock): another process has locked it.
    /// [`NotFound`](ErrorKind::NotFound): it was removed.
    /// [`InvalidData`](ErrorKind::InvalidData): it is not such a file.
    pub(crate) fn lock_and_read(&self, name: &str, most: u64) -> io::Result<(File, Vec<u8>)> {
        let path = self.path.join(name);
        let file = files::no_follow_options().read(true).write(true).open(&path)?;
        let metadata = file.metadata()?;
        if !metadata.is_file() || metadata.len() > most {
            return Err(ErrorKind::InvalidData.into());
        }
        file.try_lock().map_err(|_| io::Error::from(ErrorKind::WouldBlock))?;
        // The process that held the lock may have removed the file.
        if !files::is_same_file(&file, &path.to_string_lossy()) {
            return Err(ErrorKind::NotFound.into());
        }
        let mut bytes = Vec::new();
        (&file).take(most).read_to_end(&mut bytes)?;
        Ok((file, bytes))
    }

    /// Returns whether a file was last written more than `time` ago.
    pub(crate) fn is_older(&self, name: &str, time: Duration) -> bool {
        let written = fs::metadata(self.path.join(name)).and_then(|it| it.modified());
        written.is_ok_and(|it| it.elapsed().is_ok_and(|age| age > time))
    }

    /// Writes a file atomically, under the name `temporary` first.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(crate) fn write_atomically(
        &self,
        name: &str,
        temporary: &str,
        bytes: &[u8],
    ) -> io::Result<()> {
        fs::write(self.path.join(temporary), bytes)?;
        self.rename(temporary, name)
    }

    /// Renames a file.
    ///
    /// # Errors
    /// The file does not exist, or the folder may not be written.
    pub(crate) fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.path.join(from), self.path.join(to))
    }

    /// Removes a file.
    ///
    /// # Errors
    /// The file does not exist, or the folder may not be written.
    pub(crate) fn remove(&self, name: &str) -> io::Result<()> {
        fs::remove_file(self.path.join(name))
    }

    /// Locks the folder until it is closed. Returns `false` if another process has locked it.
    pub(crate) fn try_lock(&self) -> bool {
        if self.lock.get().is_some() {
            return true;
        }
        let path = self.path.join(LOCK);
        let lock = files::no_follow_options().create(true).truncate(false).write(true).open(path);
        lock.is_ok_and(|lock| lock.try_lock().is_ok() && self.lock.set(lock).is_ok())
    }
}

/// Removes the folder at `path` if it has no file but its lock.
pub(crate) fn remove_empty(path: &str) {
    let is_empty = Folder::open(path).and_then(|it| it.file_names()).is_ok_and(|it| it.is_empty());
    if is_empty {
        let _ = fs::remove_file(Path::new(path).join(LOCK));
        let _ = fs::remove_dir(path);
    }
}

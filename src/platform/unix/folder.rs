// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Manages a folder of small files that only root and the plugin's own user may write.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::time::{Duration, SystemTime};

use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, AtFlags, OFlag, openat, renameat};
use nix::sys::stat::{Mode, fstatat};
use nix::unistd::{UnlinkatFlags, unlinkat};

use super::files;

/// Holds an open folder. All operations use its descriptor, so that its path may change meanwhile.
#[derive(Debug)]
pub(crate) struct Folder(File);

impl Folder {
    /// Opens the folder at `path`.
    ///
    /// # Errors
    /// The folder does not exist, is a symbolic link, or other users may write to it.
    pub(crate) fn open(path: &str) -> io::Result<Self> {
        let flags = OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        let folder = File::from(openat(AT_FDCWD, path, flags, Mode::empty())?);
        match files::untrusted_reason(&folder, &folder.metadata()?)? {
            Some(why) => Err(io::Error::other(why)),
            None => Ok(Self(folder)),
        }
    }

    /// Opens the folder at `path`, and creates it if it does not exist.
    ///
    /// # Errors
    /// As [`Self::open`], or the folder cannot be created.
    pub(crate) fn create(path: &str) -> io::Result<Self> {
        match fs::DirBuilder::new().mode(0o700).create(path) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
            _ => Self::open(path),
        }
    }

    /// Returns the names of the files in the folder.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub(crate) fn file_names(&self) -> io::Result<Vec<String>> {
        // nix reads a folder with readdir, which refuses 64-bit inodes and offsets on a 32-bit
        // node.
        let names = fs::read_dir(format!("/proc/self/fd/{}", self.0.as_raw_fd()))?
            .map(|entry| Ok(entry?.file_name().into_string().ok()));
        names.filter_map(io::Result::transpose).collect()
    }

    /// Locks a file until it is closed, and reads it. The file must have at most `most` bytes and
    /// be writable by no other user.
    ///
    /// # Errors
    /// [`WouldBlock`](ErrorKind::WouldBlock): another process has locked it.
    /// [`NotFound`](ErrorKind::NotFound): it was removed.
    /// [`InvalidData`](ErrorKind::InvalidData): it is not such a file.
    pub(crate) fn lock_and_read(&self, name: &str, most: u64) -> io::Result<(File, Vec<u8>)> {
        let flags = OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
        let file = match openat(&self.0, name, flags, Mode::empty()) {
            Ok(file) => File::from(file),
            // A symbolic link or a socket.
            Err(Errno::ELOOP | Errno::ENXIO) => return Err(ErrorKind::InvalidData.into()),
            Err(errno) => return Err(errno.into()),
        };
        let metadata = file.metadata()?;
        let is_usable = metadata.is_file() && files::untrusted_reason(&file, &metadata)?.is_none();
        if !is_usable || metadata.len() > most {
            return Err(ErrorKind::InvalidData.into());
        }
        file.try_lock().map_err(|_| io::Error::from(ErrorKind::WouldBlock))?;
        // The process that held the lock may have removed the file.
        if file.metadata()?.nlink() == 0 {
            return Err(ErrorKind::NotFound.into());
        }
        let mut bytes = Vec::new();
        (&file).take(most).read_to_end(&mut bytes)?;
        Ok((file, bytes))
    }

    /// Returns whether a file was last written more than `time` ago.
    pub(crate) fn is_older(&self, name: &str, time: Duration) -> bool {
        let file = fstatat(&self.0, name, AtFlags::AT_SYMLINK_NOFOLLOW);
        let written = file.ok().and_then(|it| u64::try_from(it.st_mtime).ok());
        let written = written.map(|it| SystemTime::UNIX_EPOCH + Duration::from_secs(it));
        written.is_some_and(|it| it.elapsed().is_ok_and(|age| age > time))
    }

    /// Writes a file of mode 0600 atomically, under the name `temporary` first.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(crate) fn write_atomically(
        &self,
        name: &str,
        temporary: &str,
        bytes: &[u8],
    ) -> io::Result<()> {
        // Exceeding RLIMIT_FSIZE becomes an error instead of a signal.
        files::block_sigxfsz();
        let _ = self.remove(temporary);
        let flags = OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_WRONLY | OFlag::O_CLOEXEC;
        let mode = Mode::from_bits_truncate(0o600);
        let mut file = File::from(openat(&self.0, temporary, flags, mode)?);
        let written = file.write_all(bytes).and_then(|()| file.sync_data());
        let moved = written.and_then(|()| self.rename(temporary, name));
        if moved.is_err() {
            let _ = self.remove(temporary);
        }
        moved
    }

    /// Renames a file.
    ///
    /// # Errors
    /// The file does not exist, or the folder may not be written.
    pub(crate) fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        Ok(renameat(&self.0, from, &self.0, to)?)
    }

    /// Removes a file.
    ///
    /// # Errors
    /// The file does not exist, or the folder may not be written.
    pub(crate) fn remove(&self, name: &str) -> io::Result<()> {
        Ok(unlinkat(&self.0, name, UnlinkatFlags::NoRemoveDir)?)
    }

    /// Locks the folder until it is closed. Returns `false` if another process has locked it.
    pub(crate) fn try_lock(&self) -> bool {
        self.0.try_lock().is_ok()
    }
}

/// Removes the folder at `path` if it is empty.
pub(crate) fn remove_empty(path: &str) {
    let _ = fs::remove_dir(path);
}

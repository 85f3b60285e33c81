//! A folder of small files that only root and our own user may write.

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

/// An open folder. What is done in it is done by its descriptor, whatever its path leads to
/// by then.
#[derive(Debug)]
pub(crate) struct Folder(File);

impl Folder {
    /// Opens the folder at `path`.
    ///
    /// # Errors
    /// It is not there, is a link, or others may write it.
    pub(crate) fn open(path: &str) -> io::Result<Self> {
        let flags = OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        let folder = File::from(openat(AT_FDCWD, path, flags, Mode::empty())?);
        match files::untrusted_reason(&folder, &folder.metadata()?)? {
            Some(why) => Err(io::Error::other(why)),
            None => Ok(Self(folder)),
        }
    }

    /// Opens the folder at `path`, and makes it if it is not there.
    ///
    /// # Errors
    /// As [`Self::open`], or it cannot be made.
    pub(crate) fn create(path: &str) -> io::Result<Self> {
        match fs::DirBuilder::new().mode(0o700).create(path) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
            _ => Self::open(path),
        }
    }

    /// Returns the names in the folder.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub(crate) fn names(&self) -> io::Result<Vec<String>> {
        // nix reads a folder with readdir, which refuses 64-bit inodes and offsets on a
        // 32-bit node.
        let names = fs::read_dir(format!("/proc/self/fd/{}", self.0.as_raw_fd()))?
            .map(|entry| Ok(entry?.file_name().into_string().ok()));
        names.filter_map(io::Result::transpose).collect()
    }

    /// Locks a file of at most `most` bytes that nobody else may write, until it is closed,
    /// and reads it.
    ///
    /// # Errors
    /// [`WouldBlock`](ErrorKind::WouldBlock): another process has locked it.
    /// [`InvalidData`](ErrorKind::InvalidData): it is no such file.
    pub(crate) fn take(&self, name: &str, most: u64) -> io::Result<(File, Vec<u8>)> {
        let flags = OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
        let file = match openat(&self.0, name, flags, Mode::empty()) {
            Ok(file) => File::from(file),
            // A link, or a socket.
            Err(Errno::ELOOP | Errno::ENXIO) => return Err(ErrorKind::InvalidData.into()),
            Err(errno) => return Err(errno.into()),
        };
        let metadata = file.metadata()?;
        let is_usable = metadata.is_file() && files::untrusted_reason(&file, &metadata)?.is_none();
        if !is_usable || metadata.len() > most {
            return Err(ErrorKind::InvalidData.into());
        }
        file.try_lock().map_err(|_| io::Error::from(ErrorKind::WouldBlock))?;
        // Whoever had it may have removed it.
        if file.metadata()?.nlink() == 0 {
            return Err(ErrorKind::NotFound.into());
        }
        let mut bytes = Vec::new();
        (&file).take(most).read_to_end(&mut bytes)?;
        Ok((file, bytes))
    }

    /// Whether a file was not written for `time`.
    pub(crate) fn is_older(&self, name: &str, time: Duration) -> bool {
        let file = fstatat(&self.0, name, AtFlags::AT_SYMLINK_NOFOLLOW);
        let written = file.ok().and_then(|it| u64::try_from(it.st_mtime).ok());
        let written = written.map(|it| SystemTime::UNIX_EPOCH + Duration::from_secs(it));
        written.is_some_and(|it| it.elapsed().is_ok_and(|age| age > time))
    }

    /// Writes a file of mode 0600, whole or not at all, under the name `temporary` first.
    ///
    /// # Errors
    /// It cannot be written.
    pub(crate) fn write(&self, name: &str, temporary: &str, bytes: &[u8]) -> io::Result<()> {
        // A limit of file sizes is an error, and no signal.
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

    /// Gives a file another name.
    ///
    /// # Errors
    /// It is not there, or the folder may not be written.
    pub(crate) fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        Ok(renameat(&self.0, from, &self.0, to)?)
    }

    /// Removes a file.
    ///
    /// # Errors
    /// It is not there, or the folder may not be written.
    pub(crate) fn remove(&self, name: &str) -> io::Result<()> {
        Ok(unlinkat(&self.0, name, UnlinkatFlags::NoRemoveDir)?)
    }

    /// Locks the folder until it is closed. Returns `false` if another process has it.
    pub(crate) fn try_lock(&self) -> bool {
        self.0.try_lock().is_ok()
    }
}

/// Removes the folder at `path` if nothing is in it.
pub(crate) fn remove_empty(path: &str) {
    let _ = fs::remove_dir(path);
}

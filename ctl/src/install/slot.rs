//! One installed file, and what is kept so that every step can be undone.
//!
//! `<bin-dir>/.<name>.cnictl/` holds, for the plugin and in `conflist/` for the
//! network configuration list:
//!
//! | file | what |
//! | --- | --- |
//! | `original` | what was there that was not ours, for `uninstall` |
//! | `previous` | what to go back to, for `rollback` |
//! | `installed` | a copy of what we installed |
//! | `next` | the same while it is being installed |
//! | `lock` | one process at a time; the kernel lets go of it when that dies |
//!
//! Each step is one rename, so that a process that is killed leaves the state
//! before a step or after it; [`Slot::recover`] finishes or drops the rest.

use std::fmt;
use std::fs::{self, File, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::cli::Place;
use crate::error::Error;
use crate::files;
use crate::output::waiting;

/// The state of one installation, for us alone.
pub(super) struct Lock {
    folder: PathBuf,
    _file: File,
}

impl Lock {
    /// Waits for its turn; makes the folder.
    pub(super) fn take(place: &Place) -> Result<Self, Error> {
        let folder = folder(place)?;
        loop {
            let made = fs::DirBuilder::new().mode(0o700).recursive(true).create(&folder);
            made.map_err(Error::file("create", &folder))?;
            if let Some(lock) = Self::try_take(folder.clone(), true)? {
                return Ok(lock);
            }
        }
    }

    /// The same where something is installed; `None` where nothing is.
    pub(super) fn take_existing(place: &Place) -> Result<Option<Self>, Error> {
        let folder = folder(place)?;
        while folder.exists() {
            if let Some(lock) = Self::try_take(folder.clone(), false)? {
                return Ok(Some(lock));
            }
        }
        Ok(None)
    }

    /// `None` if the folder was removed meanwhile.
    fn try_take(folder: PathBuf, create: bool) -> Result<Option<Self>, Error> {
        let path = folder.join("lock");
        let open = File::options().write(true).create(create).mode(0o600).open(&path);
        let file = match open {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound && create => return Ok(None),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                // Killed between the lock and the folder.
                return if folder.exists() { Self::try_take(folder, true) } else { Ok(None) };
            }
            Err(error) => return Err(Error::file("open", &path)(error)),
        };
        match file.try_lock() {
            Ok(()) => (),
            Err(TryLockError::WouldBlock) => {
                let spinner = waiting("waiting for another antrea-cnictl");
                file.lock().map_err(Error::file("lock", &path))?;
                spinner.finish_and_clear();
            }
            Err(TryLockError::Error(error)) => return Err(Error::file("lock", &path)(error)),
        }
        let inode = |metadata: io::Result<fs::Metadata>| metadata.map(|it| it.ino()).ok();
        let ours = inode(file.metadata()) == inode(fs::metadata(&path));
        Ok(ours.then_some(Self { folder, _file: file }))
    }

    /// Forgets the installation. The folder goes in one step, so that whoever
    /// waits for the lock starts with a new one.
    pub(super) fn remove_all(self) -> Result<(), Error> {
        let gone = self.folder.with_file_name(format!("{}-gone.tmp", name_of(&self.folder)));
        files::remove(&gone)?;
        files::rename(&self.folder, &gone)?;
        files::remove(&gone).map(drop)
    }
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn folder(place: &Place) -> Result<PathBuf, Error> {
    files::within(&place.bin_dir, &place.name)?;
    Ok(place.bin_dir.join(format!(".{}.cnictl", place.name)))
}

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    Installed,
    Unchanged,
    Restored,
    Removed,
    Absent,
    Foreign,
    RolledBack,
    NothingBefore,
}

impl fmt::Display for Change {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Installed => "installed",
            Self::Unchanged => "is installed already",
            Self::Restored => "uninstalled; what was there before is back",
            Self::Removed => "uninstalled",
            Self::Absent => "is gone already",
            Self::Foreign => "is somebody else's by now: left alone",
            Self::RolledBack => "rolled back to the version before",
            Self::NothingBefore => "there is no version before this one: left alone",
        })
    }
}

/// One file and its history.
pub(super) struct Slot<'a> {
    target: PathBuf,
    folder: PathBuf,
    _lock: &'a Lock,
}

impl<'a> Slot<'a> {
    /// The plugin's.
    pub(super) fn plugin(place: &Place, lock: &'a Lock) -> Result<Self, Error> {
        let target = files::within(&place.bin_dir, &place.name)?;
        let slot = Self { target, folder: lock.folder.clone(), _lock: lock };
        slot.recover()?;
        Ok(slot)
    }

    /// The network configuration list's.
    pub(super) fn conflist(lock: &'a Lock, target: &Path) -> Result<Self, Error> {
        // One under another name before: that one is not wanted any more.
        if let Some(other) = Self::installed_conflist(lock)?
            && other.target != target
        {
            other.undo()?;
            files::remove(&other.folder)?;
        }
        let folder = lock.folder.join("conflist");
        fs::create_dir_all(&folder).map_err(Error::file("create", &folder))?;
        let text = target.to_string_lossy();
        files::write(&folder.join("target"), text.as_bytes(), 0o600)?;
        let slot = Self { target: target.to_owned(), folder, _lock: lock };
        slot.recover()?;
        Ok(slot)
    }

    /// The same, if one was installed.
    pub(super) fn installed_conflist(lock: &'a Lock) -> Result<Option<Self>, Error> {
        let folder = lock.folder.join("conflist");
        let Some(target) = files::read(&folder.join("target"))? else { return Ok(None) };
        let target = PathBuf::from(String::from_utf8_lossy(&target).into_owned());
        let slot = Self { target, folder, _lock: lock };
        slot.recover()?;
        Ok(Some(slot))
    }

    pub(super) fn target(&self) -> &Path {
        &self.target
    }

    fn kept(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Puts `bytes` in place after `trial` of them.
    pub(super) async fn put(
        &self,
        bytes: &[u8],
        mode: u32,
        trial: impl AsyncFnOnce(&Path) -> Result<(), Error>,
    ) -> Result<Change, Error> {
        let there = files::read(&self.target)?;
        let installed = files::read(&self.kept("installed"))?;
        // A link may lead nowhere, and is somebody's all the same.
        let metadata = fs::symlink_metadata(&self.target).ok();
        let is_file = metadata.as_ref().is_some_and(fs::Metadata::is_file);
        let is_ours = is_file && there.is_some() && there == installed;
        if is_ours && there.as_deref() == Some(bytes) && self.mode() == Some(mode) {
            return Ok(Change::Unchanged);
        }
        let prepared = files::prepare(&self.target, bytes, mode)?;
        trial(&prepared).await?;
        if metadata.is_some() && !is_ours {
            files::copy(&self.target, &self.kept("original"))?;
            if installed.is_none() {
                files::copy(&self.target, &self.kept("previous"))?;
            }
        }
        files::write(&self.kept("next"), bytes, mode)?;
        files::publish(prepared, &self.target)?;
        self.finish()?;
        Ok(Change::Installed)
    }

    fn mode(&self) -> Option<u32> {
        fs::metadata(&self.target).ok().map(|metadata| metadata.permissions().mode() & 0o7777)
    }

    /// After `next` came into place.
    fn finish(&self) -> Result<(), Error> {
        let (next, installed) = (self.kept("next"), self.kept("installed"));
        if installed.exists() && files::read(&installed)? != files::read(&next)? {
            files::rename(&installed, &self.kept("previous"))?;
        }
        files::rename(&next, &installed)
    }

    /// Clears up after a process that was killed.
    fn recover(&self) -> Result<(), Error> {
        files::remove_stale(&self.target)?;
        for name in ["original", "previous", "installed", "next", "target"] {
            files::remove_stale(&self.kept(name))?;
        }
        let (next, previous) = (self.kept("next"), self.kept("previous"));
        let there = files::read(&self.target)?;
        match files::read(&next)? {
            Some(next) if there.as_ref() == Some(&next) => return self.finish(),
            Some(_) => drop(files::remove(&next)?),
            None => (),
        }
        // A rollback that was cut short, or somebody who did the same by hand.
        let installed = files::read(&self.kept("installed"))?;
        if there.is_some() && there != installed && there == files::read(&previous)? {
            files::rename(&previous, &self.kept("installed"))?;
        }
        Ok(())
    }

    /// Puts back what was there before the first install, or nothing.
    pub(super) fn undo(&self) -> Result<Change, Error> {
        let there = files::read(&self.target)?;
        if there.is_some() && there != files::read(&self.kept("installed"))? {
            return Ok(Change::Foreign);
        }
        let original = self.kept("original");
        if fs::symlink_metadata(&original).is_ok() {
            files::copy(&original, &self.target)?;
            return Ok(Change::Restored);
        }
        let removed = files::remove(&self.target)?;
        Ok(if removed { Change::Removed } else { Change::Absent })
    }

    /// Puts `previous` back.
    pub(super) fn back(&self) -> Result<Change, Error> {
        let previous = self.kept("previous");
        if fs::symlink_metadata(&previous).is_err() {
            return Ok(Change::NothingBefore);
        }
        let there = files::read(&self.target)?;
        if there.is_some() && there != files::read(&self.kept("installed"))? {
            return Err(Error::Foreign { path: self.target.clone() });
        }
        files::copy(&previous, &self.target)?;
        files::rename(&previous, &self.kept("installed"))?;
        Ok(Change::RolledBack)
    }
}

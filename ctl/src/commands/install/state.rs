// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Stores the state of an installation, and locks it.
//!
//! `<bin-dir>/.<name>.cnictl/` holds the files of [`super::managed_file`], and:
//!
//! | file | what |
//! | --- | --- |
//! | `lock` | the [`Intent`]; locked by one process at a time, until the process ends |
//! | `keeper` | locked, shared, by each keeper that runs |
//! | `settings-before` | the node settings from before the first install, if there were any |
//! | `settings-written` | the node settings that an install wrote last |
//! | `counters.json`, `metrics-path` | the counters of the metrics, and where they are written |
//! | `staged.json` | the [`crate::staged_record::StagedRecord`] of what was moved to the node last |

use std::fs::{self, File, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use tokio::task::spawn_blocking;
use tokio::time::sleep;

use crate::cli::Place;
use crate::error::Error;
use crate::files;
pub(crate) use crate::files::sha256;
use crate::output::waiting;
use crate::platform;

/// How often a lock is tried that a process which looks for a keeper holds for a moment.
pub(super) const LOCK_ATTEMPTS: u32 = 4;

/// Pause between attempts to lock, or to rename, the folder.
pub(super) const LOCK_PAUSE: Duration = Duration::from_millis(5);

/// How often a folder is checked again that another process is about to remove. That process tries to
/// rename it as often. A folder that stays, because somebody has it open, is used again.
const MAX_WAITS: u32 = 40;

/// Holds the locked state of one installation.
pub(super) struct State {
    folder: PathBuf,
    lock: File,
}

impl State {
    /// Creates the folder and waits for its lock.
    pub(super) async fn lock(place: &Place) -> Result<Self, Error> {
        let folder = folder(place)?;
        let mut waits = 0;
        loop {
            files::create_folder(&folder, 0o700)?;
            if let Some(state) = Self::lock_folder(folder.clone(), true, &mut waits).await? {
                return Ok(state);
            }
        }
    }

    /// Waits for the lock of an existing installation. Returns `None` if nothing is installed.
    pub(super) async fn lock_existing(place: &Place) -> Result<Option<Self>, Error> {
        let folder = folder(place)?;
        let mut waits = 0;
        while folder.exists() && waits < MAX_WAITS {
            if let Some(state) = Self::lock_folder(folder.clone(), false, &mut waits).await? {
                return Ok(Some(state));
            }
        }
        // A killed uninstall may have left the renamed folder.
        remove_trash(&trash_path(&folder))?;
        Ok(None)
    }

    /// Waits for the lock of a folder. Returns `None` if the folder was removed meanwhile, or another
    /// process is about to remove it, for which `waits` counts.
    async fn lock_folder(
        folder: PathBuf,
        create: bool,
        waits: &mut u32,
    ) -> Result<Option<Self>, Error> {
        let path = folder.join("lock");
        let options = |create| {
            let mut options = File::options();
            options.read(true).write(true).create(create);
            platform::make_private(&mut options);
            options
        };
        let file = match options(create).open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound && create => return Ok(None),
            // A process was killed after it created the folder and before the lock file.
            Err(error) if error.kind() == io::ErrorKind::NotFound && folder.exists() => {
                options(true).open(&path)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened,
        };
        let lock = wait_for_lock(file.map_err(Error::file("open", &path))?, &path).await?;
        let now = match File::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened.map_err(Error::file("open", &path))?,
        };
        let identity = |file: &File| platform::identity(file).map_err(Error::file("read", &path));
        if identity(&now)? != identity(&lock)? {
            return Ok(None);
        }
        let state = Self { folder, lock };
        // Where a folder in use cannot be renamed, the process that removes it closes its lock first.
        let is_removed = !platform::RENAMES_FOLDERS_IN_USE && state.intent() == Intent::Uninstalled;
        if is_removed && (*waits < MAX_WAITS || !create) {
            *waits += 1;
            drop(state);
            sleep(LOCK_PAUSE).await;
            return Ok(None);
        }
        let is_new = state.lock.metadata().is_ok_and(|it| it.len() < Intent::BYTES as u64);
        if is_new || is_removed {
            // Allocates the space now, so that a later write cannot fail on a full disk.
            state.set_intent(&Intent::None)?;
        }
        Ok(Some(state))
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Opens the lock file anew, without the lock. It shows an intent that is written later, also
    /// after the file was removed.
    pub(super) fn open_lock_file(&self) -> Result<File, Error> {
        let path = self.folder.join("lock");
        File::open(&path).map_err(Error::file("open", &path))
    }

    /// Returns the intent in the lock file.
    pub(super) fn intent(&self) -> Intent {
        Intent::read_from(&self.lock)
    }

    pub(super) fn set_intent(&self, intent: &Intent) -> Result<(), Error> {
        let path = self.folder.join("lock");
        let text = intent.lock_text();
        let mut lock = &self.lock;
        lock.rewind()
            .and_then(|()| lock.write_all(text.as_bytes()))
            .and_then(|()| lock.sync_data())
            .map_err(Error::file("write to", &path))
    }

    /// Removes the state after an uninstall. The keeper learns of it from the intent.
    pub(super) fn uninstall(self) -> Result<(), Error> {
        self.set_intent(&Intent::Uninstalled)?;
        self.remove()
    }

    /// Removes the state, after a refused install or an uninstall. The folder is renamed first, so
    /// that a process that waits for the lock creates a new folder.
    pub(super) fn remove(self) -> Result<(), Error> {
        if !platform::RENAMES_FOLDERS_IN_USE {
            self.set_intent(&Intent::Uninstalled)?;
        }
        let Self { folder, lock } = self;
        let trash = trash_path(&folder);
        remove_trash(&trash)?;
        // On Windows a process that has opened the lock file prevents the rename. It gets the lock
        // next, reads the intent and closes the file, so the rename is tried again.
        let lock = platform::RENAMES_FOLDERS_IN_USE.then_some(lock);
        // Not `files::rename`, which removes what has the old name by then: another process may have
        // created its folder.
        for _ in 0..MAX_WAITS {
            match fs::rename(&folder, &trash) {
                Err(error) if lock.is_none() && platform::is_in_use(&error) => {
                    thread::sleep(LOCK_PAUSE);
                }
                renamed => {
                    renamed.map_err(Error::file("rename", &folder))?;
                    files::sync_folder(&folder)?;
                    return remove_trash(&trash);
                }
            }
        }
        Ok(())
    }
}

/// Waits for a lock on its own thread, so that a signal can end the process meanwhile.
async fn wait_for_lock(file: File, path: &Path) -> Result<File, Error> {
    match file.try_lock() {
        Ok(()) => return Ok(file),
        Err(TryLockError::WouldBlock) => (),
        Err(TryLockError::Error(error)) => return Err(Error::file("lock", path)(error)),
    }
    let spinner = waiting("waiting for another antrea-cnictl");
    let locked = spawn_blocking(move || file.lock().map(|()| file)).await;
    spinner.finish_and_clear();
    locked.map_err(|error| Error::Runtime(error.into()))?.map_err(Error::file("lock", path))
}

/// Returns the folder of an installation.
pub(crate) fn folder(place: &Place) -> Result<PathBuf, Error> {
    files::join_name(place.bin_dir(), &place.name)?;
    Ok(files::state_folder(place.bin_dir(), &place.name))
}

/// Returns the path of the file that keepers lock.
pub(crate) fn keeper_lock_path(folder: &Path) -> PathBuf {
    folder.join("keeper")
}

/// Returns whether a keeper runs. Its lock is held all the time, and that of another process that
/// asks the same for a moment.
pub(crate) fn keeper_runs(folder: &Path) -> bool {
    let Ok(file) = File::open(keeper_lock_path(folder)) else { return false };
    (0..LOCK_ATTEMPTS).all(|attempt| {
        if attempt > 0 {
            thread::sleep(LOCK_PAUSE);
        }
        file.try_lock().is_err()
    })
}

/// Removes a folder. Files that another process has open are removed by the next call.
fn remove_trash(folder: &Path) -> Result<(), Error> {
    match files::remove(folder) {
        Err(Error::File { source, .. }) if platform::is_in_use(&source) => Ok(()),
        removed => removed.map(drop),
    }
}

fn trash_path(folder: &Path) -> PathBuf {
    let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
    folder.with_file_name(format!("{name}-gone.tmp"))
}

/// Describes what a person last wanted of an installation, as stored in the lock file. The keeper
/// has the file open, and so can read the intent even after the file was removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Intent {
    /// The keeper may restore the plugin
    None,
    /// The plugin with this SHA-256 was rolled back, so the keeper must not restore it
    RolledBack(String),
    /// The plugin was uninstalled
    Uninstalled,
}

impl Intent {
    const BYTES: usize = 256;

    /// Reads the intent in the lock file.
    pub(crate) fn read_from(lock: &File) -> Self {
        let mut bytes = [0; Self::BYTES];
        let mut lock = lock;
        let length = lock.rewind().and_then(|()| lock.read(&mut bytes)).unwrap_or_default();
        let text = String::from_utf8_lossy(bytes.get(..length).unwrap_or_default());
        let mut words = text.split_whitespace();
        match (words.next(), words.next()) {
            (Some("uninstalled"), _) => Self::Uninstalled,
            (Some("rolled-back"), Some(plugin)) => Self::RolledBack(plugin.to_owned()),
            _ => Self::None,
        }
    }

    /// Returns the content of the lock file. It always has the same length, so that one write
    /// replaces it.
    fn lock_text(&self) -> String {
        let text = match self {
            Self::None => String::new(),
            Self::RolledBack(plugin) => format!("rolled-back {plugin}"),
            Self::Uninstalled => "uninstalled".to_owned(),
        };
        format!("{text:<width$}\n", width = Self::BYTES - 1)
    }

    /// Returns whether this plugin was rolled back.
    pub(crate) fn is_rolled_back(&self, bytes: &[u8]) -> bool {
        matches!(self, Self::RolledBack(off) if *off == sha256(bytes))
    }
}

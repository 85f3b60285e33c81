//! What is remembered of an installation, and whose turn it is.
//!
//! `<bin-dir>/.<name>.cnictl/` holds the history of the plugin ([`super::managed_file`]), and
//! beside it:
//!
//! | file | what |
//! | --- | --- |
//! | `lock` | one process at a time; the kernel lets go of it when that dies. It holds the [`Intent`] |
//! | `keeper` | locked, shared, by each keeper that lives |
//! | `settings-before` | the node's settings as they were before the first install, if there were any |
//! | `settings-written` | those that an install wrote last |

use std::fs::{File, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use tokio::task::spawn_blocking;

use crate::cli::Place;
use crate::error::Error;
use crate::files;
use crate::output::waiting;
use crate::platform;

/// The state of one installation, for us alone.
pub(super) struct State {
    folder: PathBuf,
    lock: File,
}

impl State {
    /// Waits for its turn; makes the folder.
    pub(super) async fn take(place: &Place) -> Result<Self, Error> {
        let folder = folder(place)?;
        loop {
            files::create_folder(&folder, 0o700)?;
            if let Some(state) = Self::try_take(folder.clone(), true).await? {
                return Ok(state);
            }
        }
    }

    /// The same where something is installed; `None` where nothing is.
    pub(super) async fn take_existing(place: &Place) -> Result<Option<Self>, Error> {
        let folder = folder(place)?;
        while folder.exists() {
            if let Some(state) = Self::try_take(folder.clone(), false).await? {
                return Ok(Some(state));
            }
        }
        // What an uninstall that was killed left.
        remove_unused(&gone(&folder))?;
        Ok(None)
    }

    /// `None` if the folder was removed meanwhile.
    async fn try_take(folder: PathBuf, create: bool) -> Result<Option<Self>, Error> {
        let path = folder.join("lock");
        let options = |create| {
            let mut options = File::options();
            options.read(true).write(true).create(create);
            platform::for_us_alone(&mut options);
            options
        };
        let file = match options(create).open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound && create => return Ok(None),
            // Killed between the lock and the folder.
            Err(error) if error.kind() == io::ErrorKind::NotFound && folder.exists() => {
                options(true).open(&path)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened,
        };
        let lock = wait(file.map_err(Error::file("open", &path))?, &path).await?;
        let now = match File::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened.map_err(Error::file("open", &path))?,
        };
        let identity = |file: &File| platform::identity(file).map_err(Error::file("read", &path));
        if identity(&now)? != identity(&lock)? {
            return Ok(None);
        }
        let state = Self { folder, lock };
        if state.lock.metadata().is_ok_and(|it| it.len() < Intent::BYTES as u64) {
            // Now, so that a full disk keeps no mark from being set later.
            state.mark(&Intent::None)?;
        }
        Ok(Some(state))
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// What was said last about this installation.
    pub(super) fn marked(&self) -> Intent {
        Intent::read(&self.lock)
    }

    pub(super) fn mark(&self, mark: &Intent) -> Result<(), Error> {
        let path = self.folder.join("lock");
        let text = mark.text();
        let mut lock = &self.lock;
        lock.rewind()
            .and_then(|()| lock.write_all(text.as_bytes()))
            .and_then(|()| lock.sync_data())
            .map_err(Error::file("write to", &path))
    }

    /// Forgets the installation. Whoever keeps it learns so from the mark. The folder
    /// goes in one step, so that whoever waits for the lock starts with a new one.
    pub(super) fn uninstalled(self) -> Result<(), Error> {
        self.mark(&Intent::Uninstalled)?;
        self.remove()
    }

    /// The same for one that was begun and refused.
    pub(super) fn remove(self) -> Result<(), Error> {
        let Self { folder, lock } = self;
        let gone = gone(&folder);
        remove_unused(&gone)?;
        // Where a folder with an open file in it cannot be renamed, whoever has opened the
        // lock meanwhile has the next turn, and the folder.
        let lock = platform::RENAMES_FOLDERS_IN_USE.then_some(lock);
        match files::rename(&folder, &gone) {
            Err(Error::File { source, .. }) if lock.is_none() && platform::is_in_use(&source) => {
                return Ok(());
            }
            renamed => renamed?,
        }
        remove_unused(&gone)
    }
}

/// Waits for a lock, on a thread of its own, so that a signal ends the wait.
async fn wait(file: File, path: &Path) -> Result<File, Error> {
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

/// The folder of an installation.
pub(crate) fn folder(place: &Place) -> Result<PathBuf, Error> {
    files::within(place.bin_dir(), &place.name)?;
    Ok(place.bin_dir().join(format!(".{}.cnictl", place.name)))
}

/// What keepers lock.
pub(crate) fn alive(folder: &Path) -> PathBuf {
    folder.join("keeper")
}

/// Removes a folder. What others still have open in it goes with the next one.
fn remove_unused(folder: &Path) -> Result<(), Error> {
    match files::remove(folder) {
        Err(Error::File { source, .. }) if platform::is_in_use(&source) => Ok(()),
        removed => removed.map(drop),
    }
}

fn gone(folder: &Path) -> PathBuf {
    let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
    folder.with_file_name(format!("{name}-gone.tmp"))
}

/// What a person last said about an installation, in the words of the lock file. A
/// keeper that has the file open sees it also after the file is gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Intent {
    /// To be kept
    None,
    /// The plugin with this SHA-256 was rolled back: it is not to come back by itself
    RolledBack(String),
    /// Nobody wants it
    Uninstalled,
}

impl Intent {
    const BYTES: usize = 256;

    /// What is written in the lock file.
    pub(crate) fn read(lock: &File) -> Self {
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

    /// Always as long, so that it is one write in place.
    fn text(&self) -> String {
        let text = match self {
            Self::None => String::new(),
            Self::RolledBack(plugin) => format!("rolled-back {plugin}"),
            Self::Uninstalled => "uninstalled".to_owned(),
        };
        format!("{text:<width$}\n", width = Self::BYTES - 1)
    }

    /// Whether this plugin was rolled back.
    pub(crate) fn is_off(&self, bytes: &[u8]) -> bool {
        matches!(self, Self::RolledBack(off) if *off == sha256(bytes))
    }
}

pub(crate) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Replaces and restores the installed plugin, so that every step can be undone.
//!
//! In a hidden folder beside the file, `.<name>.cnictl/`:
//!
//! | file | what |
//! | --- | --- |
//! | `original` | the last file that was not this plugin, for `uninstall` |
//! | `before-install` | the file that `install` replaced, for `rollback` |
//! | `before-restore` | the file that the keeper replaced, for `rollback` |
//! | `installed` | a copy of the installed plugin, for the keeper |
//! | `next`, `*.next` | new versions of these files during an install |
//!
//! Each step is one rename, so that a killed process leaves the state before or after a step.
//! [`ManagedFile::recover`] then finishes or undoes the install.

use std::fmt;
use std::fs::{self, Metadata};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use antrea_cni::input::node_settings;

use super::state::State;
use crate::cli::Place;
use crate::error::Error;
use crate::output::say;
use crate::{files, platform, plugin_check};

/// Describes what a command did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Installed,
    Unchanged,
    Restored,
    Removed,
    Absent,
    Foreign,
    RolledBack,
    NoPrevious,
}

impl fmt::Display for Outcome {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Installed => "installed",
            Self::Unchanged => "is installed already",
            Self::Restored => "uninstalled; what was there before is back",
            Self::Removed => "uninstalled",
            Self::Absent => "is gone already",
            Self::Foreign => "was replaced by another installer: not changed",
            Self::RolledBack => "rolled back to what was there before",
            Self::NoPrevious => "there is no earlier plugin to roll back to: not changed",
        })
    }
}

/// Describes who replaces a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ReplacedBy {
    Install,
    Keeper,
}

impl ReplacedBy {
    const ALL: [Self; 2] = [Self::Install, Self::Keeper];

    fn previous_name(self) -> &'static str {
        match self {
            Self::Install => "before-install",
            Self::Keeper => "before-restore",
        }
    }
}

/// Returns whether a plugin is neither empty nor cut off, so that it is worth keeping.
fn is_whole(bytes: &[u8]) -> bool {
    !bytes.is_empty() && !plugin_check::is_cut_off(bytes)
}

/// Describes the plugin's file and the folder with its earlier versions.
pub(super) struct ManagedFile {
    target: PathBuf,
    folder: PathBuf,
}

/// Describes the file at a path.
enum Existing {
    Nothing,
    /// A symbolic link, a FIFO or another file that this tool does not make
    Special,
    File(Vec<u8>, Metadata),
}

impl Existing {
    fn at(path: &Path) -> Result<Self, Error> {
        match fs::symlink_metadata(path) {
            Ok(metadata) if metadata.is_file() => Ok(files::read_if_exists(path)?
                .map_or(Self::Nothing, |bytes| Self::File(bytes, metadata))),
            Ok(_) => Ok(Self::Special),
            Err(_) => Ok(Self::Nothing),
        }
    }

    fn bytes(&self) -> Option<&[u8]> {
        match self {
            Self::File(bytes, _) => Some(bytes),
            _ => None,
        }
    }

    fn mode(&self) -> Option<u32> {
        match self {
            Self::File(_, metadata) => platform::mode(metadata),
            _ => None,
        }
    }
}

impl ManagedFile {
    /// Opens the plugin's file, and cleans up after a killed process.
    pub(super) fn open(place: &Place, state: &State) -> Result<Self, Error> {
        let target = place.plugin()?;
        files::remove_stale(&node_settings::beside(&target))?;
        let file = Self { target, folder: state.folder().to_owned() };
        file.recover()?;
        Ok(file)
    }

    pub(super) fn target(&self) -> &Path {
        &self.target
    }

    /// Writes what was done with the file.
    pub(super) fn report(&self, out: &mut impl Write, change: Outcome) -> Result<(), Error> {
        say(out, format!("{}: {change}", self.target.display()))
    }

    fn stored_path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Returns the plugin that was installed last.
    pub(super) fn installed(&self) -> Result<Option<Vec<u8>>, Error> {
        files::read_if_exists(&self.stored_path("installed"))
    }

    /// Returns the plugin that is there now, if it is a file.
    pub(super) fn current(&self) -> Result<Option<Vec<u8>>, Error> {
        Ok(Existing::at(&self.target)?.bytes().map(<[u8]>::to_vec))
    }

    /// Returns whether another installer is writing the file: it is cut off, and younger than
    /// `patience`.
    pub(super) fn is_being_written(&self, patience: Duration) -> bool {
        match Existing::at(&self.target) {
            Ok(Existing::File(bytes, metadata)) if !is_whole(&bytes) => {
                metadata.modified().is_ok_and(|at| at.elapsed().is_ok_and(|age| age < patience))
            }
            _ => false,
        }
    }

    /// Returns whether the plugin that is there was installed last.
    pub(super) fn is_ours(&self) -> Result<bool, Error> {
        let installed = self.installed()?;
        Ok(installed.is_some() && self.current()? == installed)
    }

    /// Replaces the file by `bytes` if `trial` of the prepared file succeeds.
    pub(super) async fn replace(
        &self,
        bytes: &[u8],
        mode: u32,
        by: ReplacedBy,
        trial: impl AsyncFnOnce(&Path) -> Result<(), Error>,
    ) -> Result<Outcome, Error> {
        let there = Existing::at(&self.target)?;
        let is_same = there.bytes() == Some(bytes) && there.mode().is_none_or(|it| it == mode);
        if is_same && self.installed()?.as_deref() == Some(bytes) {
            return Ok(Outcome::Unchanged);
        }
        let prepared = files::prepare(&self.target, bytes, mode)?;
        if by == ReplacedBy::Install {
            files::sync(&prepared)?;
        }
        trial(&prepared).await?;
        files::create_folder(&self.folder, 0o700)?;
        // Another installer may have written during the trial, which takes seconds.
        let there = Existing::at(&self.target)?;
        let is_ours = there.bytes().is_some() && there.bytes() == self.installed()?.as_deref();
        let is_same = there.bytes() == Some(bytes);
        let is_whole = there.bytes().is_none_or(is_whole);
        if matches!(there, Existing::Special | Existing::File(..)) && is_whole {
            if !is_ours {
                files::link_or_copy(&self.target, &self.stored_path("original"))?;
            }
            if !is_same {
                files::link_or_copy(&self.target, &self.next_path(by))?;
            }
        }
        if self.installed()?.as_deref() != Some(bytes) {
            files::write(&self.stored_path("next"), bytes, mode)?;
        }
        files::publish(prepared, &self.target)?;
        // The keeper publishes first, because Pods get another plugin until then.
        if by == ReplacedBy::Keeper {
            files::sync(&self.target)?;
        }
        files::sync_folder(&self.target)?;
        self.finish()?;
        Ok(Outcome::Installed)
    }

    /// Writes a plugin that is not ours, unless it is there already.
    pub(super) fn put(&self, bytes: &[u8], mode: u32) -> Result<(), Error> {
        match files::is_same(&self.target, bytes, mode) {
            true => Ok(()),
            false => files::write(&self.target, bytes, mode),
        }
    }

    /// Stores Antrea's staged plugin as the file that `uninstall` and `rollback` restore.
    pub(super) fn keep_as_original(&self, bytes: &[u8], mode: u32) -> Result<(), Error> {
        let original = self.stored_path("original");
        if Existing::at(&original)?.bytes() != Some(bytes) {
            files::write(&original, bytes, mode)?;
        }
        let replaced = self.stored_path(ReplacedBy::Install.previous_name());
        if Existing::at(&replaced)?.bytes() != Some(bytes) {
            files::link_or_copy(&original, &replaced)?;
        }
        files::remove(&self.stored_path(ReplacedBy::Keeper.previous_name())).map(drop)
    }

    fn next_path(&self, by: ReplacedBy) -> PathBuf {
        self.stored_path(&format!("{}.next", by.previous_name()))
    }

    /// Makes the new versions of the kept files valid, after the new plugin is in place.
    fn finish(&self) -> Result<(), Error> {
        for by in ReplacedBy::ALL {
            if fs::symlink_metadata(self.next_path(by)).is_ok() {
                self.remove_previous()?;
                files::rename(&self.next_path(by), &self.stored_path(by.previous_name()))?;
            }
        }
        let next = self.stored_path("next");
        if next.exists() { files::rename(&next, &self.stored_path("installed")) } else { Ok(()) }
    }

    /// Removes the previous files, which a newer one supersedes.
    fn remove_previous(&self) -> Result<(), Error> {
        for by in ReplacedBy::ALL {
            files::remove(&self.stored_path(by.previous_name()))?;
        }
        Ok(())
    }

    /// Finishes or undoes the install of a killed process.
    fn recover(&self) -> Result<(), Error> {
        files::remove_stale(&self.target)?;
        if !self.folder.is_dir() {
            return Ok(());
        }
        files::remove_all_stale(&self.folder)?;
        let next = files::read_if_exists(&self.stored_path("next"))?.or(self.installed()?);
        if next.is_some() && self.current()? == next {
            return self.finish();
        }
        files::remove(&self.stored_path("next"))?;
        for by in ReplacedBy::ALL {
            files::remove(&self.next_path(by))?;
        }
        Ok(())
    }

    /// Returns the file that [`ManagedFile::undo`] would restore.
    pub(super) fn original_path(&self) -> Option<PathBuf> {
        let original = self.stored_path("original");
        fs::symlink_metadata(&original).is_ok().then_some(original)
    }

    /// Restores the last file that was not this plugin, or removes the plugin if there was none.
    pub(super) fn undo(&self) -> Result<Outcome, Error> {
        match Existing::at(&self.target)? {
            Existing::Nothing => (),
            _ if self.is_ours()? => (),
            _ => return Ok(Outcome::Foreign),
        }
        if let Some(original) = self.original_path() {
            files::move_to(&original, &self.target)?;
            return Ok(Outcome::Restored);
        }
        let removed = files::remove(&self.target)?;
        Ok(if removed { Outcome::Removed } else { Outcome::Absent })
    }

    /// Returns the file that [`ManagedFile::roll_back`] would restore.
    pub(super) fn previous_path(&self) -> Option<PathBuf> {
        ReplacedBy::ALL
            .map(|by| self.stored_path(by.previous_name()))
            .into_iter()
            .find(|it| fs::symlink_metadata(it).is_ok())
    }

    /// Returns whether there is a plugin to roll back to.
    ///
    /// # Errors
    /// Another installer replaced the plugin.
    pub(super) fn can_roll_back(&self) -> Result<bool, Error> {
        let is_foreign =
            !matches!(Existing::at(&self.target)?, Existing::Nothing) && !self.is_ours()?;
        match self.previous_path() {
            Some(_) if is_foreign => Err(Error::Foreign { path: self.target.clone() }),
            previous => Ok(previous.is_some()),
        }
    }

    /// Restores the file that was replaced last.
    pub(super) fn roll_back(&self) -> Result<Outcome, Error> {
        let Some(previous) = self.previous_path() else { return Ok(Outcome::NoPrevious) };
        let original_path = self.stored_path("original");
        let there = Existing::at(&previous)?;
        let original = Existing::at(&original_path)?;
        // A copy, because an installer that writes in place would change a link, too. A full disk has
        // no room for one.
        let copy = |to: &Path| match &there {
            Existing::File(bytes, _) => files::write(to, bytes, there.mode().unwrap_or(0o755)),
            _ => Ok(()),
        };
        // A plugin that this tool installed counts as installed again.
        let is_ours = there.bytes().is_some() && there.bytes() != original.bytes();
        let next = self.stored_path("next");
        if is_ours {
            copy(&next).or_else(|_| files::link_or_copy(&previous, &next))?;
        }
        files::move_to(&previous, &self.target)?;
        if is_ours {
            files::rename(&next, &self.stored_path("installed"))?;
        } else if original.bytes().is_some() {
            let _ = copy(&original_path);
        }
        Ok(Outcome::RolledBack)
    }
}

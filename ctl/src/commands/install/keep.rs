// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Runs the keeper, which restores the plugin after another installer replaced it.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use antrea_cni::input::node_settings;
use tokio::sync::watch::Sender;
use tokio::time::sleep;

use super::endpoint::Published;
use super::installation::{Installation, PLUGIN_MODE};
use super::managed_file::{ManagedFile, Outcome, ReplacedBy};
use super::metrics::{KeeperState, Metrics};
use super::settings;
use super::state::{self, Intent, State, sha256};
use super::watch::Watch;
use crate::error::Error;
use crate::output::say;
use crate::staged_record::StagedRecord;
use crate::{files, plugin_check};

/// Longest time that the keeper waits for another installer to finish its write.
const PATIENCE: Duration = Duration::from_secs(2);

/// Longest pause after a failed attempt.
const RETRY: Duration = Duration::from_secs(1);

/// Restores the plugin after each change until the future is dropped. Only `uninstall` and
/// `rollback` prevent that. `installed` has the lock file that [`Installation::install`] returned; it
/// is `None` if the install failed. It is tried again then, and until it succeeds, the plugin that
/// was installed before is restored.
pub(super) async fn keep(
    installed: Option<(Installation, Option<File>)>,
    prepare: impl AsyncFn() -> Result<Installation, Error>,
    interval: Duration,
    published: Option<&Sender<Published>>,
    out: &mut impl Write,
) -> Result<(), Error> {
    let is_installed = installed.is_some();
    let (installation, lock_file) = match installed {
        Some(installed) => installed,
        None => (retry(prepare, interval).await, None),
    };
    let installation = &installation;
    let plugin = installation.plugin_path()?;
    let mut watch = Watch::new(vec![node_settings::beside(&plugin), plugin], interval);
    let mut keeper = Keeper {
        installation,
        is_installed,
        older: None,
        lock_file,
        keeper_lock: None,
        settings: None,
    };
    let mut told = String::new();
    let mut metrics = Metrics::new(installation, published);
    loop {
        let result = keeper.check_and_restore(out).await;
        let failed = match result {
            Ok(KeeperState::Kept) => keeper.install_if_missed(out).await,
            _ => Ok(()),
        };
        let found = result.as_ref().ok().copied();
        let news = match &result {
            Ok(KeeperState::Kept | KeeperState::Unsettled) => String::new(),
            Ok(KeeperState::RolledBack) => {
                "rolled back: the keeper restores the plugin only after the next install".to_owned()
            }
            Ok(KeeperState::Uninstalled) => "uninstalled meanwhile: waiting for SIGTERM".to_owned(),
            // The error may be temporary, such as a read-only file system.
            Err(error) => format!("the plugin cannot be kept for now: {error}; it is tried again"),
        };
        let news = match &failed {
            Err(error) if news.is_empty() => {
                format!("the plugin cannot be installed for now: {error}; it is tried again")
            }
            _ => news,
        };
        if news != told && !news.is_empty() {
            say(out, &news)?;
        }
        told = news;
        let mut refresh = |found| metrics.as_mut().map(|metrics| metrics.refresh(found));
        match result {
            Ok(KeeperState::Uninstalled) => {
                drop(metrics);
                return std::future::pending().await;
            }
            Ok(_) if failed.is_err() => {
                let limit = refresh(found).map_or(interval, |it| it.min(interval));
                watch.changed(Some(limit)).await;
            }
            // Nothing is read again while nothing changes.
            Ok(KeeperState::Kept | KeeperState::RolledBack) => {
                while !watch.changed(refresh(found)).await {}
            }
            Ok(KeeperState::Unsettled) => {
                watch.changed(Some(PATIENCE / 40)).await;
            }
            Err(_) => {
                let limit = refresh(found).map_or(RETRY, |it| it.min(RETRY));
                watch.changed(Some(limit)).await;
            }
        }
    }
}

/// Prepares an install until that succeeds, because the error may be temporary. A keeper that ended
/// would keep the agent's Pod from being ready.
async fn retry(
    prepare: impl AsyncFn() -> Result<Installation, Error>,
    pause: Duration,
) -> Installation {
    loop {
        match prepare().await {
            Ok(installation) => return installation,
            Err(_) => sleep(pause).await,
        }
    }
}

/// Holds the keeper's state and locks.
struct Keeper<'a> {
    installation: &'a Installation,
    /// Whether the install succeeded, or another one came after it
    is_installed: bool,
    /// Digest of the plugin that was there when the install failed
    older: Option<String>,
    /// The lock file of the installation, which shows an uninstall even after it was removed. It is
    /// open from the install on, because an uninstall may follow at once
    lock_file: Option<File>,
    /// A file whose lock shows other processes that a keeper runs
    keeper_lock: Option<File>,
    /// The node settings that the keeper read last
    settings: Option<Vec<u8>>,
}

impl Keeper<'_> {
    async fn check_and_restore(&mut self, out: &mut impl Write) -> Result<KeeperState, Error> {
        let place = &self.installation.place;
        let state = State::lock_existing(place).await?;
        if self.lock_file.as_ref().map(Intent::read_from) == Some(Intent::Uninstalled) {
            return Ok(KeeperState::Uninstalled);
        }
        let Some(state) = state else { return self.install_anew(None, out).await };
        let plugin = ManagedFile::open(place, &state)?;
        let Some(installed) = plugin.installed()? else {
            return self.install_anew(Some(state), out).await;
        };
        self.hold_locks(&state).await?;
        if state.intent().is_rolled_back(&installed) {
            return Ok(KeeperState::RolledBack);
        }
        if plugin.is_being_written(PATIENCE) {
            return Ok(KeeperState::Unsettled);
        }
        let settings = node_settings::beside(plugin.target());
        // Where no plugin is, the settings are not checked: one that refuses them still does DEL.
        let is_nothing_there = !plugin.target().exists();
        let trial = async |prepared: &Path| match is_nothing_there {
            true => Ok(()),
            false => plugin_check::takes_settings(prepared, &settings, None).await,
        };
        let change = plugin.replace(&installed, PLUGIN_MODE, ReplacedBy::Keeper, trial).await?;
        if change == Outcome::Installed {
            plugin.report(out, change)?;
            // An installer writes to the node, and no longer into staging folders.
            StagedRecord::remove(state.folder())?;
        }
        self.keep_settings()?;
        if !self.is_installed {
            self.older.get_or_insert_with(|| sha256(&installed));
        }
        Ok(KeeperState::Kept)
    }

    /// Installs the plugin if that failed before. The plugin that was installed then is in its place.
    async fn install_if_missed(&mut self, out: &mut impl Write) -> Result<(), Error> {
        if let Some(older) = self.older.as_ref().filter(|_| !self.is_installed) {
            self.installation.install_over(older, out).await?;
            self.is_installed = true;
            self.keep_settings()?;
        }
        Ok(())
    }

    /// Installs again after the folder was wiped, and with it the state of the installation.
    async fn install_anew(
        &mut self,
        state: Option<State>,
        out: &mut impl Write,
    ) -> Result<KeeperState, Error> {
        self.lock_file = match state {
            Some(state) => self.installation.install_locked(state, out).await?,
            None => self.installation.install(out).await?,
        };
        self.is_installed = true;
        self.keep_settings()?;
        Ok(KeeperState::Unsettled)
    }

    /// Restores the node settings if their file was removed. A process that wipes the folder may
    /// remove them before the plugin.
    fn keep_settings(&mut self) -> Result<(), Error> {
        let path = node_settings::beside(&self.installation.plugin_path()?);
        match (files::read_if_exists(&path)?, &self.settings) {
            // Those that a rollback moved aside stay there.
            (None, Some(settings)) if !settings::aside_path(&path).exists() => {
                settings::restore(&path, settings)
            }
            (there, _) => {
                self.settings = there;
                Ok(())
            }
        }
    }

    async fn hold_locks(&mut self, state: &State) -> Result<(), Error> {
        self.lock_file = Some(state.open_lock_file()?);
        let lock_path = state::keeper_lock_path(state.folder());
        if !lock_path.exists() {
            files::write(&lock_path, b"", 0o600)?;
        }
        // Read-only, because an open file for writing prevents a read-only remount.
        let file = File::open(&lock_path).map_err(Error::file("open", &lock_path))?;
        // `status` may hold the lock for a moment while it looks for a keeper.
        for _ in 0..state::LOCK_ATTEMPTS {
            if file.try_lock_shared().is_ok() {
                break;
            }
            sleep(state::LOCK_PAUSE).await;
        }
        self.keeper_lock = Some(file);
        Ok(())
    }
}

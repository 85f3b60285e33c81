//! Staying, so that what was installed is still there after somebody else's installer
//! ran.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use antrea_cni::input::node_settings;

use super::installation::{Installation, PLUGIN_MODE};
use super::managed_file::{ManagedFile, Outcome, ReplacedBy};
use super::metrics::{Found, Metrics};
use super::settings;
use super::state::{self, Intent, State};
use super::watch::Watch;
use crate::error::Error;
use crate::output::say;
use crate::{files, plugin_check};

/// How long a plugin that is being written may take until it is replaced all the same.
const PATIENCE: Duration = Duration::from_secs(2);

/// How soon another attempt follows one that failed.
const RETRY: Duration = Duration::from_secs(1);

/// What a look at an installation came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum KeeperState {
    /// All is as it was installed
    Kept,
    /// Somebody is about to write the plugin, or the folder was wiped: soon again
    Unsettled,
    /// It was rolled back, and stays off
    HeldOff,
    /// It was uninstalled
    Uninstalled,
}

/// Installs again whenever something changed; ends with the future. Only `uninstall` and
/// `rollback` keep it from that.
pub(super) async fn keep(
    installation: &Installation,
    interval: Duration,
    out: &mut impl Write,
) -> Result<(), Error> {
    let plugin = installation.plugin_path()?;
    let mut watch = Watch::new(vec![node_settings::beside(&plugin), plugin], interval);
    let mut keeper = Keeper { installation, lock: None, alive: None, settings: None };
    let mut told = String::new();
    let mut metrics = Metrics::new(installation);
    loop {
        let turn = keeper.turn(out).await;
        let found = match turn {
            Ok(KeeperState::Kept) => Found::Kept,
            Ok(KeeperState::HeldOff) => Found::RolledBack,
            Ok(KeeperState::Unsettled | KeeperState::Uninstalled) | Err(_) => Found::Missing,
        };
        let refresh = match (&turn, &mut metrics) {
            (Ok(KeeperState::Unsettled), _) | (_, None) => None,
            (_, Some(metrics)) => Some(metrics.refresh(found)),
        };
        let news = match &turn {
            Ok(KeeperState::Kept | KeeperState::Unsettled) => String::new(),
            Ok(KeeperState::HeldOff) => "rolled back: not installed again by itself".to_owned(),
            Ok(KeeperState::Uninstalled) => "uninstalled meanwhile: waiting for SIGTERM".to_owned(),
            // Such as a file system that is read-only for a while.
            Err(error) => format!("not kept for now: {error}"),
        };
        if news != told && !news.is_empty() {
            say(out, &news)?;
        }
        told = news;
        match turn {
            Ok(KeeperState::Uninstalled) => {
                drop(metrics);
                return std::future::pending().await;
            }
            Ok(KeeperState::Kept | KeeperState::HeldOff) => watch.changed(refresh).await,
            Ok(KeeperState::Unsettled) => watch.changed(Some(PATIENCE / 40)).await,
            Err(_) => watch.changed(Some(refresh.map_or(RETRY, |it| it.min(RETRY)))).await,
        }
    }
}

/// What a keeper holds while it lives.
struct Keeper<'a> {
    installation: &'a Installation,
    /// The lock file of the installation, in which an uninstall is told
    lock: Option<File>,
    /// Locked, so that others see that there is a keeper
    alive: Option<File>,
    /// The settings of the node as they were last
    settings: Option<Vec<u8>>,
}

impl Keeper<'_> {
    async fn turn(&mut self, out: &mut impl Write) -> Result<KeeperState, Error> {
        let place = &self.installation.place;
        let state = State::take_existing(place).await?;
        if self.lock.as_ref().map(Intent::read) == Some(Intent::Uninstalled) {
            return Ok(KeeperState::Uninstalled);
        }
        let Some(state) = state else { return self.install_anew(out).await };
        let plugin = ManagedFile::open(place, &state)?;
        let Some(installed) = plugin.installed()? else {
            drop(state);
            return self.install_anew(out).await;
        };
        self.hold(&state)?;
        if state.marked().is_off(&installed) {
            return Ok(KeeperState::HeldOff);
        }
        if plugin.is_being_written(PATIENCE) {
            return Ok(KeeperState::Unsettled);
        }
        let settings = node_settings::beside(plugin.target());
        let trial =
            async |prepared: &Path| plugin_check::takes_settings(prepared, &settings, None).await;
        let change = plugin.put(&installed, PLUGIN_MODE, ReplacedBy::Keeper, trial).await?;
        if change == Outcome::Installed {
            plugin.report(out, change)?;
        }
        self.keep_settings()?;
        Ok(KeeperState::Kept)
    }

    /// After the folder was wiped, with all that was known of the installation.
    async fn install_anew(&mut self, out: &mut impl Write) -> Result<KeeperState, Error> {
        self.installation.install(out).await?;
        self.keep_settings()?;
        Ok(KeeperState::Unsettled)
    }

    /// Only an uninstall takes the file of settings away. Whoever wipes a folder may take
    /// it before the plugin.
    fn keep_settings(&mut self) -> Result<(), Error> {
        let path = node_settings::beside(&self.installation.plugin_path()?);
        match (files::read(&path)?, &self.settings) {
            (None, Some(settings)) => settings::restore(&path, settings),
            (there, _) => {
                self.settings = there;
                Ok(())
            }
        }
    }

    fn hold(&mut self, state: &State) -> Result<(), Error> {
        let path = state.folder().join("lock");
        self.lock = Some(File::open(&path).map_err(Error::file("open", &path))?);
        let alive = state::alive(state.folder());
        if !alive.exists() {
            files::write(&alive, b"", 0o600)?;
        }
        // Not for writing, so that the file system can be made read-only meanwhile.
        let file = File::open(&alive).map_err(Error::file("open", &alive))?;
        // Whoever looks whether there is a keeper has it for a moment.
        let _ = file.try_lock_shared();
        self.alive = Some(file);
        Ok(())
    }
}

// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Installs a plugin with its node settings.

use std::borrow::Cow;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use antrea_cni::input::node_settings;
use tokio::task::spawn_blocking;

use super::managed_file::{ManagedFile, ReplacedBy};
use super::settings;
use super::state::{Intent, State, sha256};
use crate::cli::{Install, Place};
use crate::error::Error;
use crate::output::say;
use crate::setting_arg::SettingArg;
use crate::{files, plugin_check};

pub(super) const PLUGIN_MODE: u32 = 0o755;

/// Describes what to install.
pub(super) struct Installation {
    pub(super) place: Place,
    pub(super) plugin: Cow<'static, [u8]>,
    /// Antrea's plugin, from a staging folder
    antreas: Option<Vec<u8>>,
    pub(super) settings: Vec<SettingArg>,
    /// Whether the install runs without a person, as in a container
    pub(super) is_unattended: bool,
    /// File into which the keeper writes metrics
    pub(super) metrics: Option<PathBuf>,
    pub(super) metrics_interval: Duration,
}

/// Returns whether a file has the metrics of a keeper.
pub(super) fn is_metrics(bytes: &[u8]) -> bool {
    bytes.starts_with(b"# HELP antrea_cni_")
}

impl Installation {
    /// Reads and checks all input before a file is changed.
    pub(super) async fn prepare(
        arguments: &Install,
        embedded: Option<&'static [u8]>,
        antreas: Option<&[u8]>,
    ) -> Result<Self, Error> {
        let arguments = arguments.clone();
        let antreas = antreas.map(<[u8]>::to_vec);
        // On its own thread, because the read of a FIFO may never end.
        let read = spawn_blocking(move || {
            let plugin = match &arguments.from {
                Some(path) => fs::read(path).map_err(Error::file("read", path))?.into(),
                None => embedded.ok_or(Error::NothingEmbedded)?.into(),
            };
            // The keeper replaces this file, and removes it when it ends. A file without metrics
            // belongs to another program.
            let metrics = arguments.metrics.as_deref().map(files::read_if_exists).transpose()?;
            let metrics = metrics.flatten().unwrap_or_default();
            if !metrics.is_empty() && !is_metrics(&metrics) {
                let said = "--metrics names a file that is there and has no metrics: name another";
                return Err(Error::Argument(said.to_owned()));
            }
            Ok(Self {
                plugin,
                antreas,
                is_unattended: arguments.keep.is_some() || arguments.best_effort,
                settings: settings::requested(arguments.place.named_conf_dir(), arguments.set)?,
                place: arguments.place,
                metrics: arguments.metrics,
                metrics_interval: arguments.metrics_interval,
            })
        });
        read.await.map_err(|error| Error::Runtime(error.into()))?
    }

    pub(super) fn plugin_path(&self) -> Result<PathBuf, Error> {
        let path = self.place.plugin()?;
        std::path::absolute(&path).map_err(Error::file("find", &path))
    }

    /// Installs the plugin, unless it was rolled back and no person asks for it.
    /// Returns the open lock file, which shows an uninstall from then on. What is installed stays so
    /// where it cannot be opened.
    pub(super) async fn install(&self, out: &mut impl Write) -> Result<Option<File>, Error> {
        files::create_folder(self.place.bin_dir(), 0o755)?;
        self.install_locked(State::lock(&self.place).await?, out).await
    }

    /// Installs the plugin in the place of the one with the digest `older`, unless that was
    /// uninstalled, rolled back or replaced by another install meanwhile.
    pub(super) async fn install_over(
        &self,
        older: &str,
        out: &mut impl Write,
    ) -> Result<(), Error> {
        let Some(state) = State::lock_existing(&self.place).await? else { return Ok(()) };
        match ManagedFile::open(&self.place, &state)?.installed()? {
            Some(installed)
                if sha256(&installed) == older && !state.intent().is_rolled_back(&installed) =>
            {
                self.install_locked(state, out).await.map(drop)
            }
            _ => Ok(()),
        }
    }

    /// Does the same as [`Self::install`] under a lock.
    pub(super) async fn install_locked(
        &self,
        state: State,
        out: &mut impl Write,
    ) -> Result<Option<File>, Error> {
        if self.is_unattended && state.intent().is_rolled_back(&self.plugin) {
            let plugin = self.plugin_path()?;
            if let Some(antreas) = &self.antreas {
                ManagedFile::open(&self.place, &state)?.put(antreas, PLUGIN_MODE)?;
            }
            say(out, format!("{}: was rolled back: not installed again", plugin.display()))?;
            return Ok(state.open_lock_file().ok());
        }
        if let Err(error) = self.install_plugin(&state, out).await {
            // A refused first install leaves no state behind.
            if ManagedFile::open(&self.place, &state)?.installed()?.is_none() {
                state.remove()?;
            }
            return Err(error);
        }
        if state.intent() != Intent::None {
            state.set_intent(&Intent::None)?;
        }
        Ok(state.open_lock_file().ok())
    }

    async fn install_plugin(&self, state: &State, out: &mut impl Write) -> Result<(), Error> {
        let file = ManagedFile::open(&self.place, state)?;
        let settings = settings::changed(file.target(), &self.settings)?;
        let folder = self.place.bin_dir();
        let beside = node_settings::beside(file.target());
        let trial = async |prepared: &Path| {
            plugin_check::check_starts(prepared, folder).await?;
            plugin_check::takes_settings(prepared, &beside, settings.as_deref()).await
        };
        if file.installed()?.is_none() {
            settings::keep_original(state, &beside)?;
        }
        let change = file.replace(&self.plugin, PLUGIN_MODE, ReplacedBy::Install, trial).await?;
        if let Some(antreas) = &self.antreas {
            file.keep_as_original(antreas, PLUGIN_MODE)?;
        }
        if let Some(settings) = settings {
            settings::write(state, &beside, &settings)?;
        }
        file.report(out, change)
    }
}

/// Puts Antrea's staged plugin in the place of one that cannot be used, if it runs here.
pub(super) async fn put_instead(place: &Place, antreas: &[u8]) -> Result<(), Error> {
    let state = State::lock(place).await?;
    let file = ManagedFile::open(place, &state)?;
    let prepared = files::prepare(file.target(), antreas, PLUGIN_MODE)?;
    let starts = plugin_check::check_starts(&prepared, place.bin_dir()).await;
    drop(prepared);
    let put = match starts {
        Ok(()) => file.put(antreas, PLUGIN_MODE),
        Err(error) => Err(error),
    };
    match file.installed()? {
        // A refused first install leaves no state behind.
        None => state.remove().and(put),
        Some(_) => put,
    }
}

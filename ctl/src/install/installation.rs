//! What is to be there in the end, and how it gets there.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use antrea_cni::input::node_settings;
use tokio::task::spawn_blocking;

use super::list::{self, List};
use super::slot::{By, Change};
use super::state::{Mark, State};
use super::{settings, slots};
use crate::cli::{Install, Place};
use crate::error::Error;
use crate::output::{say, warn};
use crate::set::Set;
use crate::{files, trial};

pub(super) const PLUGIN_MODE: u32 = 0o755;
pub(super) const SETTINGS_MODE: u32 = 0o644;

/// What is not to come back by itself.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Off {
    Nothing,
    List,
    All,
}

/// What is to be there in the end.
pub(super) struct Installation {
    pub(super) place: Place,
    pub(super) plugin: Vec<u8>,
    pub(super) list: Option<List>,
    pub(super) settings: Vec<Set>,
    /// Whether no person asked for it just now
    pub(super) is_unattended: bool,
    pub(super) is_keeper: bool,
    pub(super) conf_dir: PathBuf,
    /// Where a keeper writes metrics
    pub(super) metrics: Option<PathBuf>,
    pub(super) metrics_interval: Duration,
}

impl Installation {
    /// Reads and checks everything before anything is changed.
    pub(super) async fn read(
        arguments: &Install,
        embedded: Option<&'static [u8]>,
    ) -> Result<Self, Error> {
        let arguments = arguments.clone();
        // On a thread of its own: a FIFO may let it wait for ever.
        let read = spawn_blocking(move || {
            let plugin = match &arguments.from {
                Some(path) => fs::read(path).map_err(Error::file("read", path))?,
                None => embedded.ok_or(Error::NothingEmbedded)?.to_vec(),
            };
            let list = arguments.conflist.as_ref().map(|it| List::read(it, &arguments));
            Ok(Self {
                plugin,
                list: list.transpose()?,
                is_unattended: arguments.keep.is_some() || arguments.best_effort,
                is_keeper: arguments.keep.is_some(),
                place: arguments.place,
                settings: settings::of(&arguments.conf_dir, arguments.set)?,
                conf_dir: arguments.conf_dir,
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

    pub(super) async fn install(&self, out: &mut impl Write) -> Result<(), Error> {
        files::create_folder(self.place.bin_dir(), 0o755)?;
        let state = State::take(&self.place).await?;
        let off = if self.is_unattended { self.is_off(&state.marked()) } else { Off::Nothing };
        if off == Off::All {
            return say(
                out,
                format!("{}: was rolled back: left off", self.plugin_path()?.display()),
            );
        }
        let change = match self.install_plugin(&state, out).await {
            Ok(change) => change,
            Err(error) => {
                // A refused install leaves nothing behind.
                if slots::plugin(&self.place, &state)?.installed()?.is_none() {
                    state.remove()?;
                }
                return Err(error);
            }
        };
        if off == Off::List {
            return Ok(());
        }
        if state.marked() != Mark::None {
            state.mark(&Mark::None)?;
        }
        // Not under the lock: others may want to uninstall while it waits for an agent.
        drop(state);
        match &self.list {
            Some(list) => self.install_list(list, change, out).await,
            None => Ok(()),
        }
    }

    /// What a rollback keeps from coming back by itself.
    pub(super) fn is_off(&self, mark: &Mark) -> Off {
        let Mark::RolledBack { plugin, conflist } = mark else { return Off::Nothing };
        let is_list_off = self.list.as_ref().is_some_and(|list| mark.is_list_off(&list.bytes));
        let is_same_list = self.list.is_none() || conflist.is_none() || is_list_off;
        match plugin {
            Some(_) if mark.is_off(&self.plugin) && is_same_list => Off::All,
            None if is_list_off => Off::List,
            _ => Off::Nothing,
        }
    }

    async fn install_plugin(&self, state: &State, out: &mut impl Write) -> Result<Change, Error> {
        let slot = slots::plugin(&self.place, state)?;
        let settings = settings::changed(slot.target(), &self.settings)?;
        let folder = self.place.bin_dir();
        let beside = node_settings::beside(slot.target());
        let trial = async |prepared: &Path| {
            trial::run(prepared, folder).await?;
            trial::takes_settings(prepared, &beside, settings.as_deref()).await
        };
        let change = slot.put(&self.plugin, PLUGIN_MODE, By::Install, trial).await?;
        if change == Change::Installed
            && let Some(list) = slots::conflist(&self.place, state, None)?
        {
            list.forget(&[By::Install, By::Keeper])?;
        }
        if let Some(settings) = settings {
            files::write(&beside, &settings, SETTINGS_MODE)?;
            files::remove(&settings::aside(&beside))?;
        }
        slot.report(out, change)?;
        Ok(change)
    }

    async fn install_list(
        &self,
        list: &List,
        plugin: Change,
        out: &mut impl Write,
    ) -> Result<(), Error> {
        list.wait_for_agent(&self.plugin_path()?).await?;
        let Some(state) = State::take_existing(&self.place).await? else { return Ok(()) };
        if let Some(folder) = list.target.parent() {
            files::create_folder(folder, 0o755)?;
        }
        // One under another name before: that one is not wanted any more.
        if let Some(other) = slots::conflist(&self.place, &state, Some(&list.target))?
            && other.target() != list.target
        {
            other.undo()?;
            other.remove()?;
        }
        state.set_conflist(&list.target)?;
        let slot = slots::at(&self.place, list.target.clone())?;
        let bytes = match self.is_keeper {
            true => list::kept(slot.there()?.as_deref(), &list.bytes, &self.place.name),
            false => list.bytes.clone(),
        };
        let mode = slot.mode().map_or(list.mode, |mode| mode & list.mode);
        slot.want(&list.bytes)?;
        let change = slot.put(&bytes, mode, By::Install, async |_| Ok(())).await?;
        if change == Change::Installed && plugin != Change::Installed {
            slots::plugin(&self.place, &state)?.forget(&[By::Install, By::Keeper])?;
        }
        slot.report(out, change)?;
        if let Some(other) = list.shadowed_by() {
            warn(format!("the runtime takes {} instead: its name comes first", other.display()));
        }
        Ok(())
    }
}

//! Putting the plugin on a node, and taking it off again.
//!
//! Runtimes start the plugin at any moment and know only its name. So there is
//! never a moment without a whole file under that name, and none at which it is
//! open for writing ("text file busy"): a new one is written beside it, run once
//! and renamed over it. What was there is kept in a hidden folder beside it,
//! [`slot::Slot`]; [`state::State`] says whose turn it is.

mod keep;
mod list;
mod metrics;
mod settings;
mod slot;
mod slots;
pub(crate) mod state;
mod watch;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use antrea_cni::input::node_settings;
use tokio::runtime::{Builder, Runtime};
use tokio::task::spawn_blocking;

use self::list::List;
use self::slot::{By, Change, Slot};
use self::state::{Mark, State, sha256};
use crate::cli::{Install, Place, Undo, Uninstall};
use crate::error::{Error, Exit};
use crate::output::{say, warn};
use crate::set::Set;
use crate::{files, net_d, trial};

const PLUGIN_MODE: u32 = 0o755;
const SETTINGS_MODE: u32 = 0o644;

#[cfg(embedded)]
const EMBEDDED: Option<&[u8]> = Some(include_bytes!(concat!(env!("OUT_DIR"), "/plugin")));
#[cfg(not(embedded))]
const EMBEDDED: Option<&[u8]> = None;

/// What is embedded, for a person.
pub(crate) fn embedded() -> String {
    match EMBEDDED {
        Some(plugin) => format!(
            "with the plugin {} in it, sha256 {}",
            env!("CARGO_PKG_VERSION"),
            sha256(plugin)
        ),
        None => "no plugin is in it".to_owned(),
    }
}

/// Installs the plugin, and then the network configuration list; stays if that is
/// wanted.
pub(crate) fn install(arguments: &Install, out: &mut impl Write) -> Result<Exit, Error> {
    until_terminated(
        async {
            let installed = match Installation::read(arguments).await {
                Ok(installation) => {
                    let done = installation.install(out).await;
                    done.map(|()| installation)
                }
                Err(error) => Err(error),
            };
            let plugin = files::within(&arguments.place.bin_dir, &arguments.place.name)?;
            let installation = match installed {
                Ok(installation) => installation,
                Err(error) if arguments.best_effort && trial::works(&plugin).await => {
                    warn(format!("{}: left as it is: {error}", plugin.display()));
                    match arguments.keep {
                        // The reason may pass.
                        Some(_) => Installation::read(arguments).await?,
                        None => return Ok(Exit::Success),
                    }
                }
                Err(error) => return Err(error),
            };
            if let Some(interval) = arguments.keep {
                keep::keep(&installation, interval, out).await?;
            }
            Ok(Exit::Success)
        },
        if arguments.keep.is_some() { Exit::Success } else { Exit::Failure },
    )
}

/// Does something, or ends with `otherwise` as soon as a signal says so, wherever it
/// waits.
fn until_terminated(
    work: impl Future<Output = Result<Exit, Error>>,
    otherwise: Exit,
) -> Result<Exit, Error> {
    let runtime: Runtime =
        Builder::new_current_thread().enable_all().build().map_err(Error::Runtime)?;
    let done = runtime.block_on(async {
        let mut signals = keep::Signals::listen()?;
        tokio::select! {
            () = signals.terminated() => Ok(otherwise),
            done = work => done,
        }
    });
    // Not to wait for a thread that nobody waits for any more.
    runtime.shutdown_background();
    done
}

/// What is not to come back by itself.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Off {
    Nothing,
    List,
    All,
}

/// What is to be there in the end.
struct Installation {
    place: Place,
    plugin: Vec<u8>,
    list: Option<List>,
    settings: Vec<Set>,
    /// Whether no person asked for it just now
    is_unattended: bool,
    is_keeper: bool,
    conf_dir: PathBuf,
    /// Where a keeper writes metrics
    metrics: Option<PathBuf>,
}

impl Installation {
    /// Reads and checks everything before anything is changed.
    async fn read(arguments: &Install) -> Result<Self, Error> {
        let arguments = arguments.clone();
        // On a thread of its own: a FIFO may let it wait for ever.
        let read = spawn_blocking(move || {
            let plugin = match &arguments.from {
                Some(path) => fs::read(path).map_err(Error::file("read", path))?,
                None => EMBEDDED.ok_or(Error::NothingEmbedded)?.to_vec(),
            };
            let list = arguments.conflist.as_ref().map(|it| List::read(it, &arguments));
            Ok(Self {
                plugin,
                list: list.transpose()?,
                is_unattended: arguments.keep.is_some() || arguments.best_effort,
                is_keeper: arguments.keep.is_some(),
                place: arguments.place,
                settings: [settings::of_environment()?, arguments.set].concat(),
                conf_dir: arguments.conf_dir,
                metrics: arguments.metrics,
            })
        });
        read.await.map_err(|error| Error::Runtime(error.into()))?
    }

    fn plugin_path(&self) -> Result<PathBuf, Error> {
        let path = files::within(&self.place.bin_dir, &self.place.name)?;
        std::path::absolute(&path).map_err(Error::file("find", &path))
    }

    async fn install(&self, out: &mut impl Write) -> Result<(), Error> {
        files::create_folder(&self.place.bin_dir, 0o755)?;
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
    fn is_off(&self, mark: &Mark) -> Off {
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
        let folder = &self.place.bin_dir;
        let trial = async |prepared: &Path| trial::run(prepared, folder).await;
        let change = slot.put(&self.plugin, PLUGIN_MODE, By::Install, trial).await?;
        if change == Change::Installed
            && let Some(list) = slots::conflist(&self.place, state, None)?
        {
            list.forget(&[By::Install, By::Keeper])?;
        }
        if let Some(settings) = settings {
            files::write(&node_settings::beside(slot.target()), &settings, SETTINGS_MODE)?;
        }
        report(out, &slot, change)?;
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
        report(out, &slot, change)?;
        if let Some(other) = list.shadowed_by() {
            warn(format!("the runtime takes {} instead: its name comes first", other.display()));
        }
        Ok(())
    }
}

/// Takes something back, and stays if that is wanted.
fn undo<O: Write>(
    arguments: &Undo,
    out: &mut O,
    work: impl AsyncFnOnce(&mut O) -> Result<Exit, Error>,
) -> Result<Exit, Error> {
    let otherwise = if arguments.stay { Exit::Success } else { Exit::Failure };
    until_terminated(
        async {
            let exit = work(out).await?;
            if arguments.stay {
                say(out, "done: waiting for SIGTERM")?;
                std::future::pending::<()>().await;
            }
            Ok(exit)
        },
        otherwise,
    )
}

/// Takes the list away, then the plugin, each only if it is still ours.
pub(crate) fn uninstall(arguments: &Uninstall, out: &mut impl Write) -> Result<Exit, Error> {
    let Undo { place, conf_dir, .. } = &arguments.undo;
    undo(&arguments.undo, out, async |out| {
        let Some(state) = State::take_existing(place).await? else { return nothing(place, out) };
        let plugin = slots::plugin(place, &state)?;
        let list = slots::conflist(place, &state, here(&state, conf_dir)?.as_deref())?;
        if !arguments.force {
            refuse_if_needed(place, conf_dir, &plugin, list.as_ref()).await?;
        }
        if let Some(list) = list {
            report(out, &list, list.undo()?)?;
            list.remove()?;
        }
        report(out, &plugin, plugin.undo()?)?;
        files::remove(&node_settings::beside(plugin.target()))?;
        state.uninstalled()?;
        Ok(Exit::Success)
    })
}

/// Keeps the plugin while a list needs it and nothing that works would stand there.
async fn refuse_if_needed(
    place: &Place,
    conf_dir: &Path,
    plugin: &Slot,
    list: Option<&Slot>,
) -> Result<(), Error> {
    if !plugin.is_ours()? {
        return Ok(());
    }
    if let Some(original) = plugin.original()
        && trial::works(&original).await
    {
        return Ok(());
    }
    let is_going = |path: &Path| {
        list.is_some_and(|list| list.target() == path && list.is_ours().unwrap_or_default())
    };
    let names_it =
        |path: &Path| fs::read(path).is_ok_and(|bytes| net_d::types(&bytes).contains(&place.name));
    let folder = std::path::absolute(conf_dir).map_err(Error::file("find", conf_dir))?;
    let original = list.and_then(Slot::original).filter(|it| names_it(it));
    let needing = net_d::files(&folder)
        .into_iter()
        .find(|path| names_it(path) && !is_going(path))
        .or_else(|| original.and_then(|_| list.map(|list| list.target().to_owned())));
    match needing {
        Some(list) => Err(Error::Needed { plugin: plugin.target().to_owned(), list }),
        None => Ok(()),
    }
}

/// Puts back what was there before the last change: the list, then the plugin.
pub(crate) fn rollback(arguments: &Undo, out: &mut impl Write) -> Result<Exit, Error> {
    let Undo { place, conf_dir, .. } = arguments;
    undo(arguments, out, async |out| {
        let Some(state) = State::take_existing(place).await? else { return nothing(place, out) };
        let plugin = slots::plugin(place, &state)?;
        let list = slots::conflist(place, &state, here(&state, conf_dir)?.as_deref())?;
        let plugins = plugin.can_go_back()?;
        let lists = list.as_ref().map_or(Ok(false), Slot::can_go_back)?;
        if !plugins && !lists {
            report(out, &plugin, Change::NothingBefore)?;
            return Ok(Exit::Success);
        }
        // First, so that a keeper that sees the change knows why.
        let list = list.filter(|_| lists);
        let plugin_off = if plugins { plugin.installed()? } else { None };
        let list_off = match &list {
            Some(list) => list.wanted()?.or(list.installed()?),
            None => None,
        };
        let sum = |bytes: Option<Vec<u8>>| bytes.map(|it| sha256(&it));
        state.mark(&Mark::RolledBack { plugin: sum(plugin_off), conflist: sum(list_off) })?;
        if let Some(list) = list {
            report(out, &list, list.back()?)?;
        }
        report(out, &plugin, plugin.back()?)?;
        Ok(Exit::Success)
    })
}

/// The remembered list as it is called in this folder.
fn here(state: &State, conf_dir: &Path) -> Result<Option<PathBuf>, Error> {
    let name = state.conflist()?.and_then(|path| path.file_name().map(ToOwned::to_owned));
    Ok(name.map(|name| conf_dir.join(name)))
}

fn nothing(place: &Place, out: &mut impl Write) -> Result<Exit, Error> {
    let target = files::within(&place.bin_dir, &place.name)?;
    say(out, format!("{}: nothing was installed here", target.display()))?;
    Ok(Exit::Success)
}

fn report(out: &mut impl Write, slot: &Slot, change: Change) -> Result<(), Error> {
    say(out, format!("{}: {change}", slot.target().display()))
}

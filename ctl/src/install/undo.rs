//! Taking the plugin off a node, or back to what it was before.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use antrea_cni::input::node_settings;
use serde_json::{Map, Value};

use super::installation::SETTINGS_MODE;
use super::signals::until_terminated;
use super::slot::{Change, Slot};
use super::state::{Mark, State, sha256};
use super::{settings, slots};
use crate::cli::{Place, Undo, Uninstall};
use crate::error::{Error, Exit};
use crate::network::{self, Network};
use crate::output::{say, warn};
use crate::{files, trial};

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
            list.report(out, list.undo()?)?;
            list.remove()?;
        }
        plugin.report(out, plugin.undo()?)?;
        let settings = node_settings::beside(plugin.target());
        files::remove(&settings::aside(&settings))?;
        files::remove(&settings)?;
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
        && trial::works(&original, trial::LIMIT).await
    {
        return Ok(());
    }
    let is_going = |path: &Path| {
        list.is_some_and(|list| list.target() == path && list.is_ours().unwrap_or_default())
    };
    let names_it = |path: &Path| Network::read(path).is_ok_and(|it| it.leads_to(&place.name));
    let folder = std::path::absolute(conf_dir).map_err(Error::file("find", conf_dir))?;
    let original = list.and_then(Slot::original).filter(|it| names_it(it));
    let needing = network::files(&folder)
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
            plugin.report(out, Change::NothingBefore)?;
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
            list.report(out, list.back()?)?;
        }
        plugin.report(out, plugin.back()?)?;
        set_refused_settings_aside(plugin.target()).await?;
        Ok(Exit::Success)
    })
}

/// A version that was put back may not know a setting of the node: each ADD would end with
/// code 7. Such settings are kept beside the others, for the next install.
async fn set_refused_settings_aside(plugin: &Path) -> Result<(), Error> {
    let path = node_settings::beside(plugin);
    let takes = async |settings: Option<&[u8]>| match trial::takes_settings(plugin, &path, settings)
        .await
    {
        Err(Error::RefusesSettings { why, .. }) => Ok(Some(why)),
        taken => taken.map(|()| None),
    };
    let Some(why) = takes(None).await? else { return Ok(()) };
    let all: Map<String, Value> =
        serde_json::from_slice(&files::read(&path)?.unwrap_or_default()).unwrap_or_default();
    let mut taken = Map::new();
    for (key, value) in all {
        let one = Value::Object(Map::from_iter([(key.clone(), value.clone())])).to_string();
        if takes(Some(one.as_bytes())).await?.is_none() {
            taken.insert(key, value);
        }
    }
    let aside = settings::aside(&path);
    fs::rename(&path, &aside).map_err(Error::file("rename", &path))?;
    if !taken.is_empty() {
        let taken = format!("{:#}\n", Value::Object(taken));
        files::write(&path, taken.as_bytes(), SETTINGS_MODE)?;
    }
    let aside = aside.display();
    warn(format!(
        "the version before refuses settings of this node, all of which are in {aside} now: {why}"
    ));
    Ok(())
}

/// The remembered list as it is called in this folder.
fn here(state: &State, conf_dir: &Path) -> Result<Option<PathBuf>, Error> {
    let name = state.conflist()?.and_then(|path| path.file_name().map(ToOwned::to_owned));
    Ok(name.map(|name| conf_dir.join(name)))
}

fn nothing(place: &Place, out: &mut impl Write) -> Result<Exit, Error> {
    let target = place.plugin()?;
    say(out, format!("{}: nothing was installed here", target.display()))?;
    Ok(Exit::Success)
}

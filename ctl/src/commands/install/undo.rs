// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Uninstalls the plugin, or rolls it back.

use std::io::Write;
use std::path::Path;

use antrea_cni::input::node_settings;
use serde_json::{Map, Value};

use super::managed_file::{ManagedFile, Outcome};
#[cfg(target_os = "linux")]
use super::metrics;
use super::settings;
use super::signals::until_terminated;
use super::state::{Intent, State, sha256};
use crate::cli::{Place, Undo, Uninstall};
use crate::error::{Error, Exit};
use crate::network;
use crate::output::{say, warn};
use crate::{files, plugin_check};

/// Runs `work`. With `--stay` it then waits for a signal.
fn run_and_stay<O: Write>(
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

/// Runs the command `uninstall`, which leaves a foreign plugin alone.
pub(crate) fn uninstall(arguments: &Uninstall, out: &mut impl Write) -> Result<Exit, Error> {
    let place = &arguments.undo.place;
    run_and_stay(&arguments.undo, out, async |out| {
        let Some(state) = State::lock_existing(place).await? else {
            return report_nothing_installed(place, out);
        };
        let plugin = ManagedFile::open(place, &state)?;
        if !arguments.force {
            refuse_if_needed(place, &plugin).await?;
        }
        plugin.report(out, plugin.undo()?)?;
        settings::undo(&state, &node_settings::beside(plugin.target()))?;
        remove_metrics(&state);
        state.uninstall()?;
        Ok(Exit::Success)
    })
}

/// Fails if a conflist needs the plugin and no working plugin would replace it.
async fn refuse_if_needed(place: &Place, plugin: &ManagedFile) -> Result<(), Error> {
    if !plugin.is_ours()? {
        return Ok(());
    }
    if let Some(original) = plugin.original_path()
        && plugin_check::works(&original, plugin_check::LIMIT).await
    {
        return Ok(());
    }
    match network::first_leading_to(&place.conf_dir(), &place.name) {
        Some(network) => Err(Error::Needed {
            plugin: plugin.target().to_owned(),
            list: network.pod_network().source.path.clone(),
        }),
        None => Ok(()),
    }
}

/// Fails if a conflist needs the plugin, and the one that a rollback would restore does not work
/// while the installed one does.
async fn refuse_broken(place: &Place, plugin: &ManagedFile) -> Result<(), Error> {
    let works = async |path: &Path| plugin_check::works(path, plugin_check::LIMIT).await;
    match (plugin.previous_path(), network::first_leading_to(&place.conf_dir(), &place.name)) {
        (Some(previous), Some(network))
            if !works(&previous).await && works(plugin.target()).await =>
        {
            Err(Error::BrokenPrevious {
                plugin: plugin.target().to_owned(),
                list: network.pod_network().source.path.clone(),
            })
        }
        _ => Ok(()),
    }
}

/// Runs the command `rollback`, which restores the plugin from before the last change.
pub(crate) fn rollback(arguments: &Undo, out: &mut impl Write) -> Result<Exit, Error> {
    let place = &arguments.place;
    run_and_stay(arguments, out, async |out| {
        let Some(state) = State::lock_existing(place).await? else {
            return report_nothing_installed(place, out);
        };
        let plugin = ManagedFile::open(place, &state)?;
        if !plugin.can_roll_back()? {
            plugin.report(out, Outcome::NoPrevious)?;
            return Ok(Exit::Success);
        }
        refuse_broken(place, &plugin).await?;
        // The intent is written first, so that the keeper does not undo the rollback.
        if let Some(off) = plugin.installed()? {
            state.set_intent(&Intent::RolledBack(sha256(&off)))?;
        }
        plugin.report(out, plugin.roll_back()?)?;
        remove_metrics(&state);
        set_refused_settings_aside(&state, plugin.target()).await?;
        Ok(Exit::Success)
    })
}

/// Removes what a killed keeper said of the plugin. A command does not fail because of it.
fn remove_metrics(state: &State) {
    #[cfg(target_os = "linux")]
    if let Err(error) = metrics::remove_left(state.folder()) {
        warn(format!("the metrics of a keeper that was killed stay: {error}"));
    }
    #[cfg(not(target_os = "linux"))]
    let _ = state;
}

/// Moves the node settings aside for the next install if the restored plugin refuses one. With a
/// setting that the plugin does not know, each ADD would end with code 7.
async fn set_refused_settings_aside(state: &State, plugin: &Path) -> Result<(), Error> {
    let path = node_settings::beside(plugin);
    let takes =
        async |settings: Option<&[u8]>| match plugin_check::takes_settings(plugin, &path, settings)
            .await
        {
            Err(Error::RefusesSettings { why, .. }) => Ok(Some(why)),
            accepted => accepted.map(|()| None),
        };
    let Some(why) = takes(None).await? else { return Ok(()) };
    let all: Map<String, Value> =
        serde_json::from_slice(&files::read_if_exists(&path)?.unwrap_or_default())
            .unwrap_or_default();
    let mut accepted = Map::new();
    for (key, value) in all {
        let one = Value::Object(Map::from_iter([(key.clone(), value.clone())])).to_string();
        if takes(Some(one.as_bytes())).await?.is_none() {
            accepted.insert(key, value);
        }
    }
    let aside = settings::aside_path(&path);
    settings::set_aside(state, &path, &accepted)?;
    let aside = aside.display();
    warn(format!(
        "the restored plugin refuses a setting of this node, so all of them were moved to {aside}: {why}"
    ));
    Ok(())
}

fn report_nothing_installed(place: &Place, out: &mut impl Write) -> Result<Exit, Error> {
    let target = place.plugin()?;
    say(out, format!("{}: nothing was installed here", target.display()))?;
    Ok(Exit::Success)
}

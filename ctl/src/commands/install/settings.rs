// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Writes and restores the node settings.

use std::path::{Path, PathBuf};

use antrea_cni::input::{Settings, node_settings};
use serde_json::{Map, Value};

use super::state::State;
use crate::error::Error;
use crate::files;
use crate::setting_arg::{SettingArg, first_error};

/// Returns the settings to install: `confDir`, which is absent if it is the default, then those of the
/// environment, then those of the command line. The last value of a setting counts.
pub(super) fn requested(
    conf_dir: Option<PathBuf>,
    set: Vec<SettingArg>,
) -> Result<Vec<SettingArg>, Error> {
    let mut all = Vec::new();
    if let Some(conf_dir) = conf_dir {
        let path = std::path::absolute(&conf_dir).map_err(Error::file("find", &conf_dir))?;
        let value = match path == Path::new(&Settings::default().conf_dir) {
            true => Value::Null,
            false => Value::from(path.to_string_lossy()),
        };
        all.push(SettingArg { key: "confDir".to_owned(), value });
    }
    all.extend(from_environment()?);
    all.extend(set);
    Ok(all)
}

/// Returns the settings in the environment: `ANTREA_CNI_SET_KEY`.
fn from_environment() -> Result<Vec<SettingArg>, Error> {
    std::env::vars_os()
        .filter_map(|(name, value)| {
            let name = name.into_string().ok()?;
            let key = name.strip_prefix("ANTREA_CNI_SET_")?;
            let set = SettingArg::parse(&format!(
                "{key}={}",
                value.to_string_lossy().trim_end_matches(['\r', '\n'])
            ));
            Some(set.map_err(|wrong| Error::Environment { name, wrong }))
        })
        .collect()
}

const MODE: u32 = 0o644;

/// Keeps the node settings from before the first install, for `uninstall`.
pub(super) fn keep_original(state: &State, path: &Path) -> Result<(), Error> {
    match path.is_file() {
        true => files::link_or_copy(path, &original_path(state)),
        false => Ok(()),
    }
}

/// Writes the node settings that an install changed. The same settings are not written again.
pub(super) fn write(state: &State, path: &Path, bytes: &[u8]) -> Result<(), Error> {
    for (path, mode) in [(&*written_path(state), 0o600), (path, MODE)] {
        if !files::is_same(path, bytes, mode) {
            files::write(path, bytes, mode)?;
        }
    }
    files::remove(&aside_path(path)).map(drop)
}

/// Writes the node settings that the keeper read last.
#[cfg(target_os = "linux")]
pub(super) fn restore(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    files::write(path, bytes, MODE)
}

/// Moves the node settings aside, and writes only those that the plugin accepts.
pub(super) fn set_aside(
    state: &State,
    path: &Path,
    accepted: &Map<String, Value>,
) -> Result<(), Error> {
    files::rename(path, &aside_path(path))?;
    let text = format!("{:#}\n", Value::Object(accepted.clone()));
    files::write(&written_path(state), text.as_bytes(), 0o600)?;
    if accepted.is_empty() { Ok(()) } else { files::write(path, text.as_bytes(), MODE) }
}

/// Restores the node settings from before the first install, or removes those that an install
/// wrote. What a person wrote since then stays.
pub(super) fn undo(state: &State, path: &Path) -> Result<(), Error> {
    files::remove(&aside_path(path))?;
    let (now, written) =
        (files::read_if_exists(path)?, files::read_if_exists(&written_path(state))?);
    let original = original_path(state);
    match (original.exists(), now.is_none() || now == written) {
        (true, true) => files::move_to(&original, path),
        (false, true) => files::remove(path).map(drop),
        (_, false) => Ok(()),
    }
}

fn original_path(state: &State) -> PathBuf {
    state.folder().join("settings-before")
}

fn written_path(state: &State) -> PathBuf {
    state.folder().join("settings-written")
}

/// Returns the path of node settings that were moved aside in a rollback.
pub(super) fn aside_path(path: &Path) -> PathBuf {
    let mut aside = path.to_owned().into_os_string();
    aside.push(".refused");
    aside.into()
}

/// Returns the node settings after some changes, or `None` if nothing changes.
pub(super) fn changed(plugin: &Path, changes: &[SettingArg]) -> Result<Option<Vec<u8>>, Error> {
    let path = node_settings::beside(plugin);
    let aside = files::read_if_exists(&aside_path(&path))?;
    if changes.is_empty() && aside.is_none() {
        return Ok(None);
    }
    // A file that is not a JSON object has no settings that could be lost.
    let read = |bytes: Option<Vec<u8>>| -> Map<String, Value> {
        serde_json::from_slice(&bytes.unwrap_or_default()).unwrap_or_default()
    };
    let is_aside = aside.is_some();
    let before = read(files::read_if_exists(&path)?);
    let mut members = read(aside);
    members.extend(before.clone());
    for SettingArg { key, value } in changes {
        match value {
            Value::Null => members.remove(key),
            value => members.insert(key.clone(), value.clone()),
        };
    }
    if !is_aside && members == before {
        return Ok(None);
    }
    let all = Value::Object(members);
    match first_error(&all, &path) {
        Some(wrong) => Err(Error::Settings { wrong }),
        None => Ok(Some(format!("{all:#}\n").into_bytes())),
    }
}

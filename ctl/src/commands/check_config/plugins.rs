// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Asks the plugins of a conflist on this node for their CNI versions.

use std::env::consts::EXE_SUFFIX;
use std::path::PathBuf;
use std::time::Duration;

use semver::Version;
use serde::{Deserialize, Serialize};
use tokio::runtime::Builder;
use tokio::task::JoinSet;

use crate::error::Error;
use crate::plugin_check;

/// Describes what one plugin of a conflist answers.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PluginReport {
    /// Its `type` in the list
    #[serde(rename = "type")]
    pub(crate) name: String,
    /// Its CNI versions; empty if it does not tell them
    pub(crate) versions: Vec<String>,
    /// Why it fails with this conflist; `null` if it does not
    pub(crate) problem: Option<String>,
    /// Whether its file exists
    pub(crate) is_there: bool,
    /// Why it cannot be asked in this container, which lacks its loader, a library or its
    /// interpreter. It may run on the node
    #[serde(default)]
    pub(crate) not_asked: Option<String>,
}

/// Asks all plugins for their CNI versions, concurrently, so that several that hang take no longer
/// than one. The folders are searched in their order, as libcni does.
pub(super) fn ask_all(
    types: &[String],
    folders: &[PathBuf],
    version: Option<&Version>,
    limit: Duration,
) -> Result<Vec<PluginReport>, Error> {
    let runtime = Builder::new_current_thread().enable_all().build().map_err(Error::Runtime)?;
    let wanted = version.map(ToString::to_string);
    let mut asked = runtime.block_on(async {
        let mut tasks = JoinSet::new();
        for (number, name) in types.iter().cloned().enumerate() {
            let (wanted, folders) = (wanted.clone(), folders.to_vec());
            tasks.spawn(async move {
                (number, ask_plugin(name, &folders, wanted.as_deref(), limit).await)
            });
        }
        tasks.join_all().await
    });
    asked.sort_by_key(|(number, _)| *number);
    Ok(asked.into_iter().map(|(_, asked)| asked).collect())
}

async fn ask_plugin(
    name: String,
    folders: &[PathBuf],
    wanted: Option<&str>,
    limit: Duration,
) -> PluginReport {
    let mut asked = PluginReport {
        versions: Vec::new(),
        problem: None,
        is_there: false,
        not_asked: None,
        name,
    };
    // libcni does not run such a program, either.
    if is_path(&asked.name) {
        let name = &asked.name;
        asked.problem = Some(format!("invalid plugin name {name:?}: a type has no path in it"));
        return asked;
    }
    let Some(path) = find_in_path(&asked.name, folders) else {
        let folders: Vec<_> = folders.iter().map(|it| it.display().to_string()).collect();
        let name = &asked.name;
        asked.problem = Some(format!("there is no {name}{EXE_SUFFIX} in {}", folders.join(", ")));
        return asked;
    };
    asked.is_there = true;
    match plugin_check::known_versions(&path, limit).await {
        Ok(versions) => {
            let knows = wanted.is_none_or(|wanted| versions.iter().any(|it| it == wanted));
            asked.problem = (!knows).then(|| {
                let (wanted, known) = (wanted.unwrap_or_default(), versions.join(", "));
                format!("it takes {known}, and refuses {wanted}: STATUS, ADD and DEL of the list fail in it")
            });
            asked.versions = versions;
        }
        Err(plugin_check::VersionsUnknown::NotHere(why)) => asked.not_asked = Some(why),
        Err(plugin_check::VersionsUnknown::Broken(why)) => asked.problem = Some(why),
    }
    asked
}

/// Returns the file of a plugin in the first folder that has it (libcni, `invoke.FindInPath`).
fn find_in_path(name: &str, folders: &[PathBuf]) -> Option<PathBuf> {
    let name = match name.ends_with(EXE_SUFFIX) {
        true => name.to_owned(),
        false => format!("{name}{EXE_SUFFIX}"),
    };
    folders.iter().map(|folder| folder.join(&name)).find(|path| path.is_file())
}

/// Returns whether a `type` leads out of the folders of plugins (libcni, `invoke.FindInPath`).
pub(super) fn is_path(name: &str) -> bool {
    name.contains(['/', '\\'])
}

/// Returns the highest cniVersion that all plugins support.
pub(super) fn common_version(asked: &[PluginReport]) -> Option<Version> {
    let known = |one: &PluginReport| -> Vec<Version> {
        one.versions.iter().filter_map(|it| it.parse().ok()).collect()
    };
    let asked: Vec<_> = asked.iter().filter(|it| it.not_asked.is_none()).collect();
    let (first, rest) = asked.split_first()?;
    let in_all = |version: &Version| rest.iter().all(|it| known(it).contains(version));
    known(first).into_iter().filter(in_all).max()
}

// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Reads configurations of Multus as it does: its delegates, and the file that it hands Pods on to.

use std::path::{Path, PathBuf};

use serde_json::value::RawValue;

use crate::conflist::{files, files_with_extensions, inlined, is_named};
use crate::files::read_regular;
use crate::json_spans::{Member, Members};

/// Default of Multus' setting `confDir`, in which it looks for a network by its name.
const CONF_DIR: &str = "/etc/cni/multus/net.d";

/// Tells where Multus gets the Pods' network from. `T` is another file, or the network in it.
#[derive(Clone, Debug)]
pub(crate) enum HandedOn<T> {
    /// Nowhere: the file is not a configuration of Multus, or it names none
    No,
    /// `delegates` in the file itself
    Delegates,
    /// Another file
    To(T),
    /// A source that the tool cannot see on the node; the text says why
    Unseen(String),
    /// Nothing: Multus fails for each Pod; the text says why
    Broken(String),
}

/// Returns the `delegates` in a configuration of Multus. Pods get the first one. Multus does not
/// read them if `clusterNetwork` is set.
pub(crate) fn delegates<'a>(plugin: &Members<'a>) -> Vec<Members<'a>> {
    if !is_multus(plugin) || cluster_network(plugin).is_some() {
        return Vec::new();
    }
    let delegates = plugin.get("delegates").map(Member::elements).unwrap_or_default();
    delegates.into_iter().filter_map(|it: &'a RawValue| Members::parse_value(it).ok()).collect()
}

/// Returns whether a plugin is Multus: `multus`, or `multus-shim` of the thick plugin.
pub(crate) fn is_multus(plugin: &Members<'_>) -> bool {
    plugin.string("type").is_some_and(|it| is_named(&it, "multus") || is_named(&it, "multus-shim"))
}

fn cluster_network(multus: &Members<'_>) -> Option<String> {
    Some(multus.string("clusterNetwork")?.into_owned()).filter(|it| !it.is_empty())
}

/// Finds the network that Multus hands Pods on to (its `getNetDelegate`): a file, the first file
/// of a folder, or a network by its name. The configuration of Multus' daemon names the file from
/// which it makes its own.
pub(crate) fn next_network(multus: &Members<'_>, path: &Path) -> HandedOn<PathBuf> {
    let daemon =
        ["multusConfigFile", "multusConfFile"].into_iter().find_map(|it| multus.string(it));
    let here = path.parent().unwrap_or_else(|| Path::new("."));
    let found = match (cluster_network(multus), daemon) {
        (Some(network), _) if network.contains('/') => host_path(&network, here),
        (Some(network), _) => find_by_name(&network, multus, here),
        (None, _) if multus.get("delegates").is_some_and(|it| !it.elements().is_empty()) => {
            return HandedOn::Delegates;
        }
        (None, Some(file)) if file == "auto" => {
            let folder = multus.string("multusAutoconfigDir");
            first_without_multus(
                &folder.map_or_else(|| here.to_owned(), |it| host_folder(Path::new(&*it), here)),
            )
        }
        (None, Some(file)) => host_path(&file, here),
        (None, None) => return HandedOn::No,
    };
    found.map_or_else(|next| next, HandedOn::To)
}

/// Returns the file on the node for a path in Multus' container, which mounts the node's folders
/// elsewhere: `/host/etc/cni/net.d/x` is `x` in the folder `net.d` of Multus' own file.
fn host_path(path: &str, here: &Path) -> Result<PathBuf, HandedOn<PathBuf>> {
    let there = Path::new(path);
    let beside = here.join(there.file_name().unwrap_or_default());
    let absolute = std::path::absolute(here).unwrap_or_else(|_| here.to_owned());
    let folder = absolute.file_name().unwrap_or_default();
    let below = there.iter().position(|part| part == folder);
    let mapped = below.map(|at| here.join(there.iter().skip(at + 1).collect::<PathBuf>()));
    let candidates = [Some(there), mapped.as_deref(), Some(&beside)];
    match candidates.into_iter().flatten().find(|it| it.exists()) {
        Some(folder) if folder.is_dir() => first_without_multus(folder),
        Some(file) => Ok(file.to_owned()),
        None if mapped.is_some() || there.parent().is_some_and(Path::is_dir) => {
            Err(HandedOn::Broken(format!("there is no {path}")))
        }
        None => Err(HandedOn::Unseen(format!("the folder of {path} cannot be seen from here"))),
    }
}

/// Returns the first network of a folder that Multus did not write.
fn first_without_multus(folder: &Path) -> Result<PathBuf, HandedOn<PathBuf>> {
    let is_multus = |path: &PathBuf| {
        path.file_name().is_some_and(|it| it.to_string_lossy().starts_with("00-multus"))
    };
    let mut files = files_with_extensions(folder, &["conf", "conflist"])
        .into_iter()
        .filter(|it| !is_multus(it));
    files.next().ok_or_else(|| {
        HandedOn::Broken(format!("{} has no network but Multus' own", folder.display()))
    })
}

/// Returns the file of the network `name`.
fn find_by_name(
    name: &str,
    multus: &Members<'_>,
    here: &Path,
) -> Result<PathBuf, HandedOn<PathBuf>> {
    let has_name = |path: &PathBuf| {
        let bytes = read_regular(path).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        let is_it = |root: Members<'_>| {
            root.string("name").as_deref() == Some(name) && !inlined(&root).iter().any(is_multus)
        };
        Members::parse(&text).is_ok_and(is_it)
    };
    // Multus' own default is a folder of its own, which its container sees as the node does.
    let folder = match multus.string("confDir") {
        Some(folder) => host_folder(Path::new(&*folder), here),
        None => PathBuf::from(CONF_DIR),
    };
    let mut found = files(&folder).into_iter().filter(has_name);
    found.next().ok_or_else(|| {
        HandedOn::Unseen(format!(
            "no file of {} has the network {name:?}: it may be a NetworkAttachmentDefinition",
            folder.display()
        ))
    })
}

/// Returns the folder on the node for a folder in Multus' container.
fn host_folder(folder: &Path, here: &Path) -> PathBuf {
    match folder.is_dir() {
        true => folder.to_owned(),
        false => here.to_owned(),
    }
}

// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Finds the plugins that a container runtime starts for a configuration file, also if Multus
//! hands Pods on to another file.

use std::env::consts::EXE_SUFFIX;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::value::RawValue;

use crate::files;
use crate::json_spans::{self, Member, Members};

/// Most files that Multus hands on to one after another.
const MAX_STEPS: usize = 4;

/// Default of Multus' setting `confDir`, in which it looks for a network by its name.
const MULTUS_CONF_DIR: &str = "/etc/cni/multus/net.d";

/// Returns the files of a folder that libcni loads, in the order of their names.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    files_with_extensions(folder, &["conf", "conflist", "json"])
}

fn files_with_extensions(folder: &Path, extensions: &[&str]) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut files: Vec<_> = entries
        .map(|entry| entry.path())
        .filter(|path| extension(path).is_some_and(|it| extensions.contains(&it)) && !path.is_dir())
        .collect();
    files.sort();
    files
}

/// Returns the extension as Go's `filepath.Ext` does, which for `.conflist` returns `conflist`.
pub(crate) fn extension(path: &Path) -> Option<&str> {
    path.file_name()?.to_str()?.rsplit_once('.').map(|(_, extension)| extension)
}

/// Holds a file's path and text.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    pub(crate) path: PathBuf,
    /// The text as Go's decoder reads it
    pub(crate) text: String,
}

impl Source {
    fn new(path: &Path, bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes);
        let text = json_spans::without_lone_surrogates(&text).into_owned();
        Self { path: path.to_owned(), text }
    }
}

/// Describes a configuration file and the files that it leads to.
#[derive(Clone, Debug)]
pub(crate) struct Network {
    pub(crate) source: Source,
    /// `NAME/*.conf` beside a conflist, which libcni adds to its plugins since 1.3.0
    pub(crate) beside: Vec<Source>,
    pub(crate) handed_on: HandedOn,
}

/// Describes where Multus gets the Pods' network from.
#[derive(Clone, Debug)]
pub(crate) enum HandedOn {
    /// Nowhere: the file is not a configuration of Multus
    No,
    /// `delegates` in the file itself
    Delegates,
    /// Another file
    To(Box<Network>),
    /// A source that the tool cannot see on the node; the text says why
    Unseen(String),
    /// Nothing: Multus fails for each Pod; the text says why
    Broken(String),
}

impl Network {
    /// Reads a file and the files that it leads to.
    ///
    /// # Errors
    /// The file cannot be read.
    pub(crate) fn read_file(path: &Path) -> io::Result<Self> {
        Ok(Self::new(path, &files::read_plain(path)?))
    }

    /// Returns the network of a file with these bytes.
    pub(crate) fn new(path: &Path, bytes: &[u8]) -> Self {
        Self::with_steps_left(path, bytes, MAX_STEPS)
    }

    fn with_steps_left(path: &Path, bytes: &[u8], steps: usize) -> Self {
        let source = Source::new(path, bytes);
        let Ok(root) = Members::parse(&source.text) else {
            return Self { source, beside: Vec::new(), handed_on: HandedOn::No };
        };
        let handed_on = match inlined(&root).into_iter().find(is_multus) {
            Some(multus) => find_handed_on(&multus, path, steps),
            None => HandedOn::No,
        };
        let beside = plugins_beside(&root, path);
        Self { source, beside, handed_on }
    }

    /// Returns the network that Pods get. It is in another file if Multus hands Pods on.
    pub(crate) fn pod_network(&self) -> &Self {
        match &self.handed_on {
            HandedOn::To(next) => next.pod_network(),
            _ => self,
        }
    }

    /// Returns the file that Multus hands Pods on to.
    pub(crate) fn handed_on_to(&self) -> Option<&Path> {
        match &self.handed_on {
            HandedOn::To(next) => Some(&next.pod_network().source.path),
            _ => None,
        }
    }

    /// Returns why the tool cannot see which network Multus gives Pods.
    pub(crate) fn unseen_reason(&self) -> Option<&str> {
        match &self.handed_on {
            HandedOn::To(next) => next.unseen_reason(),
            HandedOn::Unseen(why) => Some(why),
            HandedOn::No | HandedOn::Delegates | HandedOn::Broken(_) => None,
        }
    }

    /// Returns the plugins that are called for a Pod, in the order of the calls.
    pub(crate) fn plugins(&self) -> Vec<Members<'_>> {
        let own = self.pod_network();
        let Ok(root) = Members::parse(&own.source.text) else { return Vec::new() };
        let mut plugins = Vec::new();
        for plugin in inlined(&root) {
            // Multus makes the others additional interfaces.
            match delegates(&plugin).first() {
                None => plugins.push(plugin),
                Some(of_pods) => plugins.extend(inlined(of_pods)),
            }
        }
        plugins.extend(own.beside.iter().filter_map(|it| Members::parse(&it.text).ok()));
        plugins
    }

    /// Returns the names of all programs that are started for a Pod: Multus, the plugins and
    /// their IPAM plugins. The IPAM plugin of Antrea is left out, because the agent starts it.
    pub(crate) fn programs(&self) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        let mut next = Some(self);
        while let Some(network) = next {
            if let Ok(root) = Members::parse(&network.source.text) {
                for multus in inlined(&root).into_iter().filter(is_multus) {
                    let delegates = delegates(&multus);
                    let delegated = delegates.iter().skip(1).flat_map(inlined);
                    let started = std::iter::once(multus.clone()).chain(delegated);
                    names.extend(started.filter_map(|it| it.string("type")).map(Into::into));
                }
            }
            next = match &network.handed_on {
                HandedOn::To(to) => Some(&**to),
                _ => None,
            };
        }
        for plugin in self.plugins() {
            let name = plugin.string("type");
            let is_antrea = name.as_deref().is_some_and(|it| is_named(it, "antrea"));
            let ipam = plugin.get("ipam").and_then(Member::object);
            let ipam = ipam.filter(|_| !is_antrea).and_then(|it| it.string("type"));
            names.extend([name, ipam].into_iter().flatten().map(Into::into));
        }
        let mut once = Vec::new();
        for name in names.into_iter().filter(|name| !name.is_empty()) {
            if !once.contains(&name) {
                once.push(name);
            }
        }
        once
    }

    /// Returns whether the plugin `name` connects Pods of this network.
    pub(crate) fn leads_to(&self, name: &str) -> bool {
        self.plugins().iter().any(|it| it.string("type").is_some_and(|it| is_named(&it, name)))
    }
}

/// Returns whether a `type` names a plugin. On Windows it may have the extension.
pub(crate) fn is_named(kind: &str, name: &str) -> bool {
    kind == name || !EXE_SUFFIX.is_empty() && kind.strip_suffix(EXE_SUFFIX) == Some(name)
}

/// Returns the first network of a folder that leads to a plugin.
pub(crate) fn first_leading_to(folder: &Path, name: &str) -> Option<Network> {
    let networks = files(folder).into_iter().filter_map(|path| Network::read_file(&path).ok());
    networks.into_iter().find(|network| network.leads_to(name))
}

/// Returns the plugins of a conflist, or the single plugin of a plugin configuration.
pub(crate) fn inlined<'a>(root: &Members<'a>) -> Vec<Members<'a>> {
    match root.get("plugins") {
        Some(list) => {
            let plugins =
                list.elements().into_iter().filter_map(|it| Members::parse_value(it).ok());
            plugins.map(|it| it.as_map()).collect()
        }
        None => vec![root.clone()],
    }
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

/// Returns the plugins that libcni reads from the folder with the name of a conflist's network,
/// unless the conflist forbids it.
fn plugins_beside(root: &Members<'_>, path: &Path) -> Vec<Source> {
    let is_inlined = root.exact("loadOnlyInlinedPlugins").is_some_and(is_true);
    let name = root.exact("name").and_then(Member::string).unwrap_or_default();
    if extension(path) != Some("conflist") || is_inlined || name.is_empty() {
        return Vec::new();
    }
    let files = files_with_extensions(&path.with_file_name(&*name), &["conf"]);
    // An unreadable file becomes an empty one, which the check refuses.
    let read = |file: PathBuf| Source::new(&file, &files::read_plain(&file).unwrap_or_default());
    files.into_iter().map(read).collect()
}

/// Returns whether libcni reads a member as true: `true`, or the string in any case.
pub(crate) fn is_true(member: &Member<'_>) -> bool {
    let text = member.string();
    member.bool() == Some(true) || text.is_some_and(|it| it.eq_ignore_ascii_case("true"))
}

/// Finds the network that Multus hands Pods on to (its `getNetDelegate`): a file, the first file
/// of a folder, or a network by its name. The configuration of Multus' daemon names the file from
/// which it makes its own.
fn find_handed_on(multus: &Members<'_>, path: &Path, steps: usize) -> HandedOn {
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
    let file = match found {
        Ok(file) => file,
        Err(handed_on) => return handed_on,
    };
    let Some(steps) = steps.checked_sub(1) else {
        return HandedOn::Broken(format!("{} hands on to itself in the end", file.display()));
    };
    match files::read_plain(&file) {
        Ok(bytes) => {
            let next = Network::with_steps_left(&file, &bytes, steps);
            match next.handed_on {
                HandedOn::Broken(why) => HandedOn::Broken(why),
                _ => HandedOn::To(Box::new(next)),
            }
        }
        Err(error) => HandedOn::Broken(format!("{}: {error}", file.display())),
    }
}

/// Returns the file on the node for a path in Multus' container, which mounts the node's folders
/// elsewhere: `/host/etc/cni/net.d/x` is `x` in the folder `net.d` of Multus' own file.
fn host_path(path: &str, here: &Path) -> Result<PathBuf, HandedOn> {
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
        None => Err(HandedOn::Unseen(format!("{path} is not in a folder that is seen here"))),
    }
}

/// Returns the first network of a folder that Multus did not write.
fn first_without_multus(folder: &Path) -> Result<PathBuf, HandedOn> {
    let is_multus = |path: &PathBuf| {
        path.file_name().is_some_and(|it| it.to_string_lossy().starts_with("00-multus"))
    };
    let mut files = files_with_extensions(folder, &["conf", "conflist"])
        .into_iter()
        .filter(|it| !is_multus(it));
    files
        .next()
        .ok_or_else(|| HandedOn::Broken(format!("{} has no other network", folder.display())))
}

/// Returns the file of the network `name`.
fn find_by_name(name: &str, multus: &Members<'_>, here: &Path) -> Result<PathBuf, HandedOn> {
    let has_name = |path: &PathBuf| {
        let bytes = files::read_plain(path).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        let is_it = |root: Members<'_>| {
            root.string("name").as_deref() == Some(name) && !inlined(&root).iter().any(is_multus)
        };
        Members::parse(&text).is_ok_and(is_it)
    };
    // Multus' own default is a folder of its own, which its container sees as the node does.
    let folder = match multus.string("confDir") {
        Some(folder) => host_folder(Path::new(&*folder), here),
        None => PathBuf::from(MULTUS_CONF_DIR),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_may_have_the_extension_of_programs() {
        assert!(is_named("antrea", "antrea") && is_named(&format!("antrea{EXE_SUFFIX}"), "antrea"));
        assert_eq!(is_named("antrea.exe", "antrea"), cfg!(windows));
        assert!(!is_named("antrea2", "antrea") && !is_named("", "antrea"));
    }

    #[test]
    fn extensions_are_those_of_go() {
        for (name, expected) in [
            (".conflist", Some("conflist")),
            ("a.b.conf", Some("conf")),
            ("conf", None),
            ("a.", Some("")),
        ] {
            assert_eq!(extension(Path::new(name)), expected, "{name}");
        }
    }
}

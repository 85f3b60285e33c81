//! The network that a configuration file gives Pods: the plugins that a container runtime
//! starts for it, also where Multus hands it on to another file.

use std::env::consts::EXE_SUFFIX;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::value::RawValue;

use crate::json_spans::{self, Member, Members};

/// How often one file hands on to the next at most.
const MOST_STEPS: usize = 4;

/// Where Multus looks for the network of a name (its setting `confDir`).
const MULTUS_CONF_DIR: &str = "/etc/cni/multus/net.d";

/// Returns the files of a folder that libcni loads, in the order of their names.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    files_of(folder, &["conf", "conflist", "json"])
}

fn files_of(folder: &Path, extensions: &[&str]) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut files: Vec<_> = entries
        .map(|entry| entry.path())
        .filter(|path| extension(path).is_some_and(|it| extensions.contains(&it)) && !path.is_dir())
        .collect();
    files.sort();
    files
}

/// Returns the extension as Go's `filepath.Ext` has it: that of `.conflist` is `conflist`.
pub(crate) fn extension(path: &Path) -> Option<&str> {
    path.file_name()?.to_str()?.rsplit_once('.').map(|(_, extension)| extension)
}

/// A file, and its text.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    pub(crate) path: PathBuf,
    /// What Go's decoder would read
    pub(crate) text: String,
}

impl Source {
    fn new(path: &Path, bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes);
        let text = json_spans::without_lone_surrogates(&text).into_owned();
        Self { path: path.to_owned(), text }
    }
}

/// A configuration file, and the files that it leads to.
#[derive(Clone, Debug)]
pub(crate) struct Network {
    pub(crate) source: Source,
    /// `NAME/*.conf` beside a conflist: libcni adds them to its plugins from 1.3.0 on
    pub(crate) beside: Vec<Source>,
    pub(crate) handed_on: HandedOn,
}

/// Where Multus gets the Pods' network from.
#[derive(Clone, Debug)]
pub(crate) enum HandedOn {
    /// The file is not one of Multus
    No,
    /// `delegates` in the file itself
    Delegates,
    /// Another file
    To(Box<Network>),
    /// What cannot be seen on the node, and why
    Unseen(String),
}

impl Network {
    /// Reads a file and what it leads to.
    ///
    /// # Errors
    /// The file cannot be read.
    pub(crate) fn read(path: &Path) -> io::Result<Self> {
        Ok(Self::new(path, &fs::read(path)?))
    }

    /// Returns the network of a file with these bytes.
    pub(crate) fn new(path: &Path, bytes: &[u8]) -> Self {
        Self::within(path, bytes, MOST_STEPS)
    }

    fn within(path: &Path, bytes: &[u8], steps: usize) -> Self {
        let source = Source::new(path, bytes);
        let Ok(root) = Members::read(&source.text) else {
            return Self { source, beside: Vec::new(), handed_on: HandedOn::No };
        };
        let handed_on = match inlined(&root).into_iter().find(is_multus) {
            Some(multus) => handed_on(&multus, path, steps),
            None => HandedOn::No,
        };
        let beside = beside(&root, path);
        Self { source, beside, handed_on }
    }

    /// Returns the network that Pods get, which is in another file where Multus hands on to it.
    pub(crate) fn of_pods(&self) -> &Self {
        match &self.handed_on {
            HandedOn::To(next) => next.of_pods(),
            _ => self,
        }
    }

    /// Returns the file that a file of Multus hands on to.
    pub(crate) fn handed_on_to(&self) -> Option<&Path> {
        match &self.handed_on {
            HandedOn::To(next) => Some(&next.of_pods().source.path),
            _ => None,
        }
    }

    /// Returns why it cannot be seen which network Multus gives Pods.
    pub(crate) fn unseen(&self) -> Option<&str> {
        match &self.handed_on {
            HandedOn::To(next) => next.unseen(),
            HandedOn::Unseen(why) => Some(why),
            HandedOn::No | HandedOn::Delegates => None,
        }
    }

    /// Returns the plugins that are called for a Pod, in their order.
    pub(crate) fn plugins(&self) -> Vec<Members<'_>> {
        let own = self.of_pods();
        let Ok(root) = Members::read(&own.source.text) else { return Vec::new() };
        let mut plugins = Vec::new();
        for plugin in inlined(&root) {
            let delegates = delegates(&plugin);
            match delegates.is_empty() {
                true => plugins.push(plugin),
                false => plugins.extend(delegates.iter().flat_map(inlined)),
            }
        }
        plugins.extend(own.beside.iter().filter_map(|it| Members::read(&it.text).ok()));
        plugins
    }

    /// Returns the names of all programs that are started for a Pod: those of Multus and of
    /// the plugins, and their IPAM plugins. What Antrea's plugin names is started by the agent.
    pub(crate) fn programs(&self) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        let mut next = Some(self);
        while let Some(network) = next {
            if let Ok(root) = Members::read(&network.source.text) {
                let multus = inlined(&root).into_iter().filter(is_multus);
                names.extend(multus.filter_map(|it| it.text("type")).map(Into::into));
            }
            next = match &network.handed_on {
                HandedOn::To(to) => Some(&**to),
                _ => None,
            };
        }
        for plugin in self.plugins() {
            let name = plugin.text("type");
            let is_antrea = name.as_deref().is_some_and(|it| is_named(it, "antrea"));
            let ipam = plugin.get("ipam").and_then(Member::object);
            let ipam = ipam.filter(|_| !is_antrea).and_then(|it| it.text("type"));
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

    /// Whether a Pod of this network is connected by the plugin `name`.
    pub(crate) fn leads_to(&self, name: &str) -> bool {
        self.plugins().iter().any(|it| it.text("type").is_some_and(|it| is_named(&it, name)))
    }
}

/// Whether a `type` names a plugin: on Windows its extension may be there or not.
pub(crate) fn is_named(kind: &str, name: &str) -> bool {
    kind == name || !EXE_SUFFIX.is_empty() && kind.strip_suffix(EXE_SUFFIX) == Some(name)
}

/// Returns the first network of a folder that leads to a plugin.
pub(crate) fn naming(folder: &Path, name: &str) -> Option<Network> {
    let networks = files(folder).into_iter().filter_map(|path| Network::read(&path).ok());
    networks.into_iter().find(|network| network.leads_to(name))
}

/// Returns the plugins of a conflist, or the one that a plugin configuration is.
pub(crate) fn inlined<'a>(root: &Members<'a>) -> Vec<Members<'a>> {
    match root.get("plugins") {
        Some(list) => {
            let plugins = list.elements().into_iter().filter_map(|it| Members::of(it).ok());
            plugins.map(|it| it.as_map()).collect()
        }
        None => vec![root.clone()],
    }
}

/// Returns the networks that stand in a configuration of Multus itself, the Pods' first.
/// With `clusterNetwork` Multus does not read them.
pub(crate) fn delegates<'a>(plugin: &Members<'a>) -> Vec<Members<'a>> {
    if !is_multus(plugin) || cluster_network(plugin).is_some() {
        return Vec::new();
    }
    let delegates = plugin.get("delegates").map(Member::elements).unwrap_or_default();
    delegates.into_iter().filter_map(|it: &'a RawValue| Members::of(it).ok()).collect()
}

/// Whether a plugin is Multus: `multus`, or `multus-shim` of its thick form.
pub(crate) fn is_multus(plugin: &Members<'_>) -> bool {
    plugin.text("type").is_some_and(|it| is_named(&it, "multus") || is_named(&it, "multus-shim"))
}

fn cluster_network(multus: &Members<'_>) -> Option<String> {
    Some(multus.text("clusterNetwork")?.into_owned()).filter(|it| !it.is_empty())
}

/// Returns the plugins that libcni reads from the folder that is named after a conflist's
/// network, if the conflist does not forbid it.
fn beside(root: &Members<'_>, path: &Path) -> Vec<Source> {
    let is_inlined = root.exact("loadOnlyInlinedPlugins").is_some_and(is_true);
    let name = root.exact("name").and_then(Member::string).unwrap_or_default();
    if extension(path) != Some("conflist") || is_inlined || name.is_empty() {
        return Vec::new();
    }
    let files = files_of(&path.with_file_name(&*name), &["conf"]);
    // One that cannot be read is none that can be used.
    let read = |file: PathBuf| Source::new(&file, &fs::read(&file).unwrap_or_default());
    files.into_iter().map(read).collect()
}

/// Whether libcni takes a member for true: the value, or its text in any case.
pub(crate) fn is_true(member: &Member<'_>) -> bool {
    let text = member.string();
    member.bool() == Some(true) || text.is_some_and(|it| it.eq_ignore_ascii_case("true"))
}

/// Finds what Multus hands Pods on to (its `getNetDelegate`): a file, the first of a folder,
/// or the network of a name. The daemon's own configuration names a file to make.
fn handed_on(multus: &Members<'_>, path: &Path, steps: usize) -> HandedOn {
    let daemon = ["multusConfigFile", "multusConfFile"].into_iter().find_map(|it| multus.text(it));
    let here = path.parent().unwrap_or_else(|| Path::new("."));
    let found = match (cluster_network(multus), daemon) {
        (Some(network), _) if network.contains('/') => at_path(&network, here),
        (Some(network), _) => named(&network, multus, here),
        (None, _) if multus.get("delegates").is_some_and(|it| !it.elements().is_empty()) => {
            return HandedOn::Delegates;
        }
        (None, Some(file)) if file == "auto" => {
            let folder = multus.text("multusAutoconfigDir");
            first(&folder.map_or_else(|| here.to_owned(), |it| mounted(Path::new(&*it), here)))
        }
        (None, Some(file)) => at_path(&file, here),
        (None, None) => return HandedOn::No,
    };
    let read = found.and_then(|file| {
        let bytes = fs::read(&file).map_err(|error| format!("{}: {error}", file.display()))?;
        let steps = steps.checked_sub(1).ok_or("one file hands on to the next without end")?;
        Ok(HandedOn::To(Box::new(Network::within(&file, &bytes, steps))))
    });
    read.unwrap_or_else(HandedOn::Unseen)
}

/// Returns the file at a path of Multus' container, which mounts the node's folders elsewhere.
fn at_path(path: &str, here: &Path) -> Result<PathBuf, String> {
    let there = Path::new(path);
    let beside = here.join(there.file_name().unwrap_or_default());
    let found = [there, &*beside, here].into_iter().find(|it| {
        it.is_file() || it.is_dir() && (*it != here || there.file_name() == here.file_name())
    });
    match found {
        Some(folder) if folder.is_dir() => first(folder),
        Some(file) => Ok(file.to_owned()),
        None => Err(format!("there is no {path}")),
    }
}

/// Returns the first network of a folder that is not Multus' own.
fn first(folder: &Path) -> Result<PathBuf, String> {
    let is_multus = |path: &PathBuf| {
        path.file_name().is_some_and(|it| it.to_string_lossy().starts_with("00-multus"))
    };
    let mut files = files_of(folder, &["conf", "conflist"]).into_iter().filter(|it| !is_multus(it));
    files.next().ok_or_else(|| format!("{} has no other network", folder.display()))
}

/// Returns the file with the network of a name.
fn named(name: &str, multus: &Members<'_>, here: &Path) -> Result<PathBuf, String> {
    let conf_dir = multus.text("confDir").unwrap_or_else(|| MULTUS_CONF_DIR.into());
    let has_name = |path: &PathBuf| {
        let text = fs::read_to_string(path).unwrap_or_default();
        let is_it = |root: Members<'_>| {
            root.text("name").as_deref() == Some(name) && !inlined(&root).iter().any(is_multus)
        };
        Members::read(&text).is_ok_and(is_it)
    };
    let folders = [mounted(Path::new(&*conf_dir), here), here.to_owned()];
    let mut found = folders.iter().flat_map(|it| files(it)).filter(has_name);
    found.next().ok_or_else(|| {
        format!("no file of {conf_dir} has the network {name:?}: it may be a NetworkAttachmentDefinition")
    })
}

/// Returns a folder of Multus' container as it is seen here.
fn mounted(folder: &Path, here: &Path) -> PathBuf {
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

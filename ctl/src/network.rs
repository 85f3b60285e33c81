// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Finds the plugins that a container runtime starts for a configuration file, also if Multus
//! hands Pods on to another file.

use std::io;
use std::path::{Path, PathBuf};

use crate::conflist::{Source, files, inlined, is_named, plugins_beside};
use crate::files::read_regular;
use crate::json_spans::{Member, Members};
use crate::multus;

pub(crate) use crate::multus::HandedOn;

/// Most files that Multus hands on to one after another.
const MAX_STEPS: usize = 4;

/// Describes a configuration file and the files that it leads to.
#[derive(Clone, Debug)]
pub(crate) struct Network {
    pub(crate) source: Source,
    /// `NAME/*.conf` beside a conflist, which libcni adds to its plugins since 1.3.0
    pub(crate) beside: Vec<Source>,
    pub(crate) handed_on: HandedOn<Box<Self>>,
}

impl HandedOn<Box<Network>> {
    /// Reads the file that Multus hands on to, which may be a configuration of Multus again.
    fn follow(next: HandedOn<PathBuf>, steps: usize) -> Self {
        let file = match next {
            HandedOn::To(file) => file,
            HandedOn::No => return Self::No,
            HandedOn::Delegates => return Self::Delegates,
            HandedOn::Unseen(why) => return Self::Unseen(why),
            HandedOn::Broken(why) => return Self::Broken(why),
        };
        let Some(steps) = steps.checked_sub(1) else {
            return Self::Broken(format!("{} hands Pods on to itself in the end", file.display()));
        };
        match read_regular(&file) {
            Ok(bytes) => {
                let next = Network::with_steps_left(&file, &bytes, steps);
                match next.handed_on {
                    Self::Broken(why) => Self::Broken(why),
                    _ => Self::To(Box::new(next)),
                }
            }
            Err(error) => Self::Broken(format!("{}: {error}", file.display())),
        }
    }
}

impl Network {
    /// Reads a file and the files that it leads to.
    ///
    /// # Errors
    /// The file cannot be read.
    pub(crate) fn read_file(path: &Path) -> io::Result<Self> {
        Ok(Self::new(path, &read_regular(path)?))
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
        let handed_on = match inlined(&root).into_iter().find(multus::is_multus) {
            Some(multus) => HandedOn::follow(multus::next_network(&multus, path), steps),
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
            match multus::delegates(&plugin).first() {
                None => plugins.push(plugin),
                Some(of_pods) => plugins.extend(inlined(of_pods)),
            }
        }
        plugins.extend(own.beside.iter().filter_map(|it| Members::parse(&it.text).ok()));
        plugins
    }

    /// Returns the names of all programs that are started for a Pod: Multus, the plugins and
    /// their IPAM plugins. The IPAM plugin of the plugin `name` is left out, because the agent starts
    /// it.
    pub(crate) fn programs(&self, name: &str) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        let mut next = Some(self);
        while let Some(network) = next {
            if let Ok(root) = Members::parse(&network.source.text) {
                for multus in inlined(&root).into_iter().filter(multus::is_multus) {
                    let delegates = multus::delegates(&multus);
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
            let kind = plugin.string("type");
            let is_ours = kind.as_deref().is_some_and(|it| is_named(it, name));
            let ipam = plugin.get("ipam").and_then(Member::object);
            let ipam = ipam.filter(|_| !is_ours).and_then(|it| it.string("type"));
            names.extend([kind, ipam].into_iter().flatten().map(Into::into));
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
        self.plugin(name).is_some()
    }

    /// Returns the configuration of the plugin `name`.
    pub(crate) fn plugin(&self, name: &str) -> Option<Members<'_>> {
        let is_it = |it: &Members<'_>| it.string("type").is_some_and(|it| is_named(&it, name));
        self.plugins().into_iter().find(is_it)
    }
}

/// Reads the network that a container runtime takes: the first of its folder by name. Returns `None`
/// if the folder has none.
pub(crate) fn taken(folder: &Path) -> Option<(PathBuf, io::Result<Network>)> {
    let first = files(folder).into_iter().next()?;
    let network = Network::read_file(&first);
    Some((first, network))
}

/// Returns the first network of a folder that leads to a plugin.
pub(crate) fn first_leading_to(folder: &Path, name: &str) -> Option<Network> {
    let networks = files(folder).into_iter().filter_map(|path| Network::read_file(&path).ok());
    networks.into_iter().find(|network| network.leads_to(name))
}

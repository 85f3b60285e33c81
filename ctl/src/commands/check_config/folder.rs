// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Reads a folder of configurations as a container runtime does.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::files;
use crate::json_spans::Members;
use crate::network::{self, HandedOn};
use crate::staged_record::StagedRecord;
use crate::style::{BAD, TITLE, WEAK};

/// Describes which file of a folder a container runtime uses.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Folder {
    /// Path of the folder
    folder: PathBuf,
    /// The `type` of this plugin
    #[serde(skip)]
    name: String,
    /// The file that the runtime uses: the first by name
    taken: Option<PathBuf>,
    /// The file that Multus in `taken` hands Pods on to
    handed_on_to: Option<PathBuf>,
    /// Whether the first is a JSON object
    #[serde(skip)]
    is_object: bool,
    /// Whether the first is a file of Multus
    #[serde(skip)]
    is_multus: bool,
    /// Why the tool cannot see which network Pods get
    unseen: Option<String>,
    /// Whether the plugin connects the Pods of `taken`
    leads_to_plugin: bool,
    /// The first file that leads to the plugin
    antrea: Option<PathBuf>,
    /// Lists that are not those that Antrea's installer staged last
    changed_since_staged: Vec<PathBuf>,
}

impl Folder {
    pub(super) fn new(folder: &Path, bin_dirs: &[PathBuf], name: &str) -> Self {
        let staged =
            bin_dirs.iter().find_map(|it| StagedRecord::read(&files::state_folder(it, name)));
        let (path, taken) = network::taken(folder).unzip();
        let taken = taken.and_then(Result::ok);
        Self {
            folder: folder.to_owned(),
            name: name.to_owned(),
            handed_on_to: taken.as_ref().and_then(|it| it.handed_on_to().map(Path::to_owned)),
            unseen: taken.as_ref().and_then(|it| it.unseen_reason().map(ToOwned::to_owned)),
            is_multus: taken.as_ref().is_some_and(|it| !matches!(it.handed_on, HandedOn::No)),
            is_object: taken.as_ref().is_some_and(|it| Members::parse(&it.source.text).is_ok()),
            leads_to_plugin: taken.as_ref().is_some_and(|it| it.leads_to(name)),
            taken: path,
            changed_since_staged: staged.map(|it| it.changed_lists(folder)).unwrap_or_default(),
            antrea: network::first_leading_to(folder, name).map(|it| it.source.path),
        }
    }
}

impl Folder {
    /// Returns whether Pods do not get the network in the folder that leads to the plugin.
    pub(super) fn is_bypassed(&self) -> bool {
        self.antrea.is_some() && !self.leads_to_plugin && self.unseen.is_none()
    }
}

impl fmt::Display for Folder {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let folder = self.folder.display();
        let Some(taken) = &self.taken else {
            return writeln!(out, "{TITLE}{folder}{TITLE:#}: nothing that a runtime reads");
        };
        let name = |path: &Path| path.file_name().unwrap_or_default().display().to_string();
        let taken = name(taken);
        writeln!(
            out,
            "{TITLE}{folder}{TITLE:#}: the runtime takes {taken}, whose name comes first"
        )?;
        for list in &self.changed_since_staged {
            writeln!(
                out,
                "  {BAD}{} is not what Antrea's installer wrote{BAD:#}: the next start of the agent's Pod writes it again; change Antrea's ConfigMap",
                name(list)
            )?;
        }
        if let Some(next) = &self.handed_on_to {
            writeln!(out, "  Multus hands Pods on to {}", next.display())?;
        }
        match (&self.antrea, &self.unseen) {
            _ if self.leads_to_plugin => Ok(()),
            (_, Some(why)) => {
                writeln!(out, "  {WEAK}Multus decides which network Pods get{WEAK:#}: {why}")
            }
            (Some(antrea), None) if !self.is_object => writeln!(
                out,
                "  {BAD}{taken} is not a JSON object{BAD:#}: containerd cannot load it and starts no Pod; CRI-O skips it and takes {}. Remove or correct {taken}",
                name(antrea)
            ),
            (Some(antrea), None) if self.is_multus => writeln!(
                out,
                "  {BAD}Pods do not get {}{BAD:#}: correct what Multus hands them on to",
                name(antrea)
            ),
            (Some(antrea), None) => writeln!(
                out,
                "  {BAD}Pods do not get {}{BAD:#}: {taken} comes before it. containerd reads the first max_conf_num files (1, if it is not set) and connects Pods by the first; CRI-O takes the network that cni_default_network names, or the first. Remove or rename {taken} if nothing else needs it",
                name(antrea)
            ),
            (None, None) => {
                writeln!(
                    out,
                    "  {WEAK}none of them leads to a plugin of type {:?}{WEAK:#}",
                    self.name
                )
            }
        }
    }
}

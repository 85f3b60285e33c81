// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Records which files an install moved from staging folders to the node, so that `status` and
//! `check-config` can tell what became another file since.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::files::{self, sha256};

/// Most bytes of a program or a list. A program in Go has 10 MB.
pub(crate) const MOST: u64 = 256 << 20;

/// Holds the SHA-256 of each file, by its name.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StagedRecord {
    programs: BTreeMap<String, String>,
    lists: BTreeMap<String, String>,
}

impl StagedRecord {
    /// Reads the record in the folder of an installation. Returns `None` if nothing was staged.
    pub(crate) fn read(folder: &Path) -> Option<Self> {
        let bytes = files::read_at_most(&path(folder), MOST).ok()?;
        serde_json::from_slice(&bytes).ok()
    }

    /// Writes the record if it changed and there is an installation.
    pub(crate) fn write(&self, folder: &Path) -> Result<(), Error> {
        if !folder.is_dir() || Self::read(folder).as_ref() == Some(self) {
            return Ok(());
        }
        let text = serde_json::to_vec(self).unwrap_or_default();
        files::write(&path(folder), &text, 0o600)
    }

    /// Removes the record.
    #[cfg(target_os = "linux")]
    pub(crate) fn remove(folder: &Path) -> Result<(), Error> {
        files::remove(&path(folder)).map(drop)
    }

    pub(crate) fn add_program(&mut self, name: &OsStr, bytes: &[u8]) {
        self.programs.insert(name.to_string_lossy().into_owned(), sha256(bytes));
    }

    pub(crate) fn add_list(&mut self, name: &OsStr, bytes: &[u8]) {
        self.lists.insert(name.to_string_lossy().into_owned(), sha256(bytes));
    }

    /// Returns the programs in a folder that are not those that were staged.
    pub(crate) fn changed_programs(&self, folder: &Path) -> Vec<PathBuf> {
        changed(&self.programs, folder)
    }

    /// Returns the lists in a folder that are not those that were staged.
    pub(crate) fn changed_lists(&self, folder: &Path) -> Vec<PathBuf> {
        changed(&self.lists, folder)
    }
}

fn path(folder: &Path) -> PathBuf {
    folder.join("staged.json")
}

fn changed(sums: &BTreeMap<String, String>, folder: &Path) -> Vec<PathBuf> {
    let is_other = |path: &Path, sum: &str| {
        files::read_at_most(path, MOST).map_or(true, |bytes| sha256(&bytes) != sum)
    };
    let paths = sums.iter().map(|(name, sum)| (folder.join(name), sum));
    paths.filter(|(path, sum)| is_other(path, sum)).map(|(path, _)| path).collect()
}

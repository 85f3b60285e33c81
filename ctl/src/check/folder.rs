//! A folder of configurations, as a runtime reads it.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::checker::TYPE;
use crate::net_d;
use crate::text::{BAD, TITLE, WEAK};

/// Which file of a folder a runtime takes.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Folder {
    folder: PathBuf,
    /// The first by name
    taken: Option<PathBuf>,
    /// The first that leads to the plugin
    antrea: Option<PathBuf>,
}

impl Folder {
    pub(super) fn of(folder: &Path, files: &[PathBuf]) -> Self {
        let taken = files.first().cloned();
        Self { folder: folder.to_owned(), taken, antrea: net_d::naming(folder, TYPE) }
    }
}

impl fmt::Display for Folder {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let folder = self.folder.display();
        let Some(taken) = &self.taken else {
            return writeln!(out, "{TITLE}{folder}{TITLE:#}: nothing that a runtime reads");
        };
        let name = taken.file_name().unwrap_or_default().display();
        writeln!(
            out,
            "{TITLE}{folder}{TITLE:#}: the runtime takes {name}, whose name comes first"
        )?;
        match &self.antrea {
            Some(antrea) if antrea == taken => Ok(()),
            Some(antrea) => {
                let own = antrea.file_name().unwrap_or_default().display();
                writeln!(
                    out,
                    "  {BAD}{own} is never read{BAD:#}: {name} comes before it; remove or rename that"
                )
            }
            None => {
                writeln!(out, "  {WEAK}none of them leads to a plugin of type {TYPE:?}{WEAK:#}")
            }
        }
    }
}

//! The folder of network configurations, as a runtime reads it.

use std::fs;
use std::path::{Path, PathBuf};

use crate::document::Members;

/// The files that a runtime reads, in the order of their names. It takes the first.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut files: Vec<_> = entries
        .map(|entry| entry.path())
        .filter(|path| {
            let extension = path.extension().unwrap_or_default();
            ["conf", "conflist", "json"].iter().any(|it| extension == *it) && !path.is_dir()
        })
        .collect();
    files.sort();
    files
}

/// The plugins of a list, or the one that the document is.
pub(crate) fn plugins<'a>(root: &Members<'a>) -> Vec<Members<'a>> {
    match root.get("plugins") {
        Some(list) => list.elements().into_iter().filter_map(|it| Members::of(it).ok()).collect(),
        None => vec![root.clone()],
    }
}

/// The `type`s of the plugins in a configuration.
pub(crate) fn types(bytes: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(bytes);
    let Ok(root) = Members::read(&text) else { return Vec::new() };
    plugins(&root).iter().filter_map(|plugin| plugin.text("type")).map(Into::into).collect()
}

/// The first file that leads to a plugin of this type.
pub(crate) fn naming(folder: &Path, name: &str) -> Option<PathBuf> {
    files(folder)
        .into_iter()
        .find(|path| fs::read(path).is_ok_and(|bytes| types(&bytes).iter().any(|it| it == name)))
}

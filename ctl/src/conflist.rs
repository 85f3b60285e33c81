// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Reads network configurations as libcni does: which files of a folder, and which plugins of a file.

use std::env::consts::EXE_SUFFIX;
use std::fs;
use std::path::{Path, PathBuf};

use crate::files;
use crate::json_spans::{self, Member, Members};

/// Returns the files of a folder that libcni loads, in the order of their names.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    files_with_extensions(folder, &["conf", "conflist", "json"])
}

/// Returns the files of a folder with one of these extensions, in the order of their names.
pub(crate) fn files_with_extensions(folder: &Path, extensions: &[&str]) -> Vec<PathBuf> {
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
    pub(crate) fn new(path: &Path, bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes);
        let text = json_spans::without_lone_surrogates(&text).into_owned();
        Self { path: path.to_owned(), text }
    }
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

/// Returns whether a `type` names a plugin. On Windows it may have the extension.
pub(crate) fn is_named(kind: &str, name: &str) -> bool {
    kind == name || !EXE_SUFFIX.is_empty() && kind.strip_suffix(EXE_SUFFIX) == Some(name)
}

/// Returns the plugins that libcni reads from the folder with the name of a conflist's network,
/// unless the conflist forbids it.
pub(crate) fn plugins_beside(root: &Members<'_>, path: &Path) -> Vec<Source> {
    let is_inlined = root.exact("loadOnlyInlinedPlugins").is_some_and(is_true);
    let name = root.exact("name").and_then(Member::string).unwrap_or_default();
    if extension(path) != Some("conflist") || is_inlined || name.is_empty() {
        return Vec::new();
    }
    let files = files_with_extensions(&path.with_file_name(&*name), &["conf"]);
    // An unreadable file becomes an empty one, which the check refuses.
    let read = |file: PathBuf| Source::new(&file, &files::read_regular(&file).unwrap_or_default());
    files.into_iter().map(read).collect()
}

/// Returns whether libcni reads a member as true: `true`, or the string in any case.
pub(crate) fn is_true(member: &Member<'_>) -> bool {
    let text = member.string();
    member.bool() == Some(true) || text.is_some_and(|it| it.eq_ignore_ascii_case("true"))
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

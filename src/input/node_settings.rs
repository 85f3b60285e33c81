// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Reads the settings of the node from a file beside the plugin.
//!
//! Antrea's installers rewrite the network configuration whenever an agent starts, so settings in
//! it are lost. Only the plugin uses this file.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serde_json::value::RawValue;

use super::settings::{Error, Origin, Settings};
use crate::platform::files;

/// Longest file that is read, in bytes.
pub const MAX_BYTES: u64 = 64 << 10;

/// Returns the settings file of a plugin: `/opt/cni/bin/.antrea.json` for `/opt/cni/bin/antrea`, on
/// Windows `.antrea.json` for `antrea.exe`.
pub fn beside(plugin: &Path) -> PathBuf {
    files::settings_path(plugin)
}

/// Reads the settings file of the running program. Returns the settings and the errors in them.
pub(super) fn for_this_program() -> (Settings, Vec<Error>) {
    let mut settings = Settings::default();
    let wrong = match files::current_exe() {
        Ok(program) => apply_file(&beside(&program), &mut settings),
        // Without /proc, the settings file of this program is unknown.
        Err(_) => Vec::new(),
    };
    (settings, wrong)
}

/// Applies the settings in a file, if it exists. Returns the errors in it.
pub fn apply_file(path: &Path, settings: &mut Settings) -> Vec<Error> {
    let unusable = |why: String| vec![Error::File { path: path.to_owned(), why }];
    match read_trusted(path) {
        Ok(None) => Vec::new(),
        Ok(Some(text)) if is_blank(text.as_bytes()) => vec![Error::EmptyFile(path.to_owned())],
        Ok(Some(text)) => match serde_json::from_str::<&RawValue>(&text) {
            Ok(value) => settings.apply(value, Origin::Node(path)),
            Err(_) if text.starts_with('\u{feff}') => {
                unusable("it begins with a byte order mark (BOM)".to_owned())
            }
            Err(error) => unusable(format!("it is not JSON: {error}")),
        },
        Err(why) => unusable(why.to_string()),
    }
}

/// Returns whether a file has only white space and NUL bytes, as a power loss may leave it. Such a
/// file counts as absent.
pub fn is_blank(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| *byte == 0 || byte.is_ascii_whitespace())
}

/// Reads a file that only root and the plugin's own user may write.
fn read_trusted(path: &Path) -> io::Result<Option<String>> {
    let file = match files::no_follow_options().read(true).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        // Creating the socket fails for the same reason.
        Err(error) if files::is_out_of_descriptors(&error) => return Ok(None),
        Err(error) => return Err(error),
    };
    let metadata = file.metadata()?;
    let wrong = |why| Err(io::Error::other(why));
    if !metadata.is_file() {
        return wrong("it is not a regular file");
    }
    if let Some(why) = files::untrusted_reason(&file, &metadata)? {
        return wrong(why);
    }
    if metadata.len() > MAX_BYTES {
        return wrong("it is over 65536 bytes");
    }
    read_all(&file, metadata.len()).map(Some)
}

fn read_all(file: &File, length: u64) -> io::Result<String> {
    // With room for one more byte, because a full buffer grows to find the end.
    let mut text = String::with_capacity(usize::try_from(length).unwrap_or_default() + 1);
    file.take(MAX_BYTES + 1).read_to_string(&mut text)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_has_the_name_of_the_plugin() {
        for (plugin, file) in [
            ("/opt/cni/bin/antrea", "/opt/cni/bin/.antrea.json"),
            ("/home/kubernetes/bin/cni.v2", "/home/kubernetes/bin/.cni.v2.json"),
            #[cfg(windows)]
            ("C:/opt/cni/bin/antrea.exe", "C:/opt/cni/bin/.antrea.json"),
        ] {
            assert_eq!(beside(Path::new(plugin)), Path::new(file));
        }
    }
}

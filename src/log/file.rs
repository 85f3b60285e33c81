// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Appends to the log file and rotates it.

use std::fs::{self, File};
use std::io::{self, Write};

use crate::platform::files;

/// What the name of a rotated log ends with.
pub const ROTATED: &str = ".1";

/// Maximum number of times that the log is opened for one line. It is opened again if another process
/// rotated or removed it meanwhile.
const MAX_ATTEMPTS: usize = 1000;

/// Appends a line to a log that is renamed to `<logFile>.1` at `max_bytes`. Processes need no lock,
/// because each line is one write at the current end of the file.
pub(super) fn append(path: &str, line: &[u8], max_bytes: u64) -> io::Result<()> {
    for _ in 0..MAX_ATTEMPTS {
        let mut file = files::no_follow_options().append(true).create(true).open(path)?;
        let metadata = file.metadata()?;
        // A link would write to, and rotate, another user's file.
        if !metadata.is_file() || files::link_count(&file, &metadata)? > 1 {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let full = metadata.len() + line.len() as u64 > max_bytes && metadata.len() > 0;
        if full && rotate(path, &file)? {
            continue;
        }
        // The line is one write, because another process may append between two.
        let written = file.write(line)?;
        // Between opening and writing, the file may have been rotated twice. What has no name but is
        // at the path is on a file system that counts no names.
        let is_lost =
            files::link_count(&file, &file.metadata()?)? == 0 && !files::is_same_file(&file, path);
        if written < line.len() || !is_lost {
            return Ok(());
        }
    }
    Err(io::ErrorKind::WouldBlock.into())
}

/// Renames the opened file to `FILE.1`. Returns `true` if the path is now free or empty, and
/// `false` while another process rotates.
fn rotate(path: &str, file: &File) -> io::Result<bool> {
    let Ok(_locked) = files::lock(file, path) else { return Ok(false) };
    if files::is_same_file(file, path) && fs::rename(path, format!("{path}{ROTATED}")).is_err() {
        // If `FILE.1` is a folder or may not be written, an emptied log is better than none.
        files::truncate(file, path)?;
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two processes find the log full. The second one must not replace the old log by the new one.
    #[test]
    fn a_file_that_another_process_rotated_is_not_rotated_again() {
        let folder = tempfile::tempdir().unwrap();
        let [path, old] = ["log", "log.1"].map(|name| folder.path().join(name));
        fs::write(&path, "full").unwrap();
        let path = path.to_str().unwrap();
        let opened = files::no_follow_options().append(true).open(path).unwrap();
        fs::rename(path, &old).unwrap();
        fs::write(path, "new").unwrap();
        assert!(rotate(path, &opened).unwrap());
        assert_eq!(fs::read_to_string(old).unwrap(), "full");
        assert_eq!(fs::read_to_string(path).unwrap(), "new");
    }
}

//! The file that lines are appended to, and its size.

use std::fs::{self, File};
use std::io::{self, Write};

use crate::platform::files;

/// Size of the log file in bytes at which it becomes `<logFile>.1`.
pub const MAX_BYTES: u64 = 10 << 20;

/// Appends a line. Writers of one file need no lock: each line is one write at
/// the end of the file, wherever that is by then.
pub(super) fn append(path: &str, line: &[u8]) -> io::Result<()> {
    loop {
        let mut file = files::no_follow_options().append(true).create(true).open(path)?;
        let metadata = file.metadata()?;
        // A link would lead the bytes, and rotation, into somebody's file.
        if !metadata.is_file() || files::link_count(&file, &metadata)? > 1 {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let full = metadata.len() + line.len() as u64 > MAX_BYTES && metadata.len() > 0;
        if full && rotate(path, &file)? {
            continue;
        }
        // The line is one write, because another process may append between two.
        let written = file.write(line)?;
        // Between opening and writing the file may have been rotated away twice.
        if written == line.len() && files::link_count(&file, &file.metadata()?)? == 0 {
            continue;
        }
        return Ok(());
    }
}

/// Renames the file that was opened to `FILE.1`. Gives `true` if the path is free or
/// empty now, and `false` while another process rotates.
fn rotate(path: &str, file: &File) -> io::Result<bool> {
    let Ok(_locked) = files::lock(file, path) else { return Ok(false) };
    if files::is_same_file(file, path) && fs::rename(path, format!("{path}.1")).is_err() {
        // A folder in that place, or no permission: better a new log than none.
        files::truncate(file, path)?;
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two find the log full. The second must not put the new one in the place of the old one.
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

//! The file that lines are appended to, and its size.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};

use nix::fcntl::OFlag;

/// Size of the log file in bytes at which it becomes `<logFile>.1`.
pub const MAX_BYTES: u64 = 10 << 20;

/// Appends a line. Writers of one file need no lock: each line is one write at
/// the end of the file, wherever that is by then.
pub(super) fn append(path: &str, line: &[u8]) -> io::Result<()> {
    loop {
        let mut file = open(path)?;
        let metadata = file.metadata()?;
        // A link would lead the bytes, and rotation, into somebody's file.
        if !metadata.is_file() || metadata.nlink() > 1 {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let full = metadata.len() + line.len() as u64 > MAX_BYTES && metadata.len() > 0;
        if full && rotate(path, &file, metadata.ino())? {
            continue;
        }
        // The line is one write, because another process may append between two.
        let written = file.write(line)?;
        // Between opening and writing the file may have been rotated away twice.
        if written == line.len() && file.metadata()?.nlink() == 0 {
            continue;
        }
        return Ok(());
    }
}

fn open(path: &str) -> io::Result<File> {
    OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .custom_flags((OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK).bits())
        .open(path)
}

/// Renames the file that was opened to `FILE.1`. Gives `true` if the path is free or
/// empty now, and `false` while another process rotates.
fn rotate(path: &str, file: &File, inode: u64) -> io::Result<bool> {
    if file.try_lock().is_err() {
        return Ok(false);
    }
    if fs::symlink_metadata(path).is_ok_and(|there| there.ino() == inode)
        && fs::rename(path, format!("{path}.1")).is_err()
    {
        // A folder in that place, or no permission: better a new log than none.
        file.set_len(0)?;
    }
    Ok(true)
}

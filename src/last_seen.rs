//! When the agent was last seen: the time of modification of an empty file beside
//! its socket. Where that file cannot be written, nothing is remembered and no command
//! fails.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::time::{Duration, SystemTime};

use nix::fcntl::OFlag;

fn path(socket: &str) -> String {
    format!("{socket}.ready")
}

fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.custom_flags((OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK).bits());
    options
}

/// Writes down that the agent behind `socket` was seen now.
pub(crate) fn remember(socket: &str) {
    let file = options().write(true).create(true).mode(0o600).open(path(socket));
    let _ = file.and_then(|file| file.set_modified(SystemTime::now()));
}

/// Forgets that the agent was seen.
pub(crate) fn forget(socket: &str) {
    let _ = std::fs::remove_file(path(socket));
}

/// Whether the agent was seen less than `within` ago.
pub(crate) fn was_seen(socket: &str, within: Duration) -> bool {
    let file = options().read(true).open(path(socket));
    let seen = file.and_then(|file: File| file.metadata()?.modified());
    // A time in the future has no age.
    seen.is_ok_and(|seen| seen.elapsed().is_ok_and(|age| age < within))
}

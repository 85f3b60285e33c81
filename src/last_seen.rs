//! When the agent was last seen: the time of modification of an empty file, on Linux
//! beside its socket. Where that file cannot be written, nothing is remembered and no
//! command fails.

use std::fs::{File, remove_file};
use std::time::{Duration, SystemTime};

use crate::platform::files::{memory, options};

/// Writes down that the agent behind `socket` was seen now.
pub(crate) fn remember(socket: &str) {
    let open = |path| options().write(true).create(true).truncate(false).open(path).ok();
    let file = memory(socket).and_then(open);
    let _ = file.map(|file| file.set_modified(SystemTime::now()));
}

/// Forgets that the agent was seen.
pub(crate) fn forget(socket: &str) {
    let _ = memory(socket).map(remove_file);
}

/// Whether the agent was seen less than `within` ago.
pub(crate) fn was_seen(socket: &str, within: Duration) -> bool {
    let file = memory(socket).and_then(|path| options().read(true).open(path).ok());
    let seen = file.and_then(|file: File| file.metadata().ok()?.modified().ok());
    // A time in the future has no age.
    seen.is_some_and(|seen| seen.elapsed().is_ok_and(|age| age < within))
}

// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Remembers when the agent was last seen, as the modification time of an empty file, on Linux
//! beside the agent's socket. If the file cannot be written, nothing is remembered and no command
//! fails.

use std::fs::{File, remove_file};
use std::io::ErrorKind;
use std::time::Duration;

use crate::platform::files::{no_follow_options, path_beside_socket, touch};

/// Records that the agent behind `socket` was seen now.
pub(crate) fn remember(socket: &str) {
    let Some(path) = path_of(socket) else { return };
    if touch(&path).is_err_and(|error| error.kind() == ErrorKind::NotFound) {
        let _ = no_follow_options().write(true).create(true).truncate(false).open(path);
    }
}

/// Removes the record.
pub(crate) fn forget(socket: &str) {
    let _ = path_of(socket).map(remove_file);
}

/// Returns whether the agent was seen less than `within` ago.
pub(crate) fn was_seen(socket: &str, within: Duration) -> bool {
    let file = path_of(socket).and_then(|path| no_follow_options().read(true).open(path).ok());
    let seen = file.and_then(|file: File| file.metadata().ok()?.modified().ok());
    // A time in the future counts as not seen.
    seen.is_some_and(|seen| seen.elapsed().is_ok_and(|age| age < within))
}

fn path_of(socket: &str) -> Option<String> {
    path_beside_socket(socket, "ready")
}

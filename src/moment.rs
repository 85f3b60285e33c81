// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Remembers when the agent was seen (`<socket>.ready`), and when a command had delayed the container
//! runtime (`<socket>.delayed`): the modification times of empty files, on Linux beside the socket.
//! If a file cannot be written, nothing is remembered and no command fails.

use std::fs::remove_file;
use std::io::ErrorKind;
use std::time::Duration;

use crate::platform::files::{no_follow_options, path_beside_socket, touch};

/// Names a moment that is remembered.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Moment {
    /// The agent was seen
    AgentSeen,
    /// A command ended that had delayed the container runtime's reading of its configurations
    DelayEnded,
}

impl Moment {
    /// Records that it is now.
    pub(crate) fn record(self, socket: &str) {
        let Some(path) = self.path(socket) else { return };
        if touch(&path).is_err_and(|error| error.kind() == ErrorKind::NotFound) {
            let _ = no_follow_options().write(true).create(true).truncate(false).open(path);
        }
    }

    /// Removes the record.
    pub(crate) fn forget(self, socket: &str) {
        let _ = self.path(socket).map(remove_file);
    }

    /// Returns the time since the record. A time in the future counts as no record.
    pub(crate) fn age(self, socket: &str) -> Option<Duration> {
        let file = no_follow_options().read(true).open(self.path(socket)?).ok()?;
        file.metadata().ok()?.modified().ok()?.elapsed().ok()
    }

    fn path(self, socket: &str) -> Option<String> {
        let extension = match self {
            Self::AgentSeen => "ready",
            Self::DelayEnded => "delayed",
        };
        path_beside_socket(socket, extension)
    }
}

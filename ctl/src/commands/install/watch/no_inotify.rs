// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Stands in for inotify where the kernel has none, as on the macOS desk of kubectl's plugin.

use std::path::PathBuf;
use std::time::Duration;

/// Stands for the events of a kernel that reports none.
pub(super) struct Events(());

impl Events {
    /// Returns `None`: nothing can be watched.
    pub(super) fn new(_: &[PathBuf]) -> Option<Self> {
        None
    }

    /// Returns `None` at once: there was no event.
    pub(super) fn wait_for_change(&self, _: Option<Duration>) -> Option<Duration> {
        None
    }
}

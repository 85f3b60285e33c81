// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Waits for changes to files and to the folders on their paths.

mod inotify;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::spawn_blocking;
use tokio::time::sleep;

use self::inotify::Events;

/// Watches files by inotify, and mounts. Without inotify it reports a possible change every
/// `interval`.
pub(super) struct Watch {
    files: Vec<PathBuf>,
    interval: Duration,
    events: Option<Arc<Events>>,
}

impl Watch {
    /// Starts to watch. Changes from now on are reported.
    pub(super) fn new(files: Vec<PathBuf>, interval: Duration) -> Self {
        let events = Events::new(&files).map(Arc::new);
        Self { files, interval, events }
    }

    /// Waits until a file may have changed, or until `limit`. Returns whether one may have changed.
    /// Then the folders are watched anew, because the paths may lead to others now.
    pub(super) async fn changed(&mut self, limit: Option<Duration>) -> bool {
        let pause = match &self.events {
            Some(events) => {
                let events = Arc::clone(events);
                // On its own thread, because poll(2) blocks it.
                let waited = spawn_blocking(move || events.wait_for_change(limit)).await;
                waited.unwrap_or(Some(self.interval))
            }
            None => Some(limit.unwrap_or(self.interval)),
        };
        let Some(pause) = pause else { return false };
        sleep(pause).await;
        self.events = Events::new(&self.files).map(Arc::new);
        true
    }
}

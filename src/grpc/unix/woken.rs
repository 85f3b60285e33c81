// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Records whether a future asked to be polled again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Wake;

/// Is set when the future asks to be polled again.
#[derive(Default)]
pub(super) struct Woken(AtomicBool);

impl Woken {
    /// Returns whether it is set, and clears it.
    pub(super) fn take(&self) -> bool {
        self.0.swap(false, Ordering::Relaxed)
    }
}

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Computes growing pauses between attempts.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

/// Produces pauses that double from the first to the longest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Backoff {
    next: Duration,
    longest: Duration,
}

impl Backoff {
    /// Takes both pauses in milliseconds.
    pub(crate) const fn new(first: u64, longest: u64) -> Self {
        Self { next: Duration::from_millis(first), longest: Duration::from_millis(longest) }
    }

    /// Returns the pause before the next attempt.
    pub(crate) fn next_pause(&mut self) -> Duration {
        let pause = self.next;
        self.next = self.longest.min(pause * 2);
        pause
    }
}

/// Shortens `pause` by up to a quarter at random, so that many processes do not try at the same
/// moment.
pub(crate) fn jitter(pause: Duration) -> Duration {
    let random = RandomState::new().hash_one(()) % 1024;
    pause * 3 / 4 + pause * (random as u32) / 4096
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_is_shortened_by_a_quarter_at_most() {
        let pause = Duration::from_millis(80);
        assert!((0..100).all(|_| (pause * 3 / 4..pause).contains(&jitter(pause))));
    }

    #[test]
    fn pauses_grow_up_to_the_longest() {
        let mut backoff = Backoff::new(10, 50);
        let pauses = [(); 5].map(|()| backoff.next_pause());
        assert_eq!(pauses, [10, 20, 40, 50, 50].map(Duration::from_millis));
    }
}

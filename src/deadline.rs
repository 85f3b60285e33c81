// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Decides when a command has to end: at its timeout, or earlier if it would block the container
//! runtime.
//!
//! containerd (go-cni from 1.1.11 on) and CRI-O (ocicni from 0.4.3 on) hold a read lock during
//! every ADD and DEL, and take the write lock when their folder of network configurations changes.
//! A waiting writer blocks all new readers: every ADD and DEL of the node, and the CRI's Status.
//! Without Status, kubelet reports the node as NotReady after 30 s. Antrea's installer writes the
//! conflist whenever an agent starts, which is when ADDs wait.

use std::cell::Cell;
use std::fmt;
use std::time::{Duration, Instant};

/// Shorter commands do not look at the folder.
const FIRST_LOOK_AFTER: Duration = Duration::from_secs(5);

/// Interval between two looks at the folder.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// How long a command may continue after the change, or after its own begin if that is later.
const GRACE: Duration = Duration::from_secs(20);

/// A command that began at most this long after a change may delay the runtime's reading of it.
/// Commands of less than 5 s leave no record, and two of them, one after the other, may have come
/// before it.
const COUNTS_BEFORE_START: Duration = Duration::from_secs(12);

/// A command that follows one with a record counts up to this long after the change. The runtime
/// reads its configurations after each step of a write: three with install(1) and CRI-O, four if a
/// file is renamed. A command can delay the fourth reading only if it began within three times
/// [`GRACE`] of the change.
const READ_AGAIN_WITHIN: Duration = Duration::from_secs(65);

/// A command follows another one if it began at most this long after the other one's end: one
/// command without a record may lie between them.
const FOLLOWS_WITHIN: Duration = Duration::from_secs(8);

/// Describes a change of the folder of network configurations, or of a file in it.
#[derive(Clone, Copy, Debug)]
pub struct Change {
    /// Time since then
    pub age: Duration,
    /// Time since the last end of a command that may have delayed the reading
    pub delay_ended: Option<Duration>,
}

/// Returns the last change.
pub type LastChange = Box<dyn Fn() -> Option<Change>>;

/// Tells when a command has to end.
pub struct Deadline {
    started: Instant,
    end: Cell<Instant>,
    next_look: Cell<Instant>,
    has_yielded: Cell<bool>,
    delays_reading: Cell<bool>,
    /// Whether the command follows one that may have delayed the reading, from the first look on
    follows_delay: Cell<Option<bool>>,
    last_change: Option<LastChange>,
}

impl Deadline {
    /// Ends a command `total` after it `started`, or earlier after a change of the folder.
    pub fn new(started: Instant, total: Duration, last_change: LastChange) -> Self {
        Self {
            started,
            next_look: Cell::new(started + FIRST_LOOK_AFTER),
            last_change: Some(last_change),
            ..Self::at(started + total)
        }
    }

    /// Creates a deadline that no change shortens.
    pub fn at(end: Instant) -> Self {
        Self {
            started: end,
            end: Cell::new(end),
            next_look: Cell::new(end),
            has_yielded: Cell::new(false),
            delays_reading: Cell::new(false),
            follows_delay: Cell::new(None),
            last_change: None,
        }
    }

    /// Returns the end as known at `now`. Looks at the folder if the last look is old enough.
    pub fn expires_at(&self, now: Instant) -> Instant {
        if let Some(last_change) = self.last_change.as_ref().filter(|_| now >= self.next_look.get())
        {
            self.next_look.set(now + LOOK_INTERVAL);
            if let Some(at) = last_change().and_then(|it| self.delayed_change(it, now)) {
                let end = at.max(self.started) + GRACE;
                self.delays_reading.set(true);
                self.has_yielded.set(self.has_yielded.get() || end < self.end.get());
                self.shorten_to(end);
            }
        }
        self.end.get()
    }

    /// Returns when the folder changed, if this command may delay the reading of the change.
    fn delayed_change(&self, change: Change, now: Instant) -> Option<Instant> {
        let at = now.checked_sub(change.age)?;
        // Decided once: a record that is written after this command began says nothing about it.
        let follows_delay = self.follows_delay.get().unwrap_or_else(|| {
            let ended = change.delay_ended.and_then(|it| now.checked_sub(it));
            ended.is_some_and(|it| it <= self.started && it + FOLLOWS_WITHIN > self.started)
        });
        self.follows_delay.set(Some(follows_delay));
        let within = if follows_delay { READ_AGAIN_WITHIN } else { COUNTS_BEFORE_START };
        (at + within > self.started).then_some(at)
    }

    /// Returns until when to wait before asking again: the end, or the next look at the folder.
    pub fn next_check(&self, now: Instant) -> Instant {
        let end = self.expires_at(now);
        if self.last_change.is_some() { end.min(self.next_look.get()) } else { end }
    }

    /// Returns the time that is left.
    pub fn time_left(&self, now: Instant) -> Duration {
        self.expires_at(now).saturating_duration_since(now)
    }

    /// Shortens the command so that it ends by `end`.
    pub fn shorten_to(&self, end: Instant) {
        self.end.set(self.end.get().min(end));
    }

    /// Extends the command to `total` after its start, unless it yields to the container runtime.
    pub fn extend(&self, total: Option<Duration>) {
        if let Some(total) = total.filter(|_| !self.has_yielded.get()) {
            self.end.set(self.started + total);
        }
    }

    /// Returns whether the command may have delayed the reading of the network configurations.
    pub fn delays_reading(&self) -> bool {
        self.delays_reading.get()
    }

    /// Returns whether the command ends early, because the container runtime waits to read its
    /// network configurations.
    pub fn has_yielded(&self) -> bool {
        self.has_yielded.get()
    }
}

impl fmt::Debug for Deadline {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Deadline").field("end", &self.end.get()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::*;

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    /// Returns the end of a command of 120 s, in seconds after its start, if the folder changed
    /// `changed` seconds after the start, and a command that had delayed the reading ended `delay_ended`
    /// seconds after it.
    fn end(changed: i64, delay_ended: Option<i64>) -> u64 {
        let started = Instant::now() + s(1000);
        let clock = Rc::new(Cell::new(started));
        let look = Rc::clone(&clock);
        let at = |seconds: i64| started - s(1000) + s((1000 + seconds).cast_unsigned());
        let (changed, delay_ended) = (at(changed), delay_ended.map(at));
        let last_change: LastChange = Box::new(move || {
            let since = |it: Instant| look.get().checked_duration_since(it);
            Some(Change { age: since(changed)?, delay_ended: delay_ended.and_then(since) })
        });
        let deadline = Deadline::new(started, s(120), last_change);
        while deadline.expires_at(clock.get()) > clock.get() {
            clock.set(deadline.next_check(clock.get()));
        }
        let ends = clock.get().duration_since(started).as_secs();
        assert!(ends == 120 || deadline.delays_reading());
        ends
    }

    #[test]
    fn a_command_ends_20_s_after_a_change_or_its_begin() {
        for (changed_at, ends) in
            [(-300, 120), (-12, 120), (-11, 20), (0, 20), (7, 27), (90, 110), (99, 119), (101, 120)]
        {
            assert_eq!(end(changed_at, None), ends, "{changed_at}");
        }
    }

    #[test]
    fn a_command_that_waited_for_a_read_is_in_the_way_of_the_next() {
        for (changed_at, delay_ended, ends) in
            [(-64, -7, 20), (-64, -8, 120), (-65, -7, 120), (-20, 0, 20), (-40, 3, 120)]
        {
            assert_eq!(end(changed_at, Some(delay_ended)), ends, "{changed_at} {delay_ended}");
        }
    }

    #[test]
    fn a_short_call_does_not_look() {
        let started = Instant::now();
        let deadline = Deadline::new(started, s(120), Box::new(|| unreachable!("it looked")));
        assert_eq!(deadline.next_check(started), started + FIRST_LOOK_AFTER);
        assert_eq!(deadline.expires_at(started + FIRST_LOOK_AFTER - s(1)), started + s(120));
    }
}

// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Waits for an agent that is unavailable.

use std::io::ErrorKind;
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::node::{Connection, Node};
use crate::backoff::{Backoff, jitter};
use crate::deadline::Deadline;
use crate::grpc;

/// Pauses between attempts to connect. Each process makes its own attempts: with shared state, one
/// stopped or hostile process could block all others.
const CONNECT_BACKOFF: Backoff = Backoff::new(10, 500);

/// How long a socket is tried again whose process was killed. If it still accepts connections then,
/// a child of that process has inherited it.
const ACCEPTS_AFTER_KILL: Duration = Duration::from_millis(50);

/// Connects, and waits at most `wait` for an agent that is unavailable. With `min_time_left`, that
/// much of the command's time must be left. With `track_peer`, an agent that is just ending counts as
/// unavailable.
#[inline(never)]
pub(super) fn connect_or_wait<N: Node>(
    node: &N,
    deadline: &Rc<Deadline>,
    wait: Duration,
    min_time_left: Option<Duration>,
    track_peer: bool,
) -> Result<N::Connection, grpc::Error> {
    let until = node.now() + wait;
    let (mut backoff, mut exits_by) = (CONNECT_BACKOFF, None);
    loop {
        let now = node.now();
        let end = deadline.expires_at(now);
        let latest = end.checked_sub(min_time_left.unwrap_or_default()).unwrap_or(end);
        if min_time_left.is_some() && now > latest {
            return Err(grpc::Error::Unreachable(ErrorKind::TimedOut.into()));
        }
        let until = until.min(latest);
        match node.connect(deadline, track_peer) {
            // The kernel still accepts connections for a process that is being killed.
            Ok(it)
                if track_peer
                    && it.peer_was_gone()
                    && *exits_by.get_or_insert(now + ACCEPTS_AFTER_KILL) > now =>
            {
                drop(it);
                sleep_until(node, deadline, now + Duration::from_millis(5));
            }
            Err(away) if away.is_unavailable() && now < until => {
                let pause = jitter(backoff.next_pause());
                sleep_until(node, deadline, until.min(now + pause));
            }
            connection => return connection,
        }
    }
}

/// Sleeps until `until`, and checks the container runtime's folder in between.
pub(super) fn sleep_until(node: &impl Node, deadline: &Deadline, until: Instant) {
    loop {
        let now = node.now();
        let next = deadline.next_check(now).min(until);
        if next <= now {
            return;
        }
        node.sleep(next - now);
    }
}

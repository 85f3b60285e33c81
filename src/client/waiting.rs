//! Waiting for an agent that is away.

use std::io::ErrorKind;
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::node::{Connection, Node};
use crate::backoff::{Backoff, jitter};
use crate::deadline::Deadline;
use crate::grpc;

/// Between two looks for an agent that is away. Each process looks for itself: whatever
/// processes shared, a stopped or hostile one could hold up all of them with.
const CONNECT_BACKOFF: Backoff = Backoff::new(10, 500);

/// How long a process takes to end whose socket still connects. One that has left its socket to
/// others, and ended, looks the same.
const EXIT_TIME: Duration = Duration::from_millis(50);

/// Connects, waiting at most `wait` for an agent that is away, and for nothing else. If
/// `least` is given, so much of the command's time has to be left. If the agent is to be
/// `watched`, one that is just ending counts as away.
#[inline(never)]
pub(super) fn connect_or_wait<N: Node>(
    node: &N,
    deadline: &Rc<Deadline>,
    wait: Duration,
    least: Option<Duration>,
    track_peer: bool,
) -> Result<N::Connection, grpc::Error> {
    let until = node.now() + wait;
    let (mut backoff, mut exits_by) = (CONNECT_BACKOFF, None);
    loop {
        let now = node.now();
        let end = deadline.end(now);
        let latest = end.checked_sub(least.unwrap_or_default()).unwrap_or(end);
        if least.is_some() && now > latest {
            return Err(grpc::Error::Unreachable(ErrorKind::TimedOut.into()));
        }
        let until = until.min(latest);
        match node.connect(deadline, track_peer) {
            // The kernel still connects to a process that is being killed.
            Ok(it)
                if track_peer
                    && it.peer_was_gone()
                    && *exits_by.get_or_insert(now + EXIT_TIME) > now =>
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

/// Sleeps, but for looks at the runtime's folder.
pub(super) fn sleep_until(node: &impl Node, deadline: &Deadline, until: Instant) {
    loop {
        let now = node.now();
        let next = deadline.next(now).min(until);
        if next <= now {
            return;
        }
        node.sleep(next - now);
    }
}

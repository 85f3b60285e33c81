//! An ADD that was cut off by its agent's death.
//!
//! Its outcome is unknown, so it cannot simply be sent again: a second ADD makes
//! real agents delete the first one's interface. But when the agent's *process*
//! is gone, nothing goes on with its half of the work. The next agent can undo
//! it with DEL and do the ADD anew, as the runtime itself would, without the
//! cost of a new sandbox.

use std::thread::sleep;
use std::time::{Duration, Instant};

use super::Response;
use super::delivery::{Delivery, Error};
use super::peer::Peer;
use crate::Action;

/// How often the ADD is sent at most.
const MAX_ADDS: u32 = 3;

/// How long the process may take to die after it closed its connection, and how
/// often that is looked at. A fuzzer's agent never dies.
const DYING: (Duration, Duration) =
    (Duration::from_secs(if cfg!(fuzzing) { 0 } else { 1 }), Duration::from_millis(5));

/// Sends an ADD, and does it again if its agent dies of something.
pub(super) fn add(delivery: &mut Delivery<'_>) -> Result<Response, Error> {
    let mut first_cut = None;
    for _ in 0..MAX_ADDS {
        let (why, peer) = match delivery.send(Action::Add) {
            Err(Error::Cut { why, peer }) => (why, peer),
            Err(error) => return Err(first_cut.unwrap_or(error)),
            answer => return answer,
        };
        let cut = first_cut.get_or_insert(Error::Cut { why, peer });
        if cfg!(without_recovery) || !dies(peer, delivery.deadline) || !undo(delivery) {
            break;
        }
        let Error::Cut { why, .. } = cut else { continue };
        why.push_str("; its process is gone and the ADD was undone");
    }
    Err(first_cut.unwrap_or(Error::Deadline))
}

/// Waits a moment for the process to be gone.
fn dies(peer: Peer, deadline: Instant) -> bool {
    let until = deadline.min(Instant::now() + DYING.0);
    loop {
        if peer.is_gone() {
            return true;
        }
        if Instant::now() >= until {
            return false;
        }
        sleep(DYING.1);
    }
}

/// Has the next agent remove what the dead one may have left.
fn undo(delivery: &mut Delivery<'_>) -> bool {
    matches!(delivery.repeat(Action::Del), Ok(Response { error: None, .. }))
}

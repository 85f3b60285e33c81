//! An ADD that was cut off by its agent's death.
//!
//! Its outcome is unknown, so it cannot simply be sent again: a second ADD makes
//! real agents delete the first one's interface. But when the agent's *process*
//! is gone, nothing goes on with its half of the work. The next agent can undo
//! it with DEL and do the ADD anew, as the runtime itself would, without the
//! cost of a new sandbox.

use std::time::Duration;

use super::api::{Request, Response};
use super::delivery::{Delivery, Question};
use super::error::Error;
use super::node::{Connection, Node};
use crate::action::Action;
use crate::backoff::Backoff;
use crate::grpc;
use crate::input::Configuration;

/// How often the ADD is sent at most.
const MAX_ADDS: u32 = 3;

/// How long the process may take to die after it closed its connection. A
/// fuzzer's agent never dies.
const DYING: Duration = Duration::from_secs(if cfg!(fuzzing) { 0 } else { 1 });

/// Between two looks at a process that may be dying.
const LOOKING: Backoff = Backoff::new(5, 5);

/// Sends an ADD, and does it again if its agent dies of something.
pub(super) fn add(delivery: &mut Delivery<'_, impl Node>) -> Result<Response, Error> {
    let mut first_cut: Option<String> = None;
    for _ in 0..MAX_ADDS {
        let why = match delivery.send(Question::Command(delivery.request)) {
            Err(Error::Call(grpc::Error::Cut(why))) => why,
            Err(error) => return Err(first_cut.map_or(error, cut)),
            answer => return answer,
        };
        let first_cut = first_cut.get_or_insert(why);
        if cfg!(without_recovery) || !agent_dies(delivery) || !undo(delivery) {
            break;
        }
        first_cut.push_str("; its process is gone and the ADD was undone");
    }
    Err(first_cut.map_or(Error::Call(grpc::Error::Deadline), cut))
}

fn cut(why: String) -> Error {
    grpc::Error::Cut(why).into()
}

/// Waits a moment for the process of the last connection to be gone.
fn agent_dies<N: Node>(delivery: &Delivery<'_, N>) -> bool {
    let Some(connection) = &delivery.connection else { return false };
    let dying = delivery.node.now() + DYING;
    let mut backoff = LOOKING;
    while !connection.peer_is_gone() {
        let now = delivery.node.now();
        if now >= dying.min(delivery.deadline.end(now)) {
            return false;
        }
        delivery.node.sleep(backoff.pause());
    }
    true
}

/// Has the next agent remove what the dead one may have left, and removes what that
/// one does not know of: an interface that was only half made.
fn undo<N: Node>(delivery: &mut Delivery<'_, N>) -> bool {
    let dead = delivery.connection.take().and_then(|it| it.peer_id());
    // The kernel names the process that called listen(). If the next connection names the
    // dead one, somebody inherited its socket, and goes on with the ADD.
    let request = Request { action: Action::Del, ..delivery.request };
    if delivery.next_agent(request.action).map_or(true, |next| next == dead) {
        return false;
    }
    let undone = matches!(delivery.repeat_here(request), Ok(Response { error: None, .. }));
    if undone {
        remove_half_made(delivery);
    }
    undone
}

/// Removes the interface that the dead agent made, and no other one: the plugin that a
/// configuration's `type` names makes the interface. In the IPAM role that is another
/// plugin, and with a prevResult it was one before us.
fn remove_half_made<N: Node>(delivery: &Delivery<'_, N>) {
    let Request { args, configuration, .. } = delivery.request;
    let is_ours = Configuration::plugin_type(&args.stdin_data)
        .is_some_and(|name| delivery.node.is_own_type(&name));
    if is_ours
        && !configuration.has_prev_result()
        && let Some(netns) = delivery.node.netns()
    {
        delivery.node.remove_veth(&args.netns, netns, &args.ifname);
    }
}

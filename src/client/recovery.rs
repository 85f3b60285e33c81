// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Repeats an ADD whose agent died.
//!
//! The outcome of such an ADD is unknown, so it cannot simply be sent again: real agents delete the
//! first ADD's interface on a second ADD. But if the agent's *process* is gone, nothing continues
//! the interrupted work. The next agent can undo it with DEL and do the ADD anew. The container
//! runtime would do the same, at the cost of a new sandbox.

use std::time::Duration;

use super::error::Error;
use super::fallback::{Question, Session};
use super::node::{Connection, Node};
use crate::action::Action;
use crate::api::{Request, Response};
use crate::backoff::Backoff;
use crate::grpc;
use crate::input::Configuration;

/// How often the ADD is sent at most.
const MAX_ADDS: u32 = 3;

/// How long the agent's process may take to end after it closed the connection. The fuzzers' agent
/// never ends.
const EXIT_TIME: Duration = Duration::from_secs(if cfg!(fuzzing) { 0 } else { 1 });

/// Pauses between checks of a process that may be ending.
const EXIT_POLL_BACKOFF: Backoff = Backoff::new(5, 5);

/// Sends an ADD, and sends it again if the agent's process ended during it.
pub(super) fn add_with_recovery(session: &mut Session<'_, impl Node>) -> Result<Response, Error> {
    let question = Question::Command(session.request);
    let mut first_loss: Option<String> = None;
    for _ in 0..MAX_ADDS {
        let why = match session.disconnect().call_until_accepted(question) {
            Err(Error::Call(grpc::Error::ConnectionLost(why))) => why,
            // The next agent's own error tells more than the loss of the one before.
            Err(error) if !error.looks_like_restart() => return Err(error),
            Err(error) => return Err(first_loss.map_or(error, connection_lost)),
            answer => return answer,
        };
        let first_loss = first_loss.get_or_insert(why);
        if cfg!(without_recovery) || !agent_process_ends(session) || !undo(session) {
            break;
        }
        first_loss.push_str("; its process is gone and the ADD was undone");
    }
    Err(first_loss.map_or(Error::Call(grpc::Error::Deadline), connection_lost))
}

fn connection_lost(why: String) -> Error {
    grpc::Error::ConnectionLost(why).into()
}

/// Waits briefly for the process of the last connection to end.
fn agent_process_ends<N: Node>(session: &Session<'_, N>) -> bool {
    let Some(connection) = &session.connection else { return false };
    let exits_by = session.node.now() + EXIT_TIME;
    let mut backoff = EXIT_POLL_BACKOFF;
    while !connection.peer_is_gone() {
        let now = session.node.now();
        if now >= exits_by.min(session.deadline.expires_at(now)) {
            return false;
        }
        session.node.sleep(backoff.next_pause());
    }
    true
}

/// Makes the next agent remove what the dead agent may have left. Then removes a half-made
/// interface, which the next agent does not know.
fn undo<N: Node>(session: &mut Session<'_, N>) -> bool {
    let dead = session.connection.take().and_then(|it| it.peer_id());
    // The kernel names the process that called listen(). If the next connection names the dead
    // process, another process inherited its socket and continues the ADD.
    let request = Request { action: Action::Del, ..session.request };
    if session.connect_to_next_agent(request.action).map_or(true, |next| next == dead) {
        return false;
    }
    let undone = matches!(session.call_until_done(request), Ok(Response { error: None, .. }));
    if undone {
        remove_half_made(session);
    }
    undone
}

/// Removes the interface that the dead agent made, and no other one. Only the plugin that the
/// configuration's `type` names makes the interface: in the IPAM role that is another plugin, and
/// with a `prevResult` an earlier plugin made it.
fn remove_half_made<N: Node>(session: &Session<'_, N>) {
    let Request { args, configuration, .. } = session.request;
    let is_ours = Configuration::plugin_type(&args.stdin_data)
        .is_some_and(|name| session.node.is_own_type(&name));
    if is_ours
        && !configuration.has_prev_result()
        && let Some(netns) = session.node.netns()
    {
        session.node.remove_veth(&args.netns, netns, &args.ifname);
    }
}

// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Stage 2: asks the agent to do the command. Tries the agent APIs newest first and uses the first
//! one that the agent implements.
//!
//! ```text
//! client ──▶ owed ──▶ recovery ──▶ retry ──▶ fallback ─▶ translation ──▶ rpc ──▶ node
//! which way  DELs     an agent     again     older APIs  lower           one     the agent
//! for which  without  that died              │           cniVersions     RPC       ▲
//! command    agent                           └──▶ waiting for an agent ────────────┘
//! ```

mod answer;
pub mod call_log;
mod call_one_api;
mod error;
mod fallback;
pub mod node;
mod owed;
mod recovery;
mod retry;
mod rpc;
mod status;
mod translation;
mod waiting;

use std::rc::Rc;
use std::time::Instant;

use crate::action::Action;
use crate::api::{Request, Response};
use crate::deadline::Deadline;
use crate::input::{Call, Timeouts};

use self::fallback::Session;

pub use self::answer::Answer;
pub use self::call_log::{CallLog, RpcOutcome, SettledDels};
pub use self::call_one_api::{call_one_api, capabilities, probe_method};
pub use self::error::Error;
pub use self::node::{Connection, Node, OwedDels};
pub(crate) use self::translation::addresses;
#[cfg(fuzzing)]
pub use self::translation::translate;

/// Asks the agent to do the command of `call`, within its timeout since `started`.
///
/// # Errors
/// Any variant of [`Error`].
pub fn ask_agent(
    node: &impl Node,
    call: &Call,
    started: Instant,
    call_log: &mut CallLog,
) -> Result<Answer, Error> {
    let (request, timeouts, may_succeed_without_agent) =
        (Request::from(call), call.timeouts(), call.may_succeed_without_agent());
    let Timeouts { total, wait_for_agent } =
        if may_succeed_without_agent { timeouts.shortened_for_owed_del() } else { timeouts };
    let deadline = Rc::new(Deadline::new(started, total, node.last_conf_change()));
    let mut session = Session::new(node, request, Rc::clone(&deadline), wait_for_agent, call_log);
    let answer = match request.action {
        Action::Add => ask_for_add(&mut session),
        Action::Status => status::ask_status(&mut session),
        Action::Del if may_succeed_without_agent => owed::del_or_owe(&mut session, timeouts),
        Action::Check | Action::Del | Action::Gc => {
            session.call_until_done(request).map(Answer::Agent)
        }
    };
    if request.action != Action::Add && has_reached_agent(request.action, &answer) {
        send_due_dels(&mut session);
    }
    let now = node.now();
    call_log.elapsed = now - started;
    if deadline.delays_reading() {
        node.record_delay();
    }
    match answer {
        Ok(Answer::Agent(response)) => {
            Ok(Answer::Agent(with_attempt_count(response, call_log, deadline.has_yielded())))
        }
        Err(cause)
            if cause.is_unreached()
                && deadline.has_yielded()
                && deadline.expires_at(now) <= now =>
        {
            Err(Error::Yielded(Box::new(cause)))
        }
        answer => answer,
    }
}

/// Does an ADD. A DEL that is owed for the same container and interface is sent first.
fn ask_for_add(session: &mut Session<'_, impl Node>) -> Result<Answer, Error> {
    let owed = session.node.open_owed_dels().map_err(owed::unreadable)?;
    if let Some(owed) = &owed
        && let Some(busy) = owed::send_before_add(session, owed)?
    {
        return Ok(Answer::Agent(busy));
    }
    let is_any_owed = owed.is_some();
    drop(owed);
    let answer = recovery::add_with_recovery(session).map(Answer::Agent);
    if !has_reached_agent(Action::Add, &answer) {
        owed::owe_for_unknown_add(session);
    } else if is_any_owed {
        send_due_dels(session);
    }
    answer
}

/// Returns whether an agent answered, so that owed DELs can be sent to it. An agent without GC has
/// answered, too.
fn has_reached_agent(action: Action, answer: &Result<Answer, Error>) -> bool {
    match answer {
        Ok(Answer::Agent(_) | Answer::ServesAdd { .. }) => true,
        Ok(Answer::Owed | Answer::Lost) => false,
        Err(Error::NoCommonApi) => action == Action::Gc,
        Err(error) => error.is_from_served_method(),
    }
}

fn send_due_dels<N: Node>(session: &mut Session<'_, N>) {
    if let Ok(Some(owed)) = session.node.open_owed_dels() {
        owed::send_due(session, &owed);
    }
}

/// Notes in an answer "try again later" how often the agent was asked.
fn with_attempt_count(mut response: Response, call_log: &CallLog, has_yielded: bool) -> Response {
    let is_last_word = response.is_try_again_later();
    if let Some(error) = response.error.as_mut().filter(|_| is_last_word) {
        let times = call_log.busy_retries + 1;
        let plural = if times == 1 { "" } else { "s" };
        let why = if has_yielded {
            ", and not again: the container runtime waits to read its network configuration"
        } else {
            ""
        };
        let asked = format!(
            "asked {times} time{plural} in {}{why}",
            call_log::format_seconds(call_log.elapsed)
        );
        let and = if error.note.is_empty() { "" } else { "; " };
        error.note = [&*error.note, and, &asked].concat();
    }
    response
}

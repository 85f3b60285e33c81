// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Stores a DEL that no agent did, so that it is owed to the next agent, and sends what is owed.

use std::io::{self, ErrorKind};
use std::mem;
use std::time::Duration;

use super::answer::Answer;
use super::error::Error;
use super::fallback::{Question, Session};
use super::node::{Node, OwedDels};
use crate::action::{Action, Command};
use crate::api::{Request, Response};
use crate::backoff::Backoff;
use crate::grpc;
use crate::input::{Call, CmdArgs, Timeouts};
use crate::platform::files;

/// How long a command sends owed DELs after the agent answered it.
const SETTLE_TIME: Duration = Duration::from_secs(2);

/// When a DEL is due for an ADD whose outcome is unknown. The runtime's own DEL comes at once, and
/// may overtake the ADD, which the agent then still finishes.
const DELAY_AFTER_ADD: Duration = Duration::from_secs(60);

/// Pauses between attempts to claim a DEL that another process sends.
const CLAIM_BACKOFF: Backoff = Backoff::new(10, 200);

/// Sends a DEL that may succeed without an agent. If no agent answers, the DEL is stored. If it
/// cannot be stored and its network namespace still exists, it waits longer for an agent.
pub(super) fn del_or_owe<N: Node>(
    session: &mut Session<'_, N>,
    timeouts: Timeouts,
) -> Result<Answer, Error> {
    let (request, started) = (session.request, session.node.now());
    session.full_timeout = Some(timeouts.total);
    let cause = match session.call_until_done(request) {
        Err(cause) if cause.is_unreached() => cause,
        answer => return answer.map(Answer::Agent),
    };
    if session.node.store_owed_del(request.args, Duration::ZERO) {
        return Ok(Answer::Owed);
    }
    if session.node.netns_is_gone(&request.args.netns) {
        return Ok(Answer::Lost);
    }
    if !cause.is_not_connected() {
        return Err(cause);
    }
    session.deadline.extend(session.full_timeout);
    session.wait_for_agent = timeouts.wait_for_agent.saturating_sub(session.node.now() - started);
    session.disconnect().call_until_done(request).map(Answer::Agent)
}

/// Sends the owed DEL for the container and interface of an ADD, if there is one. Returns the
/// agent's answer if that is "try again later". The ADD is not sent while its DEL is owed.
pub(super) fn send_before_add<N: Node>(
    session: &mut Session<'_, N>,
    owed: &N::Owed,
) -> Result<Option<Response>, Error> {
    let mut backoff = CLAIM_BACKOFF;
    // Two processes may each have stored one at the same time.
    while let Some(entry) = owed.find(session.request.args).map_err(unreadable)? {
        match claim::<N>(owed, &entry, session) {
            Ok(Some((call, _claim))) => {
                let answer = session.disconnect().call_until_done(Request::from(&*call));
                if !is_settled(&answer) {
                    return answer.map(|response| Some(with_note_about_owed_del(response)));
                }
                record_answer(session, &call.args, answer);
                if !owed.remove(&entry) {
                    return Err(cannot_remove::<N>(&entry));
                }
            }
            Ok(None) => (),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                if !session.pause(backoff.next_pause()) {
                    return Err(Error::OwedDelFirst("another process sends it".to_owned()));
                }
            }
            Err(error) if error.kind() == ErrorKind::InvalidData => {
                return Err(cannot_remove::<N>(&entry));
            }
            Err(error) => return Err(unreadable(error)),
        }
    }
    let least = Action::Add.rules().retry_if_left.unwrap_or_default();
    let left = session.deadline.time_left(session.node.now());
    // The retries of the ADD are counted from here on.
    if mem::take(&mut session.call_log.busy_retries) > 0 && left < least {
        return Err(Error::OwedDelFirst("it left too little time".to_owned()));
    }
    Ok(None)
}

/// Returns the error of an ADD for which it is not known whether a DEL is owed.
pub(super) fn unreadable(error: io::Error) -> Error {
    match files::is_out_of_descriptors(&error) {
        true => grpc::Error::OutOfDescriptors(error).into(),
        false => Error::OwedDelFirst(format!("what is owed cannot be read: {error}")),
    }
}

fn cannot_remove<N: Node>(entry: &<N::Owed as OwedDels>::Entry) -> Error {
    let key = N::Owed::key(entry);
    Error::OwedDelFirst(format!(
        "the DEL of {key}, which is stored beside the socket, cannot be removed"
    ))
}

/// Notes in an answer that it is about the owed DEL and not about the ADD.
fn with_note_about_owed_del(mut response: Response) -> Response {
    if let Some(error) = &mut response.error {
        error.note =
            "the ADD was not sent: this is about the DEL that is owed before it".to_owned();
    }
    response
}

/// Sends the DELs that are due on the connection of a command that was answered. A DEL that the
/// agent does not answer is delayed, so that it does not block the others.
pub(super) fn send_due<N: Node>(session: &mut Session<'_, N>, owed: &N::Owed) {
    if !owed.try_lock() {
        return;
    }
    session.deadline.shorten_to(session.node.now() + SETTLE_TIME);
    (session.wait_for_agent, session.full_timeout) = (Duration::ZERO, None);
    // The log shows only the RPCs of the command itself.
    let (rpcs, connections) = (mem::take(&mut session.call_log.rpcs), session.call_log.connections);
    let Request { action, args, .. } = session.request;
    for entry in owed.due() {
        // Another process may have stored a DEL for the container of this ADD meanwhile. Sent by
        // this call, it would remove what the ADD just made.
        if action == Action::Add && N::Owed::is_for(&entry, args) {
            continue;
        }
        let Ok(Some((call, claim))) = claim::<N>(owed, &entry, session) else { continue };
        let asked = session.node.now();
        let answer = session.call_until_processed(Question::Command(Request::from(&*call)));
        if is_settled(&answer) {
            record_answer(session, &call.args, answer);
            if owed.remove(&entry) {
                continue;
            }
            break;
        }
        // A DEL that was cut off by the end of these 2 s alone is not postponed.
        let now = session.node.now();
        if now - asked > SETTLE_TIME / 4 || !session.deadline.time_left(now).is_zero() {
            owed.postpone(&entry, &claim);
        }
        // An agent that answered can be sent the other DELs.
        if !is_any_answer(&answer) {
            break;
        }
    }
    (session.call_log.rpcs, session.call_log.connections) = (rpcs, connections);
}

/// Stores a DEL for an ADD whose outcome is unknown, if the agent may still finish it.
pub(super) fn owe_for_unknown_add<N: Node>(session: &mut Session<'_, N>) {
    if session.add_may_still_take_effect()
        && !session.node.store_owed_del(session.request.args, DELAY_AFTER_ADD)
    {
        let why = "the agent may still do the ADD, and the DEL for it could not be kept";
        session.call_log.settled_dels.errors.push(why.to_owned());
    }
}

/// A DEL, and what keeps other processes from sending it.
type Claimed<N> = (Box<Call>, <<N as Node>::Owed as OwedDels>::Claim);

/// Claims an owed DEL. Removes an invalid one and records an error. Returns `None` if it is gone.
///
/// # Errors
/// [`WouldBlock`](ErrorKind::WouldBlock): another process is sending it.
/// [`InvalidData`](ErrorKind::InvalidData): it is invalid and cannot be removed.
/// Others: it cannot be read now.
fn claim<N: Node>(
    owed: &N::Owed,
    entry: &<N::Owed as OwedDels>::Entry,
    session: &mut Session<'_, N>,
) -> io::Result<Option<Claimed<N>>> {
    let why = match owed.claim(entry) {
        Ok((claim, args)) => match Call::check(&Command::from(Action::Del), args) {
            Ok(call) => return Ok(Some((Box::new(call), claim))),
            Err(rejected) => rejected.error.to_string(),
        },
        Err(error) => match error.kind() {
            ErrorKind::NotFound => return Ok(None),
            ErrorKind::InvalidData => "it cannot be read".to_owned(),
            _ => return Err(error),
        },
    };
    if !owed.remove(entry) {
        return Err(ErrorKind::InvalidData.into());
    }
    let text = format!("the DEL that was owed for {} is lost: {why}", N::Owed::key(entry));
    session.call_log.settled_dels.errors.push(text);
    Ok(None)
}

/// Returns whether an agent answered a DEL, so that it is no longer owed.
fn is_settled(answer: &Result<Response, Error>) -> bool {
    match answer {
        Ok(response) => !response.is_try_again_later(),
        Err(error) => error.is_from_served_method() || matches!(error, Error::Undecodable(_)),
    }
}

/// Returns whether the agent answered in any way, so that its connection can be used again.
fn is_any_answer(answer: &Result<Response, Error>) -> bool {
    matches!(answer, Ok(_) | Err(Error::Call(grpc::Error::Status(_)) | Error::NoCommonApi))
}

fn record_answer<N: Node>(
    session: &mut Session<'_, N>,
    args: &CmdArgs,
    answer: Result<Response, Error>,
) {
    let settled = &mut session.call_log.settled_dels;
    settled.done += 1;
    let why = match answer {
        Ok(Response { error: Some(error), .. }) => format!("code {}: {error}", error.code),
        Ok(_) => return,
        Err(error) => error.to_string(),
    };
    let CmdArgs { container_id, ifname, .. } = args;
    settled.errors.push(format!("DEL of {container_id} {ifname}: {why}"));
}

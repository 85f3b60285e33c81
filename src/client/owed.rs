//! DELs that no agent did: each was answered with success and is owed. Whoever reaches an
//! agent next sends them.

use std::io::{self, ErrorKind};
use std::mem;
use std::time::Duration;

use super::answer::Answer;
use super::error::Error;
use super::node::{Node, OwedDels};
use super::retry::{Question, Session};
use crate::action::{Action, Command};
use crate::api::{Request, Response};
use crate::backoff::Backoff;
use crate::grpc;
use crate::input::{Call, CmdArgs, Timeouts};

/// How long a command that an agent answered goes on with DELs that are owed.
const SETTLE_TIME: Duration = Duration::from_secs(2);

/// When a DEL is due for an ADD whose outcome is unknown. The runtime's own DEL comes at
/// once, and may pass the ADD, which the agent still finishes.
const DELAY_AFTER_ADD: Duration = Duration::from_secs(60);

/// Between two tries to claim what another process sends.
const CLAIM_BACKOFF: Backoff = Backoff::new(10, 200);

/// Sends a DEL that succeeds also without an agent. Not reached, or without an answer, it is
/// written down. What cannot be written down waits longer, if its network namespace is there.
pub(super) fn del_or_owe<N: Node>(
    session: &mut Session<'_, N>,
    timeouts: Timeouts,
) -> Result<Answer, Error> {
    let (request, started) = (session.request, session.node.now());
    session.total_if_answered = Some(timeouts.total);
    let cause = match session.call_until_done(request) {
        Err(cause) if cause.is_unreached() => cause,
        answer => return answer.map(Answer::Agent),
    };
    if session.node.owe(request.args, Duration::ZERO) {
        return Ok(Answer::Owed);
    }
    if session.node.netns_is_gone(&request.args.netns) {
        return Ok(Answer::Lost);
    }
    if !cause.is_not_connected() {
        return Err(cause);
    }
    session.deadline.extend(session.total_if_answered);
    session.wait_for_agent = timeouts.wait_for_agent.saturating_sub(session.node.now() - started);
    session.call_until_done(request).map(Answer::Agent)
}

/// Sends the DEL that is owed for the container and interface of an ADD, if there is one.
/// Gives the agent's words where it did not do it. An ADD is not sent while its DEL stays.
pub(super) fn send_before_add<N: Node>(
    session: &mut Session<'_, N>,
    owed: &N::Owed,
) -> Result<Option<Response>, Error> {
    let mut backoff = CLAIM_BACKOFF;
    // Two processes may have written one at once.
    while let Some(entry) =
        owed.find(session.request.args).map_err(grpc::Error::OutOfDescriptors)?
    {
        match claim::<N>(owed, &entry, session) {
            Claimed::Call(call, _claim) => {
                let answer = session.call_until_done(Request::from(&*call));
                if !is_answered(&answer) {
                    return answer.map(|response| Some(with_note_about_owed_del(response)));
                }
                record_answer(session, &call.args, answer);
                if !owed.remove(&entry) {
                    return Err(cannot_remove::<N>(&entry));
                }
            }
            Claimed::Gone => (),
            Claimed::Busy if session.pause(backoff.next_pause()) => (),
            Claimed::Busy => {
                return Err(Error::OwedDelFirst("another process sends it".to_owned()));
            }
            Claimed::Stays => return Err(cannot_remove::<N>(&entry)),
            Claimed::Failed(error) => return Err(grpc::Error::OutOfDescriptors(error).into()),
        }
    }
    let least = Action::Add.rules().retry_if_left.unwrap_or_default();
    let left = session.deadline.left(session.node.now());
    // From here on the ADD is counted.
    if mem::take(&mut session.call_log.asked_again) > 0 && left < least {
        return Err(Error::OwedDelFirst("it took the time of the ADD".to_owned()));
    }
    Ok(None)
}

fn cannot_remove<N: Node>(entry: &<N::Owed as OwedDels>::Entry) -> Error {
    let key = N::Owed::key(entry);
    Error::OwedDelFirst(format!(
        "what is written down for {key} beside the socket cannot be removed"
    ))
}

/// The agent's words, which are not about the ADD.
fn with_note_about_owed_del(mut response: Response) -> Response {
    if let Some(error) = &mut response.error {
        error.note =
            "the ADD was not sent: this is about the DEL that is owed before it".to_owned();
    }
    response
}

/// Sends the DELs that are due, on the connection of a command that was answered. One that no
/// agent answers keeps the others from nothing.
pub(super) fn send_due<N: Node>(session: &mut Session<'_, N>, owed: &N::Owed) {
    if !owed.try_lock() {
        return;
    }
    session.deadline.limit(session.node.now() + SETTLE_TIME);
    (session.wait_for_agent, session.total_if_answered) = (Duration::ZERO, None);
    // The log tells of the command's own calls.
    let (rpcs, connections) = (mem::take(&mut session.call_log.rpcs), session.call_log.connections);
    let Request { action, args, .. } = session.request;
    for entry in owed.due() {
        // What an ADD made is not removed by its own call: another one owed that meanwhile.
        if action == Action::Add && N::Owed::is_for(&entry, args) {
            continue;
        }
        let (call, claim) = match claim::<N>(owed, &entry, session) {
            Claimed::Call(call, claim) => (call, claim),
            Claimed::Gone | Claimed::Busy | Claimed::Stays => continue,
            Claimed::Failed(_) => break,
        };
        let asked = session.node.now();
        let answer = session.call_until_not_refused(Question::Command(Request::from(&*call)));
        if is_answered(&answer) {
            record_answer(session, &call.args, answer);
            if owed.remove(&entry) {
                continue;
            }
            break;
        }
        // One that our own end cut off has not kept anybody.
        let now = session.node.now();
        if now - asked > SETTLE_TIME / 4 || !session.deadline.left(now).is_zero() {
            owed.postpone(&entry, &claim);
        }
        // An agent that answered can be asked for the others.
        if !is_any_answer(&answer) {
            break;
        }
    }
    (session.call_log.rpcs, session.call_log.connections) = (rpcs, connections);
}

/// Owes a DEL for an ADD whose outcome is unknown, while its agent goes on with it.
pub(super) fn owe_for_unknown_add<N: Node>(session: &mut Session<'_, N>) {
    if session.add_may_go_on() && !session.node.owe(session.request.args, DELAY_AFTER_ADD) {
        let why = "the agent may still do the ADD, and the DEL for it could not be kept";
        session.call_log.settled_dels.errors.push(why.to_owned());
    }
}

/// What comes of claiming a DEL that is owed.
enum Claimed<C> {
    Call(Box<Call>, C),
    /// Done by another process, or none at all
    Gone,
    /// Another process sends it
    Busy,
    /// It is none, and cannot be removed
    Stays,
    Failed(io::Error),
}

/// Claims a DEL that is owed. What is none is removed, and said.
fn claim<N: Node>(
    owed: &N::Owed,
    entry: &<N::Owed as OwedDels>::Entry,
    session: &mut Session<'_, N>,
) -> Claimed<<N::Owed as OwedDels>::Claim> {
    let why = match owed.claim(entry) {
        Ok((claim, args)) => match Call::check(&Command::from(Action::Del), args) {
            Ok(call) => return Claimed::Call(Box::new(call), claim),
            Err(refused) => refused.error.to_string(),
        },
        Err(error) => match error.kind() {
            ErrorKind::NotFound => return Claimed::Gone,
            ErrorKind::WouldBlock => return Claimed::Busy,
            ErrorKind::InvalidData => "it cannot be read".to_owned(),
            _ => return Claimed::Failed(error),
        },
    };
    if !owed.remove(entry) {
        return Claimed::Stays;
    }
    let key = N::Owed::key(entry);
    session
        .call_log
        .settled_dels
        .errors
        .push(format!("the DEL that was owed for {key} is lost: {why}"));
    Claimed::Gone
}

/// Whether an agent answered a DEL, so that it is not owed any more.
fn is_answered(answer: &Result<Response, Error>) -> bool {
    match answer {
        Ok(response) => !response.is_try_again_later(),
        Err(error) => error.is_from_served_method() || matches!(error, Error::Undecodable(_)),
    }
}

/// Whether an agent said anything, so that its connection goes on.
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

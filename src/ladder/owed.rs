//! DELs that no agent did: each was answered with success and is owed. Whoever reaches an
//! agent next sends them.

use std::io::{self, ErrorKind};
use std::mem;
use std::time::Duration;

use super::answer::Answer;
use super::api::{Request, Response};
use super::delivery::{Delivery, Question};
use super::error::Error;
use super::node::{Node, OwedDels};
use crate::action::{Action, Command};
use crate::backoff::Backoff;
use crate::grpc;
use crate::input::{Call, CmdArgs, Limits};

/// How long a command that an agent answered goes on with DELs that are owed.
const SETTLING: Duration = Duration::from_secs(2);

/// When a DEL is due for an ADD whose outcome is unknown. The runtime's own DEL comes at
/// once, and may pass the ADD, which the agent still finishes.
const AFTER_ADD: Duration = Duration::from_secs(60);

/// Between two tries to claim what another process sends.
const CLAIMING: Backoff = Backoff::new(10, 200);

/// Sends a DEL that succeeds also without an agent. Not reached, or without an answer, it is
/// written down. What cannot be written down waits longer, if its network namespace is there.
pub(super) fn del<N: Node>(
    delivery: &mut Delivery<'_, N>,
    limits: Limits,
) -> Result<Answer, Error> {
    let (request, started) = (delivery.request, delivery.node.now());
    delivery.total_if_answered = Some(limits.total);
    let cause = match delivery.repeat(request) {
        Err(cause) if cause.is_unreached() => cause,
        answer => return answer.map(Answer::Agent),
    };
    if delivery.node.owe(request.args, Duration::ZERO) {
        return Ok(Answer::Owed);
    }
    if delivery.node.netns_is_gone(&request.args.netns) {
        return Ok(Answer::Lost);
    }
    if !cause.is_unconnected() {
        return Err(cause);
    }
    delivery.deadline.extend(delivery.total_if_answered);
    delivery.wait = limits.wait.saturating_sub(delivery.node.now() - started);
    delivery.repeat(request).map(Answer::Agent)
}

/// Sends the DEL that is owed for the container and interface of an ADD, if there is one.
/// Gives the agent's words where it did not do it. An ADD is not sent while its DEL stays.
pub(super) fn settle_before_add<N: Node>(
    delivery: &mut Delivery<'_, N>,
    owed: &N::Owed,
) -> Result<Option<Response>, Error> {
    let mut backoff = CLAIMING;
    // Two processes may have written one at once.
    while let Some(entry) = owed.find(delivery.request.args).map_err(grpc::Error::NoSocket)? {
        match claim::<N>(owed, &entry, delivery) {
            Claimed::Call(call, _claim) => {
                let answer = delivery.repeat(Request::from(&*call));
                if !is_answered(&answer) {
                    return answer.map(|response| Some(of_del(response)));
                }
                note(delivery, &call.args, answer);
                if !owed.remove(&entry) {
                    return Err(stays::<N>(&entry));
                }
            }
            Claimed::Gone => (),
            Claimed::Busy if delivery.pause(backoff.pause()) => (),
            Claimed::Busy => {
                return Err(Error::OwedFirst("another process sends it".to_owned()));
            }
            Claimed::Stays => return Err(stays::<N>(&entry)),
            Claimed::Failed(error) => return Err(grpc::Error::NoSocket(error).into()),
        }
    }
    let least = Action::Add.rules().asks_again.unwrap_or_default();
    let left = delivery.deadline.left(delivery.node.now());
    // From here on the ADD is counted.
    if mem::take(&mut delivery.history.asked_again) > 0 && left < least {
        return Err(Error::OwedFirst("it took the time of the ADD".to_owned()));
    }
    Ok(None)
}

fn stays<N: Node>(entry: &<N::Owed as OwedDels>::Entry) -> Error {
    let key = N::Owed::key(entry);
    Error::OwedFirst(format!("what is written down for {key} beside the socket cannot be removed"))
}

/// The agent's words, which are not about the ADD.
fn of_del(mut response: Response) -> Response {
    if let Some(error) = &mut response.error {
        error.note =
            "the ADD was not sent: this is about the DEL that is owed before it".to_owned();
    }
    response
}

/// Sends the DELs that are due, on the connection of a command that was answered. One that no
/// agent answers keeps the others from nothing.
pub(super) fn settle<N: Node>(delivery: &mut Delivery<'_, N>, owed: &N::Owed) {
    if !owed.try_lock() {
        return;
    }
    delivery.deadline.limit(delivery.node.now() + SETTLING);
    (delivery.wait, delivery.total_if_answered) = (Duration::ZERO, None);
    // The log tells of the command's own calls.
    let (rpcs, connections) = (mem::take(&mut delivery.history.rpcs), delivery.history.connections);
    let Request { action, args, .. } = delivery.request;
    for entry in owed.due() {
        // What an ADD made is not removed by its own call: another one owed that meanwhile.
        if action == Action::Add && N::Owed::is_for(&entry, args) {
            continue;
        }
        let (call, claim) = match claim::<N>(owed, &entry, delivery) {
            Claimed::Call(call, claim) => (call, claim),
            Claimed::Gone | Claimed::Busy | Claimed::Stays => continue,
            Claimed::Failed(_) => break,
        };
        let asked = delivery.node.now();
        let answer = delivery.ask_in_turn(Question::Command(Request::from(&*call)));
        if is_answered(&answer) {
            note(delivery, &call.args, answer);
            if owed.remove(&entry) {
                continue;
            }
            break;
        }
        // One that our own end cut off has not kept anybody.
        let now = delivery.node.now();
        if now - asked > SETTLING / 4 || !delivery.deadline.left(now).is_zero() {
            owed.postpone(&entry, &claim);
        }
        // An agent that answered can be asked for the others.
        if !is_heard(&answer) {
            break;
        }
    }
    (delivery.history.rpcs, delivery.history.connections) = (rpcs, connections);
}

/// Owes a DEL for an ADD whose outcome is unknown, while its agent goes on with it.
pub(super) fn after_unknown_add<N: Node>(delivery: &mut Delivery<'_, N>) {
    if delivery.add_may_go_on() && !delivery.node.owe(delivery.request.args, AFTER_ADD) {
        let why = "the agent may still do the ADD, and the DEL for it could not be kept";
        delivery.history.owed.errors.push(why.to_owned());
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
    delivery: &mut Delivery<'_, N>,
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
    delivery.history.owed.errors.push(format!("the DEL that was owed for {key} is lost: {why}"));
    Claimed::Gone
}

/// Whether an agent answered a DEL, so that it is not owed any more.
fn is_answered(answer: &Result<Response, Error>) -> bool {
    match answer {
        Ok(response) => !response.is_try_again_later(),
        Err(error) => error.is_served() || matches!(error, Error::Undecodable(_)),
    }
}

/// Whether an agent said anything, so that its connection goes on.
fn is_heard(answer: &Result<Response, Error>) -> bool {
    matches!(answer, Ok(_) | Err(Error::Call(grpc::Error::Status(_)) | Error::Exhausted))
}

fn note<N: Node>(delivery: &mut Delivery<'_, N>, args: &CmdArgs, answer: Result<Response, Error>) {
    let settled = &mut delivery.history.owed;
    settled.done += 1;
    let why = match answer {
        Ok(Response { error: Some(error), .. }) => format!("code {}: {error}", error.code),
        Ok(_) => return,
        Err(error) => error.to_string(),
    };
    let CmdArgs { container_id, ifname, .. } = args;
    settled.errors.push(format!("DEL of {container_id} {ifname}: {why}"));
}

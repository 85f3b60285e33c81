//! DELs that no agent did: each was answered with success and is owed. Whoever reaches an
//! agent next sends them.

use std::io::ErrorKind;
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

/// Between two tries to lock what another process sends.
const LOCKING: Backoff = Backoff::new(10, 200);

/// Sends a DEL that succeeds also without an agent. Not reached, or without an answer, it is
/// written down. What cannot be written down waits longer, if its network namespace is there.
pub(super) fn del<N: Node>(
    delivery: &mut Delivery<'_, N>,
    limits: Limits,
) -> Result<Answer, Error> {
    let (request, started) = (delivery.request, delivery.node.now());
    delivery.longer = Some(limits.total);
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
    delivery.deadline.extend(delivery.longer);
    delivery.wait = limits.wait.saturating_sub(delivery.node.now() - started);
    delivery.repeat(request).map(Answer::Agent)
}

/// Sends the DEL that is owed for the container and interface of an ADD, if there is one.
/// Gives the agent's words where it did not do it.
pub(super) fn settle_before_add<N: Node>(
    delivery: &mut Delivery<'_, N>,
    owed: &N::Owed,
) -> Result<Option<Response>, Error> {
    let args = delivery.request.args;
    let mut backoff = LOCKING;
    while owed.find(args).is_some() && !owed.try_lock() {
        if !delivery.pause(backoff.pause()) {
            return Err(grpc::Error::Deadline.into());
        }
    }
    // Whoever had the lock may have sent it. Two processes may have written it at once.
    while let Some(entry) = owed.find(args) {
        if let Some(call) = read::<N>(owed, &entry, delivery)? {
            let answer = delivery.repeat(Request::from(&call));
            if !is_answered(&answer) {
                return answer.map(Some);
            }
            note(delivery, &call.args, answer);
        }
        owed.remove(&entry);
    }
    Ok(None)
}

/// Sends the DELs that are due, on the connection of a command that was answered.
pub(super) fn settle<N: Node>(delivery: &mut Delivery<'_, N>, owed: &N::Owed) {
    if !owed.try_lock() {
        return;
    }
    delivery.deadline.limit(delivery.node.now() + SETTLING);
    (delivery.wait, delivery.longer) = (Duration::ZERO, None);
    // The log tells of the command's own calls.
    let (rpcs, connections) = (mem::take(&mut delivery.history.rpcs), delivery.history.connections);
    let asked_again = delivery.history.asked_again;
    for entry in owed.due() {
        let call = match read::<N>(owed, &entry, delivery) {
            Ok(Some(call)) => call,
            Ok(None) => continue,
            Err(_) => break,
        };
        let asked = delivery.node.now();
        let answer = delivery.resume(Question::Command(Request::from(&call)));
        if !is_answered(&answer) {
            // The others are not to wait for one that no agent answers.
            let is_silent = answer.is_err_and(|error| error.is_unreached());
            if is_silent && delivery.node.now() - asked > SETTLING / 2 {
                owed.postpone(&entry);
            }
            break;
        }
        note(delivery, &call.args, answer);
        owed.remove(&entry);
    }
    let history = &mut *delivery.history;
    (history.rpcs, history.connections, history.asked_again) = (rpcs, connections, asked_again);
}

/// Owes a DEL for an ADD whose outcome is unknown, while its agent goes on with it.
pub(super) fn after_unknown_add<N: Node>(delivery: &Delivery<'_, N>) {
    if delivery.add_may_go_on() {
        delivery.node.owe(delivery.request.args, AFTER_ADD);
    }
}

/// Reads a DEL that is owed. One that never can be read is removed, and is no call.
fn read<N: Node>(
    owed: &N::Owed,
    entry: &<N::Owed as OwedDels>::Entry,
    delivery: &mut Delivery<'_, N>,
) -> Result<Option<Call>, Error> {
    let why = match owed.read(entry) {
        Ok(args) => match Call::check(&Command::from(Action::Del), args) {
            Ok(call) => return Ok(Some(call)),
            Err(refused) => refused.error.to_string(),
        },
        Err(error) if error.kind() == ErrorKind::InvalidData => "it cannot be read".to_owned(),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(grpc::Error::NoSocket(error).into()),
    };
    delivery.history.owed.errors.push(format!("a DEL that was owed is lost: {why}"));
    owed.remove(entry);
    Ok(None)
}

/// Whether an agent answered a DEL, so that it is not owed any more.
fn is_answered(answer: &Result<Response, Error>) -> bool {
    match answer {
        Ok(response) => !response.is_try_again_later(),
        Err(Error::Call(error @ grpc::Error::Status(_))) => !error.is_unimplemented(),
        Err(error) => matches!(error, Error::Undecodable(_)),
    }
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

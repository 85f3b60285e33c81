//! Stage 3: what an answer, or its absence, means for each command.

use std::io::ErrorKind;

use bytes::Bytes;

use crate::action::Action;
use crate::error::Error;
use crate::input::Call;
use crate::ladder::{self, AgentError, Node, Response};
use crate::{grpc, json};

/// The bytes for standard output, or why the command failed.
pub(crate) fn of(
    node: &impl Node,
    call: &Call,
    answer: Result<Response, ladder::Error>,
) -> Result<Bytes, Error> {
    use Action::{Add, Del, Gc};
    if call.action == Action::Status {
        return status(node, call, answer);
    }
    if answer.is_ok() && is_asked_for_status(call) {
        node.remember();
    }
    match (call.action, answer) {
        // Nothing to collect for an agent that cannot, or whose version is too low
        // for it: the runtime has already sent DEL for what it knew.
        (Gc, Ok(Response { error: Some(error), .. })) if error.is_refused_version() => {
            Ok(Bytes::new())
        }
        (Gc, Err(ladder::Error::Exhausted)) => Ok(Bytes::new()),
        (_, Ok(Response { error: Some(error), .. })) => Err(with_hint(error, call).into()),
        (Add, Ok(Response { result, .. })) => match json::is_object(&result) {
            Ok(()) => Ok(result),
            Err(why) => Err(Error::Result(why)),
        },
        (_, Ok(_)) => Ok(Bytes::new()),
        (Del, Err(cause)) if is_away(&cause) && call.may_be_left() => Ok(Bytes::new()),
        (_, Err(cause)) => Err(cause.into()),
    }
}

/// Ready means that an ADD started now can be expected to succeed. What the agent
/// said last is remembered: one that is being restarted is ready for as long as an
/// ADD would wait for it.
fn status(
    node: &impl Node,
    call: &Call,
    answer: Result<Response, ladder::Error>,
) -> Result<Bytes, Error> {
    match answer {
        Ok(Response { error: None, .. }) => {
            node.remember();
            Ok(Bytes::new())
        }
        Ok(Response { error: Some(error), .. }) => {
            node.forget();
            Err(error.into())
        }
        Err(cause) if cause.is_silence() && node.was_seen(call.settings.wait_for_agent) => {
            Ok(Bytes::new())
        }
        Err(cause) => {
            if !cause.is_silence() {
                node.forget();
            }
            Err(not_ready(cause))
        }
    }
}

/// Whether the runtime asks for STATUS under this configuration.
fn is_asked_for_status(call: &Call) -> bool {
    call.cni_version.as_ref().is_some_and(|version| *version >= Action::Status.since())
}

/// Every agent refuses a configuration without a version.
fn with_hint(mut error: AgentError, call: &Call) -> AgentError {
    if call.cni_version.is_none() && error.is_refused_version() {
        error.note = "set cniVersion in the network configuration".to_owned();
    }
    error
}

/// Whatever keeps the agent from answering means that it is not ready, but for a
/// peer that is not to be talked to, and our own failure.
fn not_ready(cause: ladder::Error) -> Error {
    use grpc::Error::{NoSocket, OpenFolder, Untrusted};
    match cause {
        ladder::Error::Call(Untrusted { .. } | OpenFolder(_) | NoSocket(_)) => cause.into(),
        cause => Error::NotReady(cause),
    }
}

/// Whether no agent was there to do a DEL, or it did not answer. An agent that answers
/// with an error is there, and so is one whose socket is closed to this user.
fn is_away(cause: &ladder::Error) -> bool {
    use grpc::Error::{Deadline, NotASocket, NotTaken, Unreachable};
    match cause {
        ladder::Error::Call(Unreachable(error)) => error.kind() != ErrorKind::PermissionDenied,
        ladder::Error::Call(NotASocket(_) | NotTaken(_) | Deadline) => true,
        _ => false,
    }
}

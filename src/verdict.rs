//! Stage 3: what an answer, or its absence, means for each command.

use bytes::Bytes;

use crate::action::Action;
use crate::error::Error;
use crate::input::settings::DelWhenAgentDown;
use crate::input::{Call, Settings};
use crate::ladder::{self, AgentError, Response};
use crate::{grpc, json, last_seen};

/// The bytes for standard output, or why the command failed.
pub(crate) fn of(call: &Call, answer: Result<Response, ladder::Error>) -> Result<Bytes, Error> {
    let Settings { socket, wait_for_agent, .. } = &call.settings;
    match (call.action, answer) {
        (_, Ok(Response { error: Some(error), .. })) => Err(with_hint(error, call).into()),
        // Ready means that an ADD started now can be expected to succeed. Of an
        // agent without STATUS a live answer is all that can be asked.
        (Action::Status, Ok(_) | Err(ladder::Error::Exhausted)) => {
            last_seen::remember(socket);
            Ok(Bytes::new())
        }
        // An agent that is being restarted was here a moment ago: an ADD would wait
        // that long for it.
        (Action::Status, Err(cause))
            if cause.is_silence() && last_seen::was_seen(socket, *wait_for_agent) =>
        {
            Ok(Bytes::new())
        }
        (Action::Status, Err(cause)) => Err(not_ready(cause)),
        (Action::Add, Ok(Response { result, .. })) => match json::is_object(&result) {
            Ok(()) => Ok(result),
            Err(why) => Err(Error::Result(why)),
        },
        (_, Ok(_)) => Ok(Bytes::new()),
        // Nothing to collect for an agent that cannot: the runtime has already
        // sent DEL for what it knew.
        (Action::Gc, Err(ladder::Error::Exhausted)) => Ok(Bytes::new()),
        (Action::Del, Err(cause)) if is_away(&cause) && may_be_left(call) => Ok(Bytes::new()),
        (_, Err(cause)) => Err(cause.into()),
    }
}

/// Every agent refuses a configuration without a version.
fn with_hint(mut error: AgentError, call: &Call) -> AgentError {
    if call.cni_version.is_none() && error.code == 1 {
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

fn is_away(cause: &ladder::Error) -> bool {
    use grpc::Error::{NotASocket, Unreachable};
    matches!(cause, ladder::Error::Call(Unreachable(_) | NotASocket(_)))
}

/// Whether the agent may find out about a DEL when it starts: it removes then what
/// has no container any more.
fn may_be_left(call: &Call) -> bool {
    call.args.netns.is_empty() || call.settings.del_when_agent_down == DelWhenAgentDown::Succeed
}

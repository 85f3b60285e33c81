//! Between ladder and output: what an answer, or its absence, means for each
//! command.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use nix::fcntl::OFlag;

use crate::Action;
use crate::error::Error;
use crate::input::settings::DelWhenAgentDown;
use crate::input::{Settings, is_object};
use crate::ladder::delivery::Trace;
use crate::ladder::{self, Request, Response};

/// The bytes for standard output, or why the command failed.
pub(crate) fn of(
    request: Request<'_>,
    settings: &Settings,
    answer: Result<Response, ladder::Error>,
    trace: &Arc<Trace>,
) -> Result<Bytes, Error> {
    let failed =
        |cause| Error::Ladder { cause, socket: settings.socket.clone(), trace: Arc::clone(trace) };
    match (request.action, answer) {
        (_, Ok(Response { error: Some(error), .. })) => {
            Err(Error::Agent { error, cni_version: request.cni_version.cloned() })
        }
        // Ready means that an ADD started now can be expected to succeed. Of an
        // agent without STATUS a live answer is all that can be asked.
        (Action::Status, Ok(_) | Err(ladder::Error::Exhausted)) => {
            remember(&settings.socket);
            Ok(Bytes::new())
        }
        // An agent that is being restarted was here a moment ago.
        (Action::Status, Err(cause))
            if cause.is_silence() && was_seen(&settings.socket, settings.wait_for_agent) =>
        {
            Ok(Bytes::new())
        }
        (Action::Status, Err(cause)) => Err(failed(cause).not_ready()),
        (Action::Add, Ok(Response { result, .. })) => match is_object(&result) {
            Ok(()) => Ok(result),
            Err(why) => Err(Error::Result(why)),
        },
        (_, Ok(_)) => Ok(Bytes::new()),
        // Nothing to collect for an agent that cannot: the runtime has already
        // sent DEL for what it knew.
        (Action::Gc, Err(ladder::Error::Exhausted)) => Ok(Bytes::new()),
        // Without a network namespace the container is gone, and the agent
        // removes what is left when it starts.
        (Action::Del, Err(ladder::Error::Unreachable(_) | ladder::Error::NotASocket(_)))
            if request.args.netns.is_empty()
                || settings.del_when_agent_down == DelWhenAgentDown::Succeed =>
        {
            Ok(Bytes::new())
        }
        (_, Err(cause)) => Err(failed(cause)),
    }
}

/// The file whose time of modification says when the agent was last seen.
fn memory(socket: &str) -> String {
    format!("{socket}.ready")
}

/// Writes down that the agent was seen now. Without the memory nothing else
/// fails.
fn remember(socket: &str) {
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .mode(0o600)
        .custom_flags((OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK).bits())
        .open(memory(socket));
    let _ = file.and_then(|file| file.set_modified(SystemTime::now()));
}

/// Whether the agent was seen less than `within` ago: an ADD would wait that
/// long for it.
fn was_seen(socket: &str, within: Duration) -> bool {
    let file = OpenOptions::new()
        .read(true)
        .custom_flags((OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK).bits())
        .open(memory(socket));
    let seen = file.and_then(|file: File| file.metadata()?.modified());
    // A time in the future has no age.
    seen.is_ok_and(|seen| seen.elapsed().is_ok_and(|age| age < within))
}

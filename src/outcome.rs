//! Stage 3: what an answer, or its absence, means for each command.

use bytes::Bytes;

use crate::action::Action;
use crate::api::{AgentError, Response};
use crate::client::{self, Answer, Node};
use crate::error::Error;
use crate::input::Call;
use crate::{grpc, json};

/// What a command comes to: nothing is done about it here.
#[derive(Debug)]
pub struct Outcome {
    /// The bytes for standard output, or why the command failed
    pub result: Result<Bytes, Error>,
    /// How it succeeded, if not by an agent that did it
    pub note: Option<Note>,
    /// What is to be remembered of the agent
    pub memory: Memory,
}

/// How a command succeeded that no agent did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Note {
    /// DEL: it is written down for the next agent
    Owed,
    /// DEL: it could not be written down
    Lost,
    /// GC: the agent's API has none
    NoGc,
    /// GC: the agent refuses the cniVersion
    GcRefused,
    /// STATUS: the agent's API has none, and it serves ADD
    NoStatus,
    /// STATUS: the agent refuses the cniVersion, and it serves ADD
    StatusRefused,
    /// STATUS: nobody answered, and the agent was seen a moment ago
    FromMemory,
}

impl Note {
    /// Returns what the log says.
    pub fn log_text(self) -> &'static str {
        match self {
            Self::Owed => "owed: no agent did it; the next one that answers gets it",
            Self::Lost => "lost: no agent did it, and it could not be kept for the next one",
            Self::NoGc => "the agent has no GC: nothing was done",
            Self::GcRefused => "the agent refuses the cniVersion: nothing was done",
            Self::NoStatus => "the agent has no STATUS: it serves ADD",
            Self::StatusRefused => "the agent refuses the cniVersion: it serves ADD in a lower one",
            Self::FromMemory => "no answer: the agent was seen a moment ago",
        }
    }
}

/// What is to be remembered of the agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Memory {
    /// That it was seen now
    Seen,
    /// That it is not ready, so that it is not taken for ready when it goes away
    NotReady,
    /// What is remembered already
    Unchanged,
}

impl Outcome {
    /// The verdict on what agents answered to a call.
    pub(crate) fn interpret(
        node: &impl Node,
        call: &Call,
        answer: Result<Answer, client::Error>,
    ) -> Self {
        match answer {
            Ok(Answer::Agent(response)) if call.action == Action::Status => {
                Self::interpret_status(response)
            }
            Ok(Answer::Agent(response)) => Self::interpret_response(call, response),
            Ok(Answer::ServesAdd { refused_version: true }) => {
                Self::done(Memory::Seen, Some(Note::StatusRefused))
            }
            Ok(Answer::ServesAdd { .. }) => Self::done(Memory::Seen, Some(Note::NoStatus)),
            Ok(Answer::Owed) => Self::done(Memory::Unchanged, Some(Note::Owed)),
            Ok(Answer::Lost) => Self::done(Memory::Unchanged, Some(Note::Lost)),
            // Nothing to collect for an agent that cannot: the runtime has already sent DEL
            // for what it knew.
            Err(client::Error::NoCommonApi) if call.action == Action::Gc => {
                Self::done(Memory::Unchanged, Some(Note::NoGc))
            }
            Err(cause) if call.action == Action::Status => {
                Self::interpret_failed_status(node, call, cause)
            }
            Err(cause) => {
                let memory =
                    if cause.is_from_served_method() { Memory::Seen } else { Memory::Unchanged };
                Self { memory, ..Self::failed(cause.into()) }
            }
        }
    }

    /// A command that failed.
    pub(crate) fn failed(error: Error) -> Self {
        Self { result: Err(error), note: None, memory: Memory::Unchanged }
    }

    fn done(memory: Memory, note: Option<Note>) -> Self {
        Self { result: Ok(Bytes::new()), note, memory }
    }

    fn interpret_response(call: &Call, response: Response) -> Self {
        let is_add = call.action == Action::Add;
        // An agent whose network is not ready cannot be expected to do an ADD.
        let is_busy = is_add && response.is_try_again_later();
        let memory = if is_busy { Memory::Unchanged } else { Memory::Seen };
        let Response { result, error } = response;
        let result = match error {
            Some(error) if call.action == Action::Gc && error.is_refused_version() => {
                return Self::done(memory, Some(Note::GcRefused));
            }
            Some(error) => Err(with_hint(error, call).into()),
            None if is_add => json::check_object(&result).map(|()| result).map_err(Error::Result),
            None => Ok(Bytes::new()),
        };
        Self { result, note: None, memory }
    }

    fn interpret_status(Response { error, .. }: Response) -> Self {
        match error {
            Some(error) => Self { memory: Memory::NotReady, ..Self::failed(error.into()) },
            None => Self::done(Memory::Seen, None),
        }
    }

    /// Ready means that an ADD started now can be expected to succeed. What the agent
    /// said last is remembered: one that is being restarted is ready for as long as an
    /// ADD would wait for it.
    fn interpret_failed_status(node: &impl Node, call: &Call, cause: client::Error) -> Self {
        if !cause.is_unanswered() {
            let error = not_ready(cause);
            // A failure of this process says nothing of the agent.
            let is_ours = !matches!(error, Error::NotReady(_));
            let memory = if is_ours { Memory::Unchanged } else { Memory::NotReady };
            return Self { memory, ..Self::failed(error) };
        }
        if node.was_seen(call.settings.wait_for_agent) {
            return Self::done(Memory::Unchanged, Some(Note::FromMemory));
        }
        Self::failed(not_ready(cause))
    }
}

/// Every agent refuses a configuration without a version.
fn with_hint(mut error: AgentError, call: &Call) -> AgentError {
    if call.cni_version.is_none() && error.is_refused_version() {
        error.note = "set cniVersion in the network configuration".to_owned();
    }
    error
}

/// Maps a failed STATUS to "not ready" (50), except for an untrusted peer and for failures of
/// this process.
fn not_ready(cause: client::Error) -> Error {
    use grpc::Error::{OutOfDescriptors, Untrusted, UntrustedLink};
    match cause {
        client::Error::Call(Untrusted { .. } | UntrustedLink(_) | OutOfDescriptors(_)) => {
            cause.into()
        }
        cause => Error::NotReady(cause),
    }
}

// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Stage 3: decides what the agent's answer, or its absence, means for each command.

use bytes::Bytes;

use crate::action::Action;
use crate::api::{AgentError, Response};
use crate::client::{self, Answer, Node};
use crate::error::Error;
use crate::input::Call;
use crate::{grpc, json};

/// Describes how a command ends. It is only data: `run.rs` acts on it.
#[derive(Debug)]
pub struct Outcome {
    /// Bytes for standard output, or the error
    pub result: Result<Bytes, Error>,
    /// What its success does not show
    pub note: Option<Note>,
    /// What is remembered about the agent
    pub memory: Memory,
}

/// Adds what the success of a command does not show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Note {
    /// DEL: it is owed to the next agent
    Owed,
    /// DEL: it could not be stored
    Lost,
    /// GC: the agent's API lacks it
    NoGc,
    /// GC: the agent refused the `cniVersion`
    GcRefused,
    /// STATUS: the agent's API lacks it, but the agent serves ADD
    NoStatus,
    /// STATUS: the agent refused the `cniVersion`, but it serves ADD
    StatusRefused,
    /// STATUS: no agent answered, but it was seen a moment ago
    FromMemory,
}

impl Note {
    /// Returns the text for the log.
    pub fn log_text(self) -> &'static str {
        match self {
            Self::Owed => "owed: no agent did it; the next one that answers gets it",
            Self::Lost => "lost: no agent did it, and it could not be kept for the next one",
            Self::NoGc => "the agent has no GC: nothing was done",
            Self::GcRefused => "the agent refuses the cniVersion: nothing was done",
            Self::NoStatus => "the agent has no STATUS: it serves ADD",
            Self::StatusRefused => "the agent refuses the cniVersion: it serves ADD",
            Self::FromMemory => "no answer: the agent was seen within waitForAgentSeconds",
        }
    }
}

/// Describes what is remembered about the agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Memory {
    /// The agent was seen now
    Seen,
    /// The agent is not ready, so it does not count as ready if it disappears
    NotReady,
    /// Nothing changes
    Unchanged,
}

impl Outcome {
    /// Interprets the result of asking the agent.
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
                Self::succeeded(Memory::Seen, Some(Note::StatusRefused))
            }
            Ok(Answer::ServesAdd { .. }) => Self::succeeded(Memory::Seen, Some(Note::NoStatus)),
            Ok(Answer::Owed) => Self::succeeded(Memory::Unchanged, Some(Note::Owed)),
            Ok(Answer::Lost) => Self::succeeded(Memory::Unchanged, Some(Note::Lost)),
            // An agent without GC has nothing to collect: the container runtime has already sent
            // DEL for every container that it knew.
            Err(client::Error::NoCommonApi) if call.action == Action::Gc => {
                Self::succeeded(Memory::Unchanged, Some(Note::NoGc))
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

    /// Returns the outcome of a command that failed.
    pub(crate) fn failed(error: Error) -> Self {
        Self { result: Err(error), note: None, memory: Memory::Unchanged }
    }

    fn succeeded(memory: Memory, note: Option<Note>) -> Self {
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
                return Self::succeeded(memory, Some(Note::GcRefused));
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
            None => Self::succeeded(Memory::Seen, None),
        }
    }

    /// Interprets a STATUS without an answer. Ready means that an ADD that starts now can be
    /// expected to succeed. An agent that is being restarted counts as ready for as long as an ADD
    /// would wait for it.
    fn interpret_failed_status(node: &impl Node, call: &Call, cause: client::Error) -> Self {
        if !cause.looks_like_restart() {
            let error = not_ready(cause);
            // A failure of this process says nothing about the agent.
            let is_ours = !matches!(error, Error::NotReady(_));
            let memory = if is_ours { Memory::Unchanged } else { Memory::NotReady };
            return Self { memory, ..Self::failed(error) };
        }
        if node.was_seen(call.settings.wait_for_agent) {
            return Self::succeeded(Memory::Unchanged, Some(Note::FromMemory));
        }
        Self::failed(not_ready(cause))
    }
}

/// Adds a hint if the configuration has no `cniVersion`, which every agent refuses.
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

// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Holds the state of one command, and sends it once: connects to the agent, and falls back to
//! older APIs.

use std::rc::Rc;
use std::time::Duration;

use super::call_log::{CallLog, RpcOutcome};
use super::error::Error;
use super::node::{Connection, Node};
use super::rpc::RpcClient;
use super::translation;
use super::waiting::connect_or_wait;
use crate::action::Action;
use crate::api::{Api, Request, Response};
use crate::deadline::Deadline;

/// Describes what the agent is asked.
#[derive(Clone, Copy)]
pub(super) enum Question<'a> {
    /// To do a command
    Command(Request<'a>),
    /// Whether it serves a command; this has no effect
    Serves(Action),
}

impl Question<'_> {
    pub(super) fn action(self) -> Action {
        match self {
            Self::Command(Request { action, .. }) | Self::Serves(action) => action,
        }
    }
}

/// Holds the state of one command while it is sent.
pub(super) struct Session<'a, N: Node> {
    pub(super) node: &'a N,
    pub(super) request: Request<'a>,
    pub(super) deadline: Rc<Deadline>,
    /// Full timeout of a DEL with a shortened one. It applies once an agent has answered "try again
    /// later" or the connection was lost
    pub(super) full_timeout: Option<Duration>,
    /// Longest wait for an agent that is unavailable
    pub(super) wait_for_agent: Duration,
    pub(super) call_log: &'a mut CallLog,
    /// The last connection
    pub(super) connection: Option<N::Connection>,
    /// APIs for which the agent process `unimplemented_by` answered UNIMPLEMENTED to a command
    unimplemented: Vec<(Action, Api)>,
    unimplemented_by: Option<i32>,
}

impl<'a, N: Node> Session<'a, N> {
    pub(super) fn new(
        node: &'a N,
        request: Request<'a>,
        deadline: Rc<Deadline>,
        wait_for_agent: Duration,
        call_log: &'a mut CallLog,
    ) -> Self {
        Self {
            node,
            request,
            deadline,
            full_timeout: None,
            wait_for_agent,
            call_log,
            connection: None,
            unimplemented: Vec::new(),
            unimplemented_by: None,
        }
    }

    /// Connects to the next agent and returns the id of the process that listens there.
    pub(super) fn connect_to_next_agent(&mut self, action: Action) -> Result<Option<i32>, Error> {
        self.connection = None;
        self.connect(action, false)?;
        Ok(self.connection.as_ref().and_then(N::Connection::peer_id))
    }

    /// Asks in each API, newest first, until the agent implements one. `after_busy` says that the
    /// agent had answered "try again later".
    pub(super) fn call_once(
        &mut self,
        question: Question<'_>,
        after_busy: bool,
    ) -> Result<Response, Error> {
        let action = question.action();
        if self.connection.is_none() {
            self.connect(action, after_busy)?;
        }
        let remembers = self.unimplemented.iter().any(|(refused, _)| *refused == action);
        match self.call_with_fallback(question) {
            // Without a process id, from another PID namespace, this may be another agent.
            Err(Error::NoCommonApi) if remembers && self.unimplemented_by.is_none() => {
                self.unimplemented.clear();
                self.call_with_fallback(question)
            }
            answer => answer,
        }
    }

    fn call_with_fallback(&mut self, question: Question<'_>) -> Result<Response, Error> {
        let action = question.action();
        let Some(connection) = &mut self.connection else { return Err(Error::NoCommonApi) };
        let mut rpc_client = RpcClient { node: self.node, connection, call_log: self.call_log };
        for api in Api::ALL {
            if self.unimplemented.contains(&(action, *api)) {
                continue;
            }
            let answer = match &question {
                Question::Command(request) => {
                    translation::call_in_accepted_version(api, request, &mut rpc_client)
                }
                Question::Serves(action) => {
                    rpc_client.probe_method(api, *action).map(|()| Response::default())
                }
            };
            match answer {
                Err(error) if error.is_unimplemented() => self.unimplemented.push((action, *api)),
                answer => return answer,
            }
        }
        Err(Error::NoCommonApi)
    }

    /// Connects to the agent, which it waits for.
    fn connect(&mut self, action: Action, after_busy: bool) -> Result<(), Error> {
        // A repeated ADD needs as much time as before its pause.
        let min_time_left = action.rules().retry_if_left.filter(|_| after_busy);
        let (node, track_peer) = (self.node, action == Action::Add);
        let connection =
            connect_or_wait(node, &self.deadline, self.wait_for_agent, min_time_left, track_peer)?;
        self.call_log.connections += 1;
        // UNIMPLEMENTED is remembered for one process. Another process may implement the API.
        if self.unimplemented_by != connection.peer_id() {
            self.unimplemented_by = connection.peer_id();
            self.unimplemented.clear();
        }
        self.connection = Some(connection);
        Ok(())
    }

    /// Returns whether an ADD may still take effect: it was sent, its outcome is unknown, and its
    /// agent is alive.
    pub(super) fn add_may_still_take_effect(&self) -> bool {
        let last = self.call_log.rpcs.last();
        last.is_some_and(|rpc| {
            rpc.action == Action::Add
                && matches!(rpc.outcome, RpcOutcome::Interrupted(_) | RpcOutcome::NoAnswer)
        }) && self.connection.as_ref().is_some_and(|it| !it.peer_is_gone())
    }
}

// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Sends a command until it is answered or its time is over: waits for an agent, falls back to
//! older APIs, and retries.

use std::rc::Rc;
use std::time::Duration;

use super::call_log::{CallLog, RpcOutcome};
use super::error::Error;
use super::node::{Connection, Node};
use super::rpc::RpcClient;
use super::translation;
use super::waiting::{connect_or_wait, sleep_until};
use crate::action::Action;
use crate::api::{Api, Request, Response};
use crate::backoff::{Backoff, jitter};
use crate::deadline::Deadline;

/// Pauses before a command is sent again that was refused or whose connection was lost.
pub(super) const RETRY_BACKOFF: Backoff = Backoff::new(10, 1000);

/// Pauses before an agent that answered "try again later" is asked again.
const BUSY_BACKOFF: Backoff = Backoff::new(1000, 5000);

/// How many agent processes a repeatable command may be sent to, because the request itself may be
/// what ends them.
const MAX_AGENTS: usize = 3;

/// Describes what the agent is asked.
#[derive(Clone, Copy)]
pub(super) enum Question<'a> {
    /// To do a command
    Command(Request<'a>),
    /// Whether it serves a command; this has no effect
    Serves(Action),
}

impl Question<'_> {
    fn action(self) -> Action {
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
    pub(super) total_if_answered: Option<Duration>,
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
            total_if_answered: None,
            wait_for_agent,
            call_log,
            connection: None,
            unimplemented: Vec::new(),
            unimplemented_by: None,
        }
    }

    /// Sends a command on a new connection, and sends it again if the connection is lost and the
    /// RPC may be repeated.
    pub(super) fn call_until_done(&mut self, request: Request<'_>) -> Result<Response, Error> {
        self.connection = None;
        self.call_until_done_on_open_connection(request)
    }

    /// Does the same as [`Self::call_until_done`] on the open connection.
    #[inline(never)]
    pub(super) fn call_until_done_on_open_connection(
        &mut self,
        request: Request<'_>,
    ) -> Result<Response, Error> {
        let mut backoff = RETRY_BACKOFF;
        let mut agents = Vec::new();
        loop {
            let answer = self.call_until_accepted_on_open_connection(Question::Command(request));
            if !answer.as_ref().is_err_and(Error::is_connection_lost) || !self.may_be_repeated() {
                return answer;
            }
            self.deadline.extend(self.total_if_answered);
            // The process that called listen() may have passed its socket on and ended.
            let alive = self.connection.as_ref().filter(|it| it.peer_is_alive());
            let agent = alive.and_then(N::Connection::peer_id);
            if agent.is_none() || !agents.contains(&agent) {
                agents.push(agent);
            }
            if agents.len() == MAX_AGENTS || !self.pause(backoff.next_pause()) {
                return answer;
            }
            self.connection = None;
        }
    }

    /// Sleeps for `pause` if enough time is left. Returns `false` if not.
    #[inline(never)]
    pub(super) fn pause(&self, pause: Duration) -> bool {
        let until = self.node.now() + pause;
        let is_time = self.deadline.end(self.node.now()) > until;
        if is_time {
            sleep_until(self.node, &self.deadline, until);
        }
        is_time && self.deadline.end(self.node.now()) >= self.node.now()
    }

    /// Returns whether the proto marks the interrupted RPC as idempotent, or nothing was sent yet.
    fn may_be_repeated(&self) -> bool {
        self.call_log.rpcs.last().is_none_or(|rpc| rpc.method.may_be_repeated)
    }

    /// Asks on a new connection, until the agent accepts the call.
    pub(super) fn call_until_accepted(
        &mut self,
        question: Question<'_>,
    ) -> Result<Response, Error> {
        self.connection = None;
        self.call_until_accepted_on_open_connection(question)
    }

    /// Does the same as [`Self::call_until_accepted`] on the open connection.
    ///
    /// A call that the agent provably refused is made again. So is one that it answered "try again
    /// later", because it did nothing.
    pub(super) fn call_until_accepted_on_open_connection(
        &mut self,
        question: Question<'_>,
    ) -> Result<Response, Error> {
        let (mut retry_backoff, mut busy_backoff) = (RETRY_BACKOFF, BUSY_BACKOFF);
        let action = question.action();
        let mut busy: Option<Response> = None;
        loop {
            let answer = self.call_once(question, busy.is_some());
            self.call_log.asked_again += u32::from(busy.is_some() && answer.is_ok());
            let goes_on = match &answer {
                Ok(response) if response.is_try_again_later() => {
                    self.deadline.extend(self.total_if_answered);
                    self.pause_for_busy_agent(action, jitter(busy_backoff.next_pause()))
                }
                Err(error) if error.is_refused() => match busy {
                    Some(_) => self.pause_for_busy_agent(action, retry_backoff.next_pause()),
                    None => self.pause(retry_backoff.next_pause()),
                },
                // The agent's own answer is more useful than the news that it has gone since. A DEL
                // becomes owed to the next agent.
                Err(error) if error.is_not_connected() && busy.is_some() => {
                    if action == Action::Del {
                        return answer;
                    }
                    false
                }
                _ => return answer,
            };
            busy = answer.as_ref().ok().cloned().or(busy);
            if !goes_on {
                return busy.map_or(answer, Ok);
            }
            self.connection = None;
        }
    }

    /// Asks on the open connection, or on a new one if the agent closed that one after an answer.
    /// "Try again later" is returned.
    pub(super) fn call_until_not_refused(
        &mut self,
        question: Question<'_>,
    ) -> Result<Response, Error> {
        let mut retry_backoff = RETRY_BACKOFF;
        loop {
            let answer = self.call_once(question, false);
            if !answer.as_ref().is_err_and(Error::is_refused)
                || !self.pause(retry_backoff.next_pause())
            {
                return answer;
            }
            self.connection = None;
        }
    }

    /// Sleeps before an agent that answered "try again later" is asked again. Returns `false` if
    /// the command does not allow that or too little time is left.
    fn pause_for_busy_agent(&self, action: Action, pause: Duration) -> bool {
        let Some(least) = action.rules().retry_if_left else { return false };
        self.deadline.time_left(self.node.now()) > least + pause
            && self.pause(pause)
            && self.deadline.time_left(self.node.now()) >= least
    }

    /// Connects to the next agent and returns the id of the process that listens there.
    pub(super) fn connect_to_next_agent(&mut self, action: Action) -> Result<Option<i32>, Error> {
        self.connection = None;
        self.connect(action, false)?;
        Ok(self.connection.as_ref().and_then(N::Connection::peer_id))
    }

    /// Asks in each API, newest first, until the agent implements one. `is_again` says that the
    /// agent had answered "try again later".
    pub(super) fn call_once(
        &mut self,
        question: Question<'_>,
        is_again: bool,
    ) -> Result<Response, Error> {
        let action = question.action();
        if self.connection.is_none() {
            self.connect(action, is_again)?;
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

    fn connect(&mut self, action: Action, is_again: bool) -> Result<(), Error> {
        // A repeated ADD needs as much time as before its pause.
        let least = action.rules().retry_if_left.filter(|_| is_again);
        let (node, track_peer) = (self.node, action == Action::Add);
        let connection =
            connect_or_wait(node, &self.deadline, self.wait_for_agent, least, track_peer)?;
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
                && matches!(rpc.outcome, RpcOutcome::ConnectionLost(_) | RpcOutcome::NoAnswer)
        }) && self.connection.as_ref().is_some_and(|it| !it.peer_is_gone())
    }
}

// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Sends a command again until it is answered or its time is over: after a lost connection, a busy
//! agent, or a refused call.

use std::time::Duration;

use super::error::Error;
use super::fallback::{Question, Session};
use super::node::{Connection, Node};
use super::waiting::sleep_until;
use crate::action::Action;
use crate::api::{Request, Response};
use crate::backoff::{Backoff, jitter};

/// Pauses before a command is sent again that was refused or whose connection was lost.
pub(super) const RETRY_BACKOFF: Backoff = Backoff::new(10, 1000);

/// Pauses before an agent that answered "try again later" is asked again.
const BUSY_BACKOFF: Backoff = Backoff::new(1000, 5000);

/// Maximum number of agent processes that get one repeatable command. One that crashes agents must
/// not crash them all.
const MAX_AGENTS: usize = 3;

impl<N: Node> Session<'_, N> {
    /// Closes the connection, so that the next RPC connects anew.
    pub(super) fn disconnect(&mut self) -> &mut Self {
        self.connection = None;
        self
    }

    /// Sends a command, and sends it again if the connection is lost and the RPC may be repeated.
    #[inline(never)]
    pub(super) fn call_until_done(&mut self, request: Request<'_>) -> Result<Response, Error> {
        let mut backoff = RETRY_BACKOFF;
        let mut agents = Vec::new();
        loop {
            let answer = self.call_until_accepted(Question::Command(request));
            if !answer.as_ref().is_err_and(Error::is_connection_lost) || !self.may_be_repeated() {
                return answer;
            }
            self.deadline.extend(self.full_timeout);
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
        let is_time = self.deadline.expires_at(self.node.now()) > until;
        if is_time {
            sleep_until(self.node, &self.deadline, until);
        }
        is_time && self.deadline.expires_at(self.node.now()) >= self.node.now()
    }

    /// Returns whether the proto marks the interrupted RPC as idempotent, or nothing was sent yet.
    fn may_be_repeated(&self) -> bool {
        self.call_log.rpcs.last().is_none_or(|rpc| rpc.method.may_be_repeated)
    }

    /// Asks until the agent accepts the call.
    ///
    /// A call that the agent provably refused is made again. So is one that it answered "try again
    /// later", because it did nothing.
    pub(super) fn call_until_accepted(
        &mut self,
        question: Question<'_>,
    ) -> Result<Response, Error> {
        let (mut retry_backoff, mut busy_backoff) = (RETRY_BACKOFF, BUSY_BACKOFF);
        let action = question.action();
        let mut busy: Option<Response> = None;
        loop {
            let answer = self.call_once(question, busy.is_some());
            self.call_log.busy_retries += u32::from(busy.is_some() && answer.is_ok());
            let goes_on = match &answer {
                Ok(response) if response.is_try_again_later() => {
                    self.deadline.extend(self.full_timeout);
                    self.pause_for_busy_agent(action, jitter(busy_backoff.next_pause()))
                }
                Err(error) if error.is_refused() => match busy {
                    Some(_) => self.pause_for_busy_agent(action, retry_backoff.next_pause()),
                    None => self.pause(retry_backoff.next_pause()),
                },
                // The agent answered "try again later" and went away: that is the answer. DEL returns
                // the error of the connection instead, for which its caller stores it.
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

    /// Asks, and asks again if the agent closed the open connection after an answer. "Try again later"
    /// is returned.
    pub(super) fn call_until_processed(
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
}

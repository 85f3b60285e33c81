//! Getting one command to an agent and its answer back, in time: waiting and
//! sending again.

use std::time::{Duration, Instant};

use super::api::{Api, Request, Response};
use super::calls::Calls;
use super::error::Error;
use super::history::History;
use super::node::{Connection, Node};
use super::walk::walk;
use crate::action::Action;
use crate::backoff::Backoff;
use crate::grpc;

/// Between two sendings of one command, whatever the reason.
const REPEATING: Backoff = Backoff::new(10, 1000);

/// How many agents a command that may be repeated can end: one that dies of each
/// request is not asked for ever.
const MAX_AGENTS: usize = 3;

/// A command on its way.
pub(super) struct Delivery<'a, N: Node> {
    pub(super) node: &'a N,
    pub(super) apis: &'a [Api],
    pub(super) request: Request<'a>,
    pub(super) deadline: Instant,
    /// For an agent that is away
    pub(super) wait: Duration,
    pub(super) history: &'a mut History,
    /// The last connection
    pub(super) connection: Option<N::Connection>,
}

impl<N: Node> Delivery<'_, N> {
    /// Sends a command, and sends it again if it is cut off and may be repeated.
    pub(super) fn repeat(&mut self, action: Action) -> Result<Response, Error> {
        let mut backoff = REPEATING;
        let mut agents = Vec::new();
        loop {
            let answer = self.send(action);
            if !answer.as_ref().is_err_and(Error::is_cut) || !self.may_be_repeated() {
                return answer;
            }
            let agent = self.connection.as_ref().and_then(N::Connection::peer_id);
            if agent.is_none() || !agents.contains(&agent) {
                agents.push(agent);
            }
            if agents.len() == MAX_AGENTS || !self.pause(&mut backoff) {
                return answer;
            }
        }
    }

    /// Pauses, if there is time for it.
    fn pause(&self, backoff: &mut Backoff) -> bool {
        let pause = backoff.pause();
        let is_time = self.node.now() + pause < self.deadline;
        if is_time {
            self.node.sleep(pause);
        }
        is_time
    }

    /// What the schema says of the call that was cut off. Before the first call
    /// there is nothing to repeat.
    fn may_be_repeated(&self) -> bool {
        self.history.rpcs.last().is_none_or(|rpc| rpc.method.may_be_repeated)
    }

    /// Sends a command until it is taken.
    pub(super) fn send(&mut self, action: Action) -> Result<Response, Error> {
        let mut backoff = REPEATING;
        loop {
            let answer = self.send_once(action);
            if !answer.as_ref().is_err_and(Error::is_not_taken) || !self.pause(&mut backoff) {
                return answer;
            }
        }
    }

    /// Sends a command on one connection, down the ladder.
    fn send_once(&mut self, action: Action) -> Result<Response, Error> {
        self.connection = None;
        let connection = self.connect(action == Action::Add)?;
        self.history.connections += 1;
        let request = Request { action, ..self.request };
        let mut calls = Calls {
            connection: self.connection.insert(connection),
            history: self.history,
            now: &|| self.node.now(),
        };
        walk(self.apis, &request, &mut calls)
    }

    /// Connects, waiting for an agent that is away, and for nothing else.
    fn connect(&self, watched: bool) -> Result<N::Connection, grpc::Error> {
        let until = self.deadline.min(self.node.now() + self.wait);
        let mut waiting = N::Waiting::default();
        loop {
            match self.node.connect(self.deadline, watched) {
                Err(away) if away.is_away() && self.node.now() < until => {
                    self.node.wait(&mut waiting, &away, until);
                }
                connection => return connection,
            }
        }
    }
}

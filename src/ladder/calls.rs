//! Calls of an agent on one connection, each written down.

use std::time::Instant;

use bytes::Bytes;
use tonic::Status;

use super::api::{Api, Request, Response};
use super::error::Error;
use super::history::{History, Outcome, Rpc};
use super::node::Connection;
use crate::grpc;

/// A connection, and what is called on it.
pub(super) struct Calls<'a, C> {
    pub(super) connection: &'a mut C,
    pub(super) history: &'a mut History,
    pub(super) now: &'a dyn Fn() -> Instant,
}

impl<C: Connection> Calls<'_, C> {
    /// Asks one API. What it cannot say ends as if the agent did not have it.
    pub(super) fn call(&mut self, api: &Api, request: &Request<'_>) -> Result<Response, Error> {
        let (Some(method), Some(message)) = ((api.method)(request.action), (api.encode)(request))
        else {
            return Err(grpc::Error::Status(Status::unimplemented("not in this API")).into());
        };
        let asked = (self.now)();
        let reply = self.connection.call(api.path(&method), Bytes::from(message));
        let answer = reply
            .map_err(Error::Call)
            .and_then(|reply| (api.decode)(request, reply).map_err(Error::Undecodable));
        self.history.rpcs.push(Rpc {
            api: *api,
            method,
            cni_version: request.cni_version.cloned(),
            connection: self.history.connections,
            action: request.action,
            outcome: outcome(&answer),
            elapsed: (self.now)() - asked,
        });
        answer
    }
}

fn outcome(answer: &Result<Response, Error>) -> Outcome {
    match answer {
        Ok(response) => Outcome::Reply(response.error.as_ref().map_or(0, |error| error.code)),
        Err(Error::Call(grpc::Error::Deadline)) => Outcome::Silence,
        Err(Error::Call(error)) => Outcome::Status(error.to_string()),
        Err(_) => Outcome::Status("a reply that cannot be decoded".to_owned()),
    }
}

//! Calls of an agent on one connection, each written down.

use std::time::Instant;

use bytes::Bytes;
use prost::DecodeError;
use semver::Version;
use tonic::Status;

use super::api::{Api, Request, Response};
use super::error::Error;
use super::history::{History, Outcome, Rpc};
use super::node::Connection;
use crate::action::Action;
use crate::grpc;

/// A connection, and what is called on it.
pub(super) struct Calls<'a, C> {
    pub(super) connection: &'a mut C,
    pub(super) history: &'a mut History,
    pub(super) now: &'a dyn Fn() -> Instant,
}

impl<C: Connection> Calls<'_, C> {
    /// Asks one API. A request that the API cannot express ends like one that the agent
    /// does not implement.
    pub(super) fn call(&mut self, api: &Api, request: &Request<'_>) -> Result<Response, Error> {
        let message = (api.encode)(request).ok_or_else(not_in_api)?;
        let (action, cni_version) = (request.action, request.cni_version);
        self.record(api, action, cni_version, message.into(), |reply| (api.decode)(request, reply))
    }

    /// Sends any message for a command; the reply is not read.
    pub(super) fn send(
        &mut self,
        api: &Api,
        action: Action,
        message: Bytes,
    ) -> Result<Response, Error> {
        self.record(api, action, None, message, |_| Ok(Response::default()))
    }

    fn record(
        &mut self,
        api: &Api,
        action: Action,
        cni_version: Option<&Version>,
        message: Bytes,
        decode: impl FnOnce(Bytes) -> Result<Response, DecodeError>,
    ) -> Result<Response, Error> {
        let method = (api.method)(action).ok_or_else(not_in_api)?;
        let asked = (self.now)();
        let reply = self.connection.call(api.path(&method), message);
        let answer =
            reply.map_err(Error::Call).and_then(|it| decode(it).map_err(Error::Undecodable));
        self.history.rpcs.push(Rpc {
            api: *api,
            method,
            cni_version: cni_version.cloned(),
            connection: self.history.connections,
            action,
            outcome: outcome(&answer),
            elapsed: (self.now)() - asked,
        });
        answer
    }
}

fn not_in_api() -> Error {
    grpc::Error::Status(Status::unimplemented("not in this API")).into()
}

fn outcome(answer: &Result<Response, Error>) -> Outcome {
    match answer {
        Ok(response) => Outcome::Reply(response.error.as_ref().map_or(0, |error| error.code)),
        Err(Error::Call(grpc::Error::Deadline)) => Outcome::Silence,
        Err(Error::Call(error)) => Outcome::Status(error.to_string()),
        Err(_) => Outcome::Status("a reply that cannot be decoded".to_owned()),
    }
}

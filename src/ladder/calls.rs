//! Calls of an agent on one connection, each written down.

use semver::Version;
use tonic::Status;

use super::api::{Api, Method, Request, Response};
use super::error::Error;
use super::history::{History, Outcome, Rpc};
use super::node::{Connection, Node};
use crate::action::Action;
use crate::grpc;

/// A connection, and what is called on it.
pub(super) struct Calls<'a, N: Node> {
    pub(super) node: &'a N,
    pub(super) connection: &'a mut N::Connection,
    pub(super) history: &'a mut History,
}

impl<N: Node> Calls<'_, N> {
    /// Asks one API. A request that the API cannot express ends like one that the agent
    /// does not implement.
    pub(super) fn call(&mut self, api: &Api, request: &Request<'_>) -> Result<Response, Error> {
        let Request { action, cni_version, .. } = *request;
        let method = (api.method)(action).ok_or_else(not_in_api)?;
        let message = (api.encode)(request).ok_or_else(not_in_api)?;
        self.record(api, method, action, cni_version, |connection, path| {
            let reply = connection.call(path, message.into())?;
            (api.decode)(request, reply).map_err(Error::Undecodable)
        })
    }

    /// Asks one API whether the agent has it for a command, without an effect.
    pub(super) fn call_undecodable(&mut self, api: &Api, action: Action) -> Result<(), Error> {
        let method = (api.method)(action).ok_or_else(not_in_api)?;
        let answer = self.record(api, method, action, None, |connection, path| {
            connection.call_undecodable(path)?;
            Ok(Response::default())
        });
        match answer {
            Err(error) if error.is_served() => Ok(()),
            answer => answer.map(drop),
        }
    }

    fn record(
        &mut self,
        api: &Api,
        method: Method,
        action: Action,
        cni_version: Option<&Version>,
        call: impl FnOnce(&mut N::Connection, String) -> Result<Response, Error>,
    ) -> Result<Response, Error> {
        let asked = self.node.now();
        let answer = call(self.connection, api.path(&method));
        self.history.rpcs.push(Rpc {
            api: *api,
            method,
            cni_version: cni_version.cloned(),
            connection: self.history.connections,
            action,
            outcome: outcome(&answer),
            elapsed: self.node.now() - asked,
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
        Err(Error::Call(error @ grpc::Error::Cut(_))) => Outcome::Lost(error.to_string()),
        Err(Error::Call(error)) => Outcome::Status(error.to_string()),
        Err(_) => Outcome::Status("a reply that cannot be decoded".to_owned()),
    }
}

// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Makes and records the RPCs on one connection.

use semver::Version;
use tonic::Status;

use super::call_log::{CallLog, Rpc, RpcOutcome};
use super::error::Error;
use super::node::{Connection, Node};
use crate::action::Action;
use crate::api::{Api, Method, Request, Response};
use crate::grpc;

/// Makes RPCs on a connection and records them.
pub(super) struct RpcClient<'a, N: Node> {
    pub(super) node: &'a N,
    pub(super) connection: &'a mut N::Connection,
    pub(super) call_log: &'a mut CallLog,
}

impl<N: Node> RpcClient<'_, N> {
    /// Sends a request in one API. If the API cannot express it, the result is UNIMPLEMENTED, as
    /// from an agent that lacks the RPC.
    pub(super) fn call(&mut self, api: &Api, request: &Request<'_>) -> Result<Response, Error> {
        let Request { action, cni_version, .. } = *request;
        let method = (api.method)(action).ok_or_else(not_in_api)?;
        let message = (api.encode)(request).ok_or_else(not_in_api)?;
        self.record(api, method, action, cni_version, |connection, path| {
            let reply = connection.call(path, message.into())?;
            (api.decode)(request, reply).map_err(Error::Undecodable)
        })
    }

    /// Asks whether the agent serves a command in one API. This has no effect.
    pub(super) fn probe_method(&mut self, api: &Api, action: Action) -> Result<(), Error> {
        let method = (api.method)(action).ok_or_else(not_in_api)?;
        let answer = self.record(api, method, action, None, |connection, path| {
            connection.probe_method(path)?;
            Ok(Response::default())
        });
        match answer {
            Err(error) if error.is_from_served_method() => Ok(()),
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
        self.call_log.rpcs.push(Rpc {
            api: *api,
            method,
            cni_version: cni_version.cloned(),
            connection: self.call_log.connections,
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

fn outcome(answer: &Result<Response, Error>) -> RpcOutcome {
    match answer {
        Ok(response) => RpcOutcome::Reply(response.error.as_ref().map_or(0, |error| error.code)),
        Err(Error::Call(grpc::Error::Deadline)) => RpcOutcome::NoAnswer,
        Err(Error::Call(
            error @ (grpc::Error::ConnectionLost(_) | grpc::Error::NoValidReply(_)),
        )) => RpcOutcome::Interrupted(error.to_string()),
        Err(Error::Call(error)) => RpcOutcome::Status(error.to_string()),
        Err(_) => RpcOutcome::Status("a reply that cannot be decoded".to_owned()),
    }
}

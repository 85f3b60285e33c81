// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Examines an agent for tools, one RPC of one API at a time. The CNI commands do not use it.

use std::rc::Rc;
use std::time::Instant;

use bytes::Bytes;

use super::call_log::CallLog;
use super::error::Error;
use super::node::{Connection, Node};
use super::rpc::RpcClient;
use crate::action::Action;
use crate::api::{Api, Capabilities, CapabilitiesRpc, Request, Response};
use crate::deadline::Deadline;

/// Sends one command in one API: one connection, one RPC, no fallback and no retry.
///
/// # Errors
/// What connecting and the RPC can end with: there is no fallback, no conversion and no owed DEL.
pub fn call_one_api(
    node: &impl Node,
    api: &Api,
    request: &Request<'_>,
    deadline: Instant,
) -> Result<Response, Error> {
    let mut connection = node.connect(&Rc::new(Deadline::at(deadline)), false)?;
    let (connection, call_log) = (&mut connection, &mut CallLog::default());
    RpcClient { node, connection, call_log }.call(api, request)
}

/// Asks whether the agent serves a command in one API. The message cannot be decoded by any agent,
/// so it has no effect and the `cniVersion` does not matter.
///
/// # Errors
/// As [`call_one_api`]; the status is UNIMPLEMENTED if the agent lacks `action`.
pub fn probe_method(
    node: &impl Node,
    api: &Api,
    action: Action,
    deadline: Instant,
) -> Result<(), Error> {
    let mut connection = node.connect(&Rc::new(Deadline::at(deadline)), false)?;
    let (connection, call_log) = (&mut connection, &mut CallLog::default());
    RpcClient { node, connection, call_log }.probe_method(api, action)
}

/// Asks the agent what it can do. Returns `None` if `api` has no RPC for that.
///
/// # Errors
/// As [`call_one_api`].
pub fn capabilities(
    node: &impl Node,
    api: &Api,
    deadline: Instant,
) -> Result<Option<Capabilities>, Error> {
    let Some(CapabilitiesRpc { method, encode, decode }) = &api.capabilities else {
        return Ok(None);
    };
    let message = Bytes::from(encode());
    let mut connection = node.connect(&Rc::new(Deadline::at(deadline)), false)?;
    let reply = connection.call(api.path(method), message)?;
    decode(reply).map(Some).map_err(Error::Undecodable)
}

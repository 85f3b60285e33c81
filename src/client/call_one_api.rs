//! One call of one API, for tools that ask what an agent can do. The CNI commands do
//! not use it.

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

/// Asks one API for one command: one connection, one RPC. The answer counts
/// also if it is UNIMPLEMENTED.
///
/// # Errors
/// All but [`Error::Result`] and [`Error::NoCommonApi`].
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

/// Whether one API serves a command, asked with a message that no agent can decode:
/// that has no effect, whatever cniVersions an agent accepts.
///
/// # Errors
/// As [`call_one_api`]: UNIMPLEMENTED where it does not.
pub fn is_served(
    node: &impl Node,
    api: &Api,
    action: Action,
    deadline: Instant,
) -> Result<(), Error> {
    let mut connection = node.connect(&Rc::new(Deadline::at(deadline)), false)?;
    let (connection, call_log) = (&mut connection, &mut CallLog::default());
    RpcClient { node, connection, call_log }.probe_method(api, action)
}

/// What the agent says of itself, if `api` has that question.
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

//! One call of one API, for tools that ask what an agent can do. The CNI commands do
//! not use it.

use std::rc::Rc;
use std::time::Instant;

use bytes::Bytes;

use super::api::{Api, Capabilities, CapabilitiesRpc, Request, Response};
use super::calls::Calls;
use super::error::Error;
use super::history::History;
use super::node::{Connection, Node};
use crate::action::Action;
use crate::deadline::Deadline;

/// Asks one API for one command: one connection, one RPC. The answer counts
/// also if it is UNIMPLEMENTED.
///
/// # Errors
/// All but [`Error::Result`] and [`Error::Exhausted`].
pub fn single(
    node: &impl Node,
    api: &Api,
    request: &Request<'_>,
    deadline: Instant,
) -> Result<Response, Error> {
    let mut connection = node.connect(&Rc::new(Deadline::at(deadline)), false)?;
    let (connection, history) = (&mut connection, &mut History::default());
    Calls { node, connection, history }.call(api, request)
}

/// Whether one API serves a command, asked with a message that no agent can decode:
/// that has no effect, whatever cniVersions an agent accepts.
///
/// # Errors
/// As [`single`]: UNIMPLEMENTED where it does not.
pub fn is_served(
    node: &impl Node,
    api: &Api,
    action: Action,
    deadline: Instant,
) -> Result<(), Error> {
    let mut connection = node.connect(&Rc::new(Deadline::at(deadline)), false)?;
    let (connection, history) = (&mut connection, &mut History::default());
    Calls { node, connection, history }.call_undecodable(api, action)
}

/// What the agent says of itself, if `api` has that question.
///
/// # Errors
/// As [`single`].
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

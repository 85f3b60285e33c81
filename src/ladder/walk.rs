//! Down the ladder on one connection, to the newest API that this agent has.

use super::api::{Api, Request, Response};
use super::calls::Calls;
use super::error::Error;
use super::node::Connection;
use super::translation;

/// Asks each API for the command, newest first, until one has it.
pub(super) fn walk(
    apis: &[Api],
    request: &Request<'_>,
    calls: &mut Calls<'_, impl Connection>,
) -> Result<Response, Error> {
    for api in apis {
        match translation::ask(api, request, calls) {
            Err(error) if error.is_unimplemented() => (),
            answer => return answer,
        }
    }
    Err(Error::Exhausted)
}

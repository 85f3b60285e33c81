//! STATUS on an agent whose API has none: would it do an ADD?

use super::api::Response;
use super::calls::Calls;
use super::delivery::Delivery;
use super::error::Error;
use super::node::Node;
use crate::action::Action;

/// Asks for STATUS. An agent without it, or that refuses the version that has it, is
/// ready if one of our APIs is served with its ADD. Whether it is, is asked with a
/// message that no agent can decode: that has no effect, whatever versions an agent
/// accepts, and does not rest on the texts of a status.
pub(super) fn status(delivery: &mut Delivery<'_, impl Node>) -> Result<Response, Error> {
    match delivery.send(Action::Status) {
        Ok(Response { error: Some(error), .. }) if error.is_refused_version() => (),
        Err(Error::Exhausted) => (),
        answer => return answer,
    }
    let Some(connection) = &mut delivery.connection else { return Err(Error::Exhausted) };
    let (history, now) = (&mut *delivery.history, &|| delivery.node.now());
    let mut calls = Calls { connection, history, now };
    for api in delivery.apis {
        match calls.call_undecodable(api, Action::Add) {
            Err(error) if error.is_unimplemented() => (),
            answer => return answer.map(|()| Response::default()),
        }
    }
    Err(Error::Exhausted)
}

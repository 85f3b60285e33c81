//! STATUS on an agent whose API has none: would it do an ADD?

use bytes::Bytes;

use super::api::Response;
use super::calls::Calls;
use super::delivery::Delivery;
use super::error::Error;
use super::node::Node;
use crate::action::Action;

/// No message of any API: a field that is longer than the rest. A server looks up
/// the method first, and answers UNIMPLEMENTED if it has none; else it finds that it
/// cannot decode this, and no handler ever runs. So the question has no effect on
/// any agent, whatever versions it accepts, and does not rest on texts.
const BROKEN: &[u8] = &[0x0a, 0x7f];

/// Asks for STATUS. An agent without it, or that refuses the version that has it,
/// is ready if one of our APIs is served with its ADD.
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
        match calls.send(api, Action::Add, Bytes::from_static(BROKEN)) {
            Err(error) if error.is_unimplemented() => (),
            Err(error) if error.is_served() => return Ok(Response::default()),
            Err(error) => return Err(error),
            Ok(_) => return Ok(Response::default()),
        }
    }
    Err(Error::Exhausted)
}

//! STATUS on an agent whose API has none: would it do an ADD?

use super::answer::Answer;
use super::api::Response;
use super::delivery::{Delivery, Question, REPEATING};
use super::error::Error;
use super::node::Node;
use crate::action::Action;

/// Asks for STATUS. An agent without it, or that refuses the version that has it, is
/// ready if one of our APIs is served with its ADD. Whether it is, is asked with a
/// message that no agent can decode: that has no effect, whatever versions an agent
/// accepts, and does not rest on the texts of a status.
pub(super) fn status(delivery: &mut Delivery<'_, impl Node>) -> Result<Answer, Error> {
    let mut backoff = REPEATING;
    loop {
        let refused_version = match delivery.send(Question::Command(delivery.request)) {
            Ok(Response { error: Some(error), .. }) if error.is_refused_version() => true,
            Err(Error::Exhausted) => false,
            answer => return answer.map(Answer::Agent),
        };
        match delivery.ask_once(Question::Serves(Action::Add), false) {
            // The next agent may have STATUS.
            Err(error) if error.is_not_taken() && delivery.pause(backoff.pause()) => (),
            answer => return answer.map(|_| Answer::ServesAdd { refused_version }),
        }
    }
}

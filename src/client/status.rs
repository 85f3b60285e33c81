//! STATUS on an agent whose API has none: would it do an ADD?

use super::answer::Answer;
use super::error::Error;
use super::node::Node;
use super::retry::{Question, RETRY_BACKOFF, Session};
use crate::action::Action;
use crate::api::Response;

/// Asks for STATUS. An agent without it, or that refuses the version that has it, is
/// ready if one of our APIs is served with its ADD. Whether it is, is asked with a
/// message that no agent can decode: that has no effect, whatever versions an agent
/// accepts, and does not rest on the texts of a status.
pub(super) fn status(session: &mut Session<'_, impl Node>) -> Result<Answer, Error> {
    let mut backoff = RETRY_BACKOFF;
    loop {
        let refused_version = match session.call_until_accepted(Question::Command(session.request))
        {
            Ok(Response { error: Some(error), .. }) if error.is_refused_version() => true,
            Err(Error::NoCommonApi) => false,
            answer => return answer.map(Answer::Agent),
        };
        match session.call_once(Question::Serves(Action::Add), false) {
            // The next agent may have STATUS.
            Err(error) if error.is_refused() && session.pause(backoff.next_pause()) => (),
            answer => return answer.map(|_| Answer::ServesAdd { refused_version }),
        }
    }
}

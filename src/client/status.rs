// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Asks STATUS, and answers it for an agent whose API lacks it.

use super::answer::Answer;
use super::error::Error;
use super::fallback::{Question, Session};
use super::node::Node;
use super::retry::RETRY_BACKOFF;
use crate::action::Action;

/// Asks for STATUS. If the agent lacks it, or refuses the `cniVersion` that has it, the agent is
/// ready if it serves ADD in any API. The plugin asks for ADD with a message that cannot be
/// decoded. A gRPC server looks up the method first, so no handler runs.
pub(super) fn ask_status(session: &mut Session<'_, impl Node>) -> Result<Answer, Error> {
    let question = Question::Command(session.request);
    let mut backoff = RETRY_BACKOFF;
    loop {
        let refused_version = match session.disconnect().call_until_accepted(question) {
            Ok(response) if response.refuses_version() => true,
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

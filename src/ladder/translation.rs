//! One rung, in the versions of the CNI specification below the
//! configuration's.

use bytes::Bytes;
use semver::Version;

use super::channel::CallError;
use super::{AgentError, Request, Response, Rung, Stop};
use crate::Action;
use crate::convert::Translation;
use crate::input::CmdArgs;
use crate::input::version::LOWER;

/// What refuses a version: the one trigger of a translation.
const INCOMPATIBLE_CNI_VERSION: i32 = 1;

/// The versions that a command is sent in when the agent refuses `version`.
fn lower_than<'a>(request: &Request<'a>) -> Option<&'a Version> {
    let translated = matches!(request.action, Action::Add | Action::Check | Action::Del);
    request.cni_version.filter(|version| translated && LOWER.iter().any(|lower| lower < *version))
}

/// Asks again in lower versions if `first` refuses the configuration's. `ask`
/// makes one call on the same rung. `None`: the rung is there no more, the
/// ladder goes on.
pub(super) fn translate(
    rung: &Rung,
    request: &Request<'_>,
    first: Response,
    mut ask: impl FnMut(&Rung, &Request<'_>) -> Result<Response, Stop>,
) -> Result<Option<Response>, Stop> {
    let refused = |response: &Response| {
        response.error.as_ref().is_some_and(|error| error.code == INCOMPATIBLE_CNI_VERSION)
    };
    let Some(version) =
        lower_than(request).filter(|_| refused(&first) && !cfg!(without_translation))
    else {
        return Ok(Some(first));
    };
    let translation = match Translation::new(&request.args.stdin_data, version, request.action) {
        Ok(translation) => translation,
        Err(why) => return Ok(Some(first.with_details(&untranslated(&why)))),
    };
    let mut also_refused = Vec::new();
    for lower in LOWER.iter().filter(|lower| *lower < version) {
        let stdin_data = match translation.request(lower) {
            Ok(stdin_data) => stdin_data,
            Err(why) => return Ok(Some(first.with_details(&untranslated(&why)))),
        };
        let args = CmdArgs { stdin_data, ..request.args.clone() };
        let sent = Request { args: &args, cni_version: Some(lower), ..*request };
        match ask(rung, &sent) {
            Ok(response) if refused(&response) => also_refused.push(lower.to_string()),
            Ok(response) => {
                return answer(&translation, request.action, version, lower, response).map(Some);
            }
            Err(Stop::Failed(error)) if error.is_unimplemented() => return Ok(None),
            Err(stop) => return Err(stop),
        }
    }
    Ok(Some(first.with_details(&format!("also refused: {}", also_refused.join(", ")))))
}

fn answer(
    translation: &Translation<'_>,
    action: Action,
    version: &Version,
    sent: &Version,
    response: Response,
) -> Result<Response, Stop> {
    if response.error.is_some() {
        let note = format!("sent as CNI {sent}, because the agent refuses {version}");
        return Ok(response.with_details(&note));
    }
    if action != Action::Add {
        return Ok(response);
    }
    match translation.result(sent, &response.result) {
        Ok(result) => Ok(Response { result: Bytes::from(result), error: None }),
        Err(why) => Err(Stop::Result(format!("sent as CNI {sent}, wanted as {version}: {why}"))),
    }
}

fn untranslated(why: &dyn std::fmt::Display) -> String {
    format!("not sent in a lower cniVersion, because prevResult cannot be converted: {why}")
}

impl Response {
    /// Puts a note of ours in front of the agent's details.
    fn with_details(mut self, note: &str) -> Self {
        if let Some(AgentError { details, .. }) = &mut self.error {
            *details = match details.is_empty() {
                true => note.to_owned(),
                false => format!("{note}: {details}"),
            };
        }
        self
    }
}

impl From<CallError> for Stop {
    fn from(error: CallError) -> Self {
        Self::Failed(error)
    }
}

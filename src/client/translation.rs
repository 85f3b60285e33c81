// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Sends a command in a lower `cniVersion` if the agent refuses the configuration's.
//!
//! Container runtimes ask for STATUS and GC only with a 1.1.0 configuration. But agents before
//! v2.1.0 refuse 1.1.0, and those before v1.11.0 also 1.0.0, for every command. Every release
//! refuses (code 1) before the command has any effect, so it can be sent again in a lower version.

mod comparable;
mod configuration;
mod convert;
mod object;

use bytes::Bytes;
use semver::Version;

pub(crate) use self::comparable::addresses;
use self::configuration::Translation;
use super::error::Error;
use super::node::Node;
use super::rpc::RpcClient;
use crate::action::Action;
use crate::api::{Api, Request, Response};
use crate::input::CmdArgs;
use crate::input::version::LOWER;

/// Sends a request in one API, and again in lower versions if the agent refuses the
/// configuration's.
pub(super) fn call_in_accepted_version(
    api: &Api,
    request: &Request<'_>,
    rpc_client: &mut RpcClient<'_, impl Node>,
) -> Result<Response, Error> {
    let first = rpc_client.call(api, request)?;
    let version = translatable_version(request).filter(|_| !cfg!(without_translation));
    let (true, Some(version)) = (first.refuses_version(), version) else {
        return Ok(restore_chained_result(request, first));
    };
    let translation = match Translation::new(&request.args.stdin_data, version, request.action) {
        Ok(translation) => translation,
        Err(why) => return Ok(first.with_note(untranslatable_note(&why))),
    };
    let mut also_refused = Vec::new();
    for lower in LOWER.iter().filter(|lower| *lower < version) {
        let stdin_data = match translation.configuration_in(lower) {
            Ok(stdin_data) => stdin_data,
            Err(why) => return Ok(first.with_note(untranslatable_note(&why))),
        };
        let args = CmdArgs { stdin_data, ..request.args.clone() };
        let sent = Request { args: &args, cni_version: Some(lower), ..*request };
        let response = rpc_client.call(api, &sent)?;
        if !response.refuses_version() {
            return translate_answer(&translation, request.action, version, lower, response);
        }
        also_refused.push(lower.to_string());
    }
    Ok(first.with_note(format!("also refused: {}", also_refused.join(", "))))
}

/// Returns the configuration's version if the command can be sent in a lower one, as those about a
/// container can.
fn translatable_version<'a>(request: &Request<'a>) -> Option<&'a Version> {
    let version = request.cni_version.filter(|_| request.action.rules().has_container)?;
    LOWER.iter().any(|lower| lower < version).then_some(version)
}

/// Converts the result of a chained ADD. The agent returns `prevResult` in the shape of its own
/// release; the next plugin needs the configuration's `cniVersion`.
fn restore_chained_result(request: &Request<'_>, response: Response) -> Response {
    let Request { action, args, configuration, cni_version } = *request;
    let (Action::Add, true, None, Some(version)) =
        (action, configuration.has_prev_result(), &response.error, cni_version)
    else {
        return response;
    };
    let text = std::str::from_utf8(&response.result);
    if text.is_ok_and(|text| convert::is_in(text, &version.to_string())) {
        return response;
    }
    let translation = Translation::new(&args.stdin_data, version, action);
    match translation.and_then(|it| it.result_from(version, &response.result)) {
        Ok(result) => Response { result: result.into(), error: None },
        // A result that cannot be read is passed on unchanged.
        Err(_) => response,
    }
}

fn translate_answer(
    translation: &Translation<'_>,
    action: Action,
    version: &Version,
    sent: &Version,
    response: Response,
) -> Result<Response, Error> {
    if response.error.is_some() {
        let note = format!("sent as CNI {sent}, because the agent refuses {version}");
        return Ok(response.with_note(note));
    }
    if action != Action::Add {
        return Ok(response);
    }
    match translation.result_from(sent, &response.result) {
        Ok(result) => Ok(Response { result: Bytes::from(result), error: None }),
        Err(why) => {
            Err(Error::Untranslatable(format!("sent as CNI {sent}, wanted as {version}: {why}")))
        }
    }
}

fn untranslatable_note(why: &object::Error) -> String {
    format!("not sent in a lower cniVersion, because prevResult cannot be converted: {why}")
}

impl Response {
    fn with_note(mut self, note: String) -> Self {
        if let Some(error) = &mut self.error {
            error.note = note;
        }
        self
    }
}

/// Gives the fuzzers access: converts a configuration to a lower version, and the result of its ADD
/// back.
#[cfg(fuzzing)]
pub fn translate(
    configuration: &[u8],
    version: &Version,
    lower: &Version,
    action: Action,
    result: &[u8],
) -> (Option<Vec<u8>>, Option<Vec<u8>>) {
    let Ok(translation) = Translation::new(configuration, version, action) else {
        return (None, None);
    };
    match translation.configuration_in(lower) {
        Ok(sent) => (Some(sent), translation.result_from(lower, result).ok()),
        Err(_) => (None, None),
    }
}

// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Makes the CNI error, with the attempts described in its `details`.

use std::fmt::Write as _;

use semver::Version;
use serde::Serialize;
use thiserror::Error;

use crate::client::call_log::{Rpc, format_seconds};
use crate::client::{self, CallLog, RpcOutcome};
use crate::error::Error;
use crate::input::{self, ErrorContext, Rejected, version};
use crate::{error_codes, grpc};

/// Longest text of a CNI error, in bytes of JSON. Two texts and the rest stay below 16 KiB.
const MAX_TEXT_BYTES: usize = 7 << 10;

/// Marks a text that was shortened.
const CUT: &str = " [cut]";

/// Holds the error of the CNI specification (section "Error"), as it is printed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Error)]
#[serde(rename_all = "camelCase")]
#[error("{msg}")]
pub struct CniError {
    /// The configuration's `cniVersion` if it is supported, otherwise the newest
    pub cni_version: Version,
    /// Code of the specification or of Antrea; never 0
    pub code: u32,
    /// One short sentence that says what to do
    pub msg: String,
    /// More information, may be empty
    #[serde(skip_serializing_if = "String::is_empty")]
    pub details: String,
}

impl CniError {
    /// Describes a command that was not sent, because its input is invalid.
    pub(crate) fn rejected(Rejected { error, context }: Rejected) -> Self {
        Self::new(&error.into(), &context, "", &CallLog::default())
    }

    /// Describes a command that failed. `socket` is the agent's.
    pub(crate) fn new(
        error: &Error,
        context: &ErrorContext,
        socket: &str,
        call_log: &CallLog,
    ) -> Self {
        let text = |parts: Vec<Text>| {
            let text: String =
                parts.into_iter().map(|text| text.reworded(context.is_del)).collect();
            shorten(text)
        };
        Self {
            cni_version: context.cni_version.clone(),
            code: error.code(),
            msg: text(message_parts(error)),
            details: text(details_parts(error, socket, call_log)),
        }
    }

    /// Describes a bug in the plugin.
    pub(crate) fn internal() -> Self {
        Self {
            cni_version: version::NEWEST,
            code: error_codes::INTERNAL,
            msg: "internal error in antrea-cni: report it".to_owned(),
            details: String::new(),
        }
    }
}

/// Marks a part of a text with its author.
enum Text {
    /// Text of the plugin, even where it quotes another error
    Plugin(String),
    /// The agent's own text, which is passed on unchanged
    Agent(String),
}

impl Text {
    fn reworded(self, is_del: bool) -> String {
        match self {
            Self::Plugin(text) if is_del => reword(&text),
            Self::Plugin(text) | Self::Agent(text) => text,
        }
    }
}

fn message_parts(error: &Error) -> Vec<Text> {
    match error {
        Error::Agent(error) => vec![Text::Agent(error.message.clone())],
        Error::Client(client::Error::Call(grpc::Error::Status(_))) => {
            vec![Text::Agent(error.to_string())]
        }
        error => vec![Text::Plugin(error.to_string())],
    }
}

fn details_parts(error: &Error, socket: &str, call_log: &CallLog) -> Vec<Text> {
    match error {
        Error::Input(input::Error::UnsupportedVersion(text)) => {
            let supported = version::supported_list();
            vec![Text::Plugin(format!("config is {text:?}, plugin supports {supported}"))]
        }
        Error::Input(error) => vec![Text::Plugin(source_of(error))],
        Error::Client(client::Error::Yielded(cause)) => {
            vec![Text::Plugin(describe_attempts(cause, socket, call_log))]
        }
        Error::Client(cause) | Error::NotReady(cause) => {
            vec![Text::Plugin(describe_attempts(cause, socket, call_log))]
        }
        Error::Agent(error) => {
            let colon = if error.note.is_empty() || error.details.is_empty() { "" } else { ": " };
            let note = Text::Plugin(format!("{}{colon}", error.note));
            vec![note, Text::Agent(error.details.clone())]
        }
        Error::Result(why) => vec![Text::Plugin(why.to_string())],
    }
}

/// Describes the attempts: where the command was sent, how often, for how long, and why it failed.
fn describe_attempts(cause: &client::Error, socket: &str, call_log: &CallLog) -> String {
    use grpc::Error::{ConnectionLost, NoValidReply, Refused, Untrusted};
    let CallLog { rpcs, connections, elapsed, .. } = call_log;
    let why = match cause {
        client::Error::Call(Refused(why) | ConnectionLost(why) | NoValidReply(why))
        | client::Error::Untranslatable(why) => why.clone(),
        client::Error::Call(Untrusted { user: Some(user), .. }) => format!("its user is {user}"),
        client::Error::Call(cause) => source_of(cause),
        cause => source_of(cause),
    };
    let plural = |count: usize| if count == 1 { "" } else { "s" };
    let (calls, s) = (rpcs.len(), plural(rpcs.len()));
    let sent = match connections {
        0 => "not sent".to_owned(),
        1 => format!("{calls} call{s} on 1 connection"),
        many => format!("{calls} call{s} on {many} connections"),
    };
    let mut text = format!("socket {socket}, {sent}, {}", format_seconds(*elapsed));
    if !why.is_empty() {
        let _ = write!(text, ": {why}");
    }
    // After UNIMPLEMENTED, a process is not asked again on its next connection.
    let is_told =
        |rpc: &&Rpc| rpc.connection == *connections || matches!(cause, client::Error::NoCommonApi);
    for rpc in rpcs.iter().filter(is_told) {
        let package = rpc.api.package;
        let _ = match &rpc.outcome {
            RpcOutcome::Reply(_) => write!(text, "; {package} returned a CNI result or error"),
            RpcOutcome::Status(status) => write!(text, "; {package} answered {status}"),
            RpcOutcome::Interrupted(why) => write!(text, "; {package}: {why}"),
            RpcOutcome::NoAnswer => write!(text, "; {package} did not answer"),
        };
    }
    text
}

fn source_of(error: &dyn std::error::Error) -> String {
    error.source().map(ToString::to_string).unwrap_or_default()
}

/// Replaces the words that containerd's go-cni takes for success in the error of a DEL. They may come
/// from the operating system, a path or a name.
fn reword(text: &str) -> String {
    let lower = text.to_ascii_lowercase();
    let mut reworded = String::with_capacity(text.len());
    let mut rest = 0;
    for (at, _) in lower.match_indices("no") {
        let starts = |words: &&&str| lower.get(at..).is_some_and(|text| text.starts_with(**words));
        if let Some(words) = ["not found", "no such file or directory"].iter().find(starts) {
            reworded.push_str(text.get(rest..at).unwrap_or_default());
            reworded.push_str("absent");
            rest = at + words.len();
        }
    }
    reworded + text.get(rest..).unwrap_or_default()
}

/// Shortens a text that would make the CNI error too long.
fn shorten(text: String) -> String {
    let mut bytes = 0;
    // Where a text that is too long is cut.
    let mut fits = 0;
    for (at, character) in text.char_indices() {
        if bytes <= MAX_TEXT_BYTES - CUT.len() {
            fits = at;
        }
        bytes += match character {
            '"' | '\\' => 2,
            '\0'..' ' => 6,
            other => other.len_utf8(),
        };
        if bytes > MAX_TEXT_BYTES {
            return text.get(..fits).unwrap_or_default().to_owned() + CUT;
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::AgentError;

    fn document(error: &Error, is_del: bool) -> CniError {
        let context = ErrorContext { cni_version: version::NEWEST, is_del };
        CniError::new(error, &context, "/s", &CallLog::default())
    }

    #[test]
    fn no_text_of_ours_reads_as_success_on_del() {
        let error = Error::from(input::Error::UnknownCommand(
            "x Not Found, no such file or DIRECTORY".to_owned(),
        ));
        assert_eq!(document(&error, true).msg, "unknown CNI_COMMAND: x absent, absent");
        assert!(document(&error, false).msg.contains("Not Found"));
        let cut = client::Error::Call(grpc::Error::ConnectionLost("page=not found".to_owned()));
        assert!(document(&cut.into(), true).details.ends_with(": page=absent"));
    }

    #[test]
    fn the_agents_words_are_passed_on() {
        let said = AgentError {
            code: 3,
            message: "container not found".to_owned(),
            details: "not found".to_owned(),
            note: "also not found".to_owned(),
        };
        let document = document(&said.into(), true);
        assert_eq!(document.msg, "container not found");
        assert_eq!(document.details, "also absent: not found");
    }

    #[test]
    fn a_document_is_at_most_16_kib() {
        for character in ["x", "é", "\"", "\u{1}"] {
            let message = character.repeat(300_000);
            let said =
                AgentError { code: 3, details: message.clone(), message, ..AgentError::default() };
            let document = document(&said.into(), true);
            assert!(document.msg.starts_with(character) && document.msg.ends_with(CUT));
            let bytes = serde_json::to_vec(&document).unwrap().len();
            assert!((8192..=16_384).contains(&bytes), "{bytes}");
        }
    }

    #[test]
    fn rewording_takes_time_in_proportion_to_the_text() {
        let text = "not found".repeat(100_000);
        assert_eq!(reword(&text), "absent".repeat(100_000));
    }
}

// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Parses and shows a line of the log.

use std::fmt;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use semver::Version;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::style::{BAD, GOOD, WEAK, plain};

/// The start of each event. Another event may follow a torn one on the same line.
const START: &[u8] = br#"{"time":""#;

/// Describes a call of the plugin, which is a line of the log.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Event {
    pub(crate) time: Timestamp,
    pub(crate) command: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) container: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) pod_namespace: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) pod_name: String,
    #[serde(default)]
    pub(crate) tried: Vec<Tried>,
    /// Connections to agents
    #[serde(default)]
    pub(crate) attempts: u32,
    /// 0 is success
    pub(crate) code: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) message: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) note: Option<String>,
    pub(crate) milliseconds: f64,
    /// All other keys, of any version of the plugin
    #[serde(flatten)]
    pub(crate) rest: Map<String, Value>,
}

/// Describes one RPC.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Tried {
    pub(crate) api: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) cni_version: Option<Version>,
    /// Code of the reply, if there was one
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) code: Option<i32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) status: Option<String>,
    /// All other keys
    #[serde(flatten)]
    pub(crate) rest: Map<String, Value>,
}

impl Event {
    /// Parses a line. Also returns whether the line is whole, which a torn line before the event
    /// prevents.
    pub(crate) fn parse(line: &[u8]) -> Option<(Self, bool)> {
        if let Ok(event) = serde_json::from_slice(line) {
            return Some((event, true));
        }
        let mut starts = line.windows(START.len()).enumerate().filter(|(_, part)| *part == START);
        let (last, _) = starts.next_back()?;
        Some((serde_json::from_slice(line.get(last..)?).ok()?, false))
    }

    /// Returns the RPC that the agent answered last.
    pub(crate) fn answered(&self) -> Option<&Tried> {
        self.tried.iter().rev().find(|tried| tried.code.is_some())
    }

    /// Returns the short name of the API that answered.
    pub(crate) fn api(&self) -> &str {
        self.answered().map_or("none", |tried| short_name(&tried.api))
    }

    fn pod(&self) -> String {
        match (self.pod_namespace.as_str(), self.pod_name.as_str()) {
            ("", "") => self.container.chars().take(12).collect(),
            (namespace, name) => format!("{namespace}/{name}"),
        }
    }
}

/// Returns the name of an API without today's common prefix. Older names have no common prefix and
/// stay whole.
pub(crate) fn short_name(api: &str) -> &str {
    api.strip_prefix("antrea_io.antrea.pkg.apis.cni.").unwrap_or(api)
}

impl fmt::Display for Event {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = self.time.to_zoned(TimeZone::UTC);
        let (style, result) = match self.code {
            0 => (GOOD, "ok".to_owned()),
            code => (BAD, format!("code {code}")),
        };
        write!(
            out,
            "{WEAK}{}{WEAK:#} {:<6} {style}{result:<8}{style:#} {:>9.3} ms  {:<8} {}",
            time.strftime("%Y-%m-%dT%H:%M:%S%.3fZ"),
            plain(&self.command),
            self.milliseconds,
            plain(self.api()),
            plain(&self.pod()),
        )?;
        match self.message.as_ref().or(self.note.as_ref()) {
            Some(text) => write!(out, "  {}", plain(text)),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &[u8] = br#"{"time":"2026-11-24T10:00:00.000000Z","command":"ADD","tried":[],"attempts":0,"code":11,"milliseconds":1.5}"#;

    #[test]
    fn a_torn_line_does_not_hide_the_next_one() {
        let (event, whole) = Event::parse(LINE).unwrap();
        assert_eq!((event.code, whole), (11, true));
        let torn = [&LINE[..40], LINE].concat();
        let (event, whole) = Event::parse(&torn).unwrap();
        assert_eq!((event.code, whole), (11, false));
        for lost in [&LINE[..40], b"", b"{}", b"\xff\n"] {
            assert!(Event::parse(lost).is_none());
        }
    }
}

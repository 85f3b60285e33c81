//! One line of the log.

use std::fmt;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use semver::Version;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::style::{BAD, GOOD, WEAK, plain};

/// How every event starts. A line that was not written to its end may have
/// another one behind it.
const START: &[u8] = br#"{"time":""#;

/// What is read of an event.
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
    /// What else the plugin wrote, of this version or of another one
    #[serde(flatten)]
    pub(crate) rest: Map<String, Value>,
}

/// One call of the agent.
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
    /// What else the plugin wrote
    #[serde(flatten)]
    pub(crate) rest: Map<String, Value>,
}

impl Event {
    /// Reads a line, and says whether it is nothing but an event.
    pub(crate) fn parse(line: &[u8]) -> Option<(Self, bool)> {
        if let Ok(event) = serde_json::from_slice(line) {
            return Some((event, true));
        }
        let mut starts = line.windows(START.len()).enumerate().filter(|(_, part)| *part == START);
        let (last, _) = starts.next_back()?;
        Some((serde_json::from_slice(line.get(last..)?).ok()?, false))
    }

    /// The API that answered, and with which reply.
    pub(crate) fn answered(&self) -> Option<&Tried> {
        self.tried.iter().rev().find(|tried| tried.code.is_some())
    }

    /// The name of the API that answered, without what all names share.
    pub(crate) fn api(&self) -> &str {
        self.answered().map_or("none", |tried| short(&tried.api))
    }

    fn pod(&self) -> String {
        match (self.pod_namespace.as_str(), self.pod_name.as_str()) {
            ("", "") => self.container.chars().take(12).collect(),
            (namespace, name) => format!("{namespace}/{name}"),
        }
    }
}

/// `v1` and `v1beta1` of today's name are unique; older names stay whole.
pub(crate) fn short(api: &str) -> &str {
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

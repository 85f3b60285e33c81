// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Parses and shows a line of the log.

use std::fmt;
use std::io::Write;

use antrea_cni::log::{Event, TriedRpc};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::error::Error;
use crate::style::{BAD, GOOD, WEAK, plain};

/// The start of each event. Another event may follow a torn one on the same line.
const START: &[u8] = br#"{"time":""#;

/// Holds a line of the log, which describes a call of the plugin.
#[derive(Clone, Debug)]
pub struct LogLine {
    /// The call
    pub event: Event<'static>,
    /// When it ended
    pub time: Timestamp,
    /// The event as the plugin wrote it, which may be of another version
    json: Vec<u8>,
}

impl LogLine {
    /// Parses a line. Also returns whether the line is whole, which a torn line before the event
    /// prevents.
    pub fn parse(line: &[u8]) -> Option<(Self, bool)> {
        if let Some(whole) = Self::parse_event(line) {
            return Some((whole, true));
        }
        let mut starts = line.windows(START.len()).enumerate().filter(|(_, part)| *part == START);
        let (last, _) = starts.next_back()?;
        Some((Self::parse_event(line.get(last..)?)?, false))
    }

    fn parse_event(json: &[u8]) -> Option<Self> {
        let event: Event<'_> = serde_json::from_slice(json).ok()?;
        let time = event.time.parse().ok()?;
        Some(Self { event, time, json: json.trim_ascii().to_owned() })
    }

    /// Returns the event as the plugin wrote it, which is JSON.
    pub fn json(&self) -> &[u8] {
        &self.json
    }

    /// Writes the event as the plugin wrote it.
    pub(crate) fn write_json(&self, out: &mut impl Write) -> Result<(), Error> {
        out.write_all(&self.json).and_then(|()| writeln!(out)).map_err(Error::Output)
    }

    /// Returns the RPC that the agent answered last.
    pub(crate) fn answered(&self) -> Option<&TriedRpc<'static>> {
        self.event.tried.iter().rev().find(|tried| tried.code.is_some())
    }

    /// Returns the short name of the API that answered.
    pub(crate) fn api(&self) -> &str {
        self.answered().map_or("none", |tried| short_name(&tried.api))
    }

    fn pod(&self) -> String {
        let Event { pod_namespace, pod_name, container, .. } = &self.event;
        match (&**pod_namespace, &**pod_name) {
            ("", "") => container.chars().take(12).collect(),
            (namespace, name) => format!("{namespace}/{name}"),
        }
    }
}

/// Returns the name of an API without today's common prefix. Older names have no common prefix and
/// stay whole.
pub(crate) fn short_name(api: &str) -> &str {
    api.strip_prefix("antrea_io.antrea.pkg.apis.cni.").unwrap_or(api)
}

impl fmt::Display for LogLine {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = self.time.to_zoned(TimeZone::UTC);
        let (style, result) = match self.event.code {
            0 => (GOOD, "ok".to_owned()),
            code => (BAD, format!("code {code}")),
        };
        write!(
            out,
            "{WEAK}{}{WEAK:#} {:<6} {style}{result:<8}{style:#} {:>9.3} ms  {:<8} {}",
            time.strftime("%Y-%m-%dT%H:%M:%S%.3fZ"),
            plain(&self.event.command),
            self.event.milliseconds,
            plain(self.api()),
            plain(&self.pod()),
        )?;
        match self.event.message.as_ref().or(self.event.note.as_ref()) {
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
    fn an_event_begins_as_the_tool_expects() {
        let (line, _) = LogLine::parse(LINE).unwrap();
        assert!(serde_json::to_vec(&line.event).unwrap().starts_with(START));
    }

    #[test]
    fn a_torn_line_does_not_hide_the_next_one() {
        let (line, whole) = LogLine::parse(LINE).unwrap();
        assert_eq!((line.event.code, whole), (11, true));
        let torn = [&LINE[..40], LINE].concat();
        let (line, whole) = LogLine::parse(&torn).unwrap();
        assert_eq!((line.event.code, whole), (11, false));
        for lost in [&LINE[..40], b"", b"{}", b"\xff\n"] {
            assert!(LogLine::parse(lost).is_none());
        }
    }
}

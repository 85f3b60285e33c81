// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Counts the calls in a log with counters that never decrease, although the log is rotated and the
//! keeper is restarted.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use antrea_cni::{Action, Api};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::event::{LogLine, short_name};
use super::prometheus::{Distribution, Families, Labels};
use super::read;
use crate::releases;

/// Number of bytes that identify a log file: its first line has the time of a call in
/// microseconds.
const HEAD: usize = 64;

/// Upper bounds of the histogram of durations in seconds, up to the longest ADD.
const BOUNDS: [f64; 14] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 15.0, 60.0, 240.0];

/// Most files whose positions are remembered: the log and the one before it, of some paths.
const MAX_FILES: usize = 16;

/// Most combinations of command, API and code that are counted separately.
const MAX_GROUPS: usize = 200;

/// Holds the counts and the position in the log up to which they count. Both are saved in one
/// write, so that no line is lost or counted twice.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Counters {
    /// The files that were read last, newest first
    files: Vec<Position>,
    groups: Vec<Group>,
    commands: BTreeMap<String, Durations>,
    torn_lines: u64,
    last_call: Option<Timestamp>,
    /// The API that answered last
    api: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
struct Position {
    /// The first [`HEAD`] bytes of the file
    head: Vec<u8>,
    offset: u64,
}

#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
struct Group {
    command: String,
    api: String,
    code: Option<u32>,
    calls: u64,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(default)]
struct Durations {
    calls: u64,
    failed: u64,
    seconds: f64,
    /// Calls that took up to each of [`BOUNDS`], and longer than the bound before
    buckets: [u64; BOUNDS.len()],
}

impl Counters {
    /// Counts the lines that were added to a log since the last call of this function, also if the
    /// log was rotated.
    ///
    /// # Errors
    /// The log cannot be read. Lines that were counted before the error stay counted.
    pub(crate) fn advance(&mut self, log: &Path) -> io::Result<()> {
        for mut file in read::open_files(log)?.into_iter().flatten() {
            let mut head = Vec::new();
            (&mut file).take(HEAD as u64).read_to_end(&mut head)?;
            // A file is known by its start, wherever it is by now. One without a line has none.
            if head.len() == HEAD {
                self.count_file(&file, head)?;
            }
        }
        Ok(())
    }

    fn count_file(&mut self, file: &File, head: Vec<u8>) -> io::Result<()> {
        let known = self.files.iter().position(|it| it.head == head);
        let position = match known {
            Some(known) => self.files.remove(known),
            None => Position { head, offset: 0 },
        };
        let mut offset = position.offset;
        self.files.insert(0, position);
        self.files.truncate(MAX_FILES);
        let mut lines = BufReader::new(file);
        lines.seek(SeekFrom::Start(offset))?;
        let mut line = Vec::new();
        // The plugin is still writing a line without an end.
        while lines.read_until(b'\n', &mut line)? > 0 && line.ends_with(b"\n") {
            match LogLine::parse(&line) {
                Some((parsed, whole)) => {
                    self.torn_lines += u64::from(!whole);
                    self.count(&parsed);
                }
                None => self.torn_lines += 1,
            }
            // After each line, because the next read may fail.
            offset += line.len() as u64;
            if let Some(position) = self.files.first_mut() {
                position.offset = offset;
            }
            line.clear();
        }
        Ok(())
    }

    fn count(&mut self, line: &LogLine) {
        let LogLine { event, .. } = line;
        let commands = Action::ALL.map(Action::name);
        let command = commands.into_iter().find(|it| *it == event.command).unwrap_or("other");
        let mut apis = Api::ALL.iter().map(|api| short_name(api.package)).chain(["none"]);
        let api = apis.find(|it| *it == line.api()).unwrap_or("other");
        let is_same =
            |it: &&mut Group| it.command == command && it.api == api && it.code == Some(event.code);
        match self.groups.iter_mut().find(is_same) {
            Some(group) => group.calls += 1,
            None => {
                let is_full = self.groups.len() >= MAX_GROUPS;
                let code = (!is_full).then_some(event.code);
                let rest = self.groups.iter_mut().find(|it| is_full && it.code.is_none());
                match rest {
                    Some(rest) => rest.calls += 1,
                    None => self.groups.push(Group {
                        command: command.to_owned(),
                        api: api.to_owned(),
                        code,
                        calls: 1,
                    }),
                }
            }
        }
        let seconds = (event.milliseconds / 1e3).max(0.0);
        let durations = self.commands.entry(command.to_owned()).or_default();
        durations.calls += 1;
        durations.failed += u64::from(event.code != 0);
        durations.seconds += seconds;
        let bucket =
            BOUNDS.iter().zip(&mut durations.buckets).find(|(bound, _)| seconds <= **bound);
        if let Some((_, bucket)) = bucket {
            *bucket += 1;
        }
        self.last_call = self.last_call.max(Some(line.time));
        if let Some(answered) = line.answered() {
            self.api = Some(answered.api.to_string());
        }
    }

    /// Encodes the metrics.
    pub(crate) fn encode(&self, families: &mut Families<'_>) -> fmt::Result {
        let code = |it: &Group| it.code.map_or_else(|| "other".to_owned(), |code| code.to_string());
        families.counter(
            "antrea_cni_calls",
            "Calls of the plugin, by command, API that answered and code.",
            self.groups.iter().map(|it| {
                let (command, api) = (it.command.clone(), it.api.clone());
                (vec![("command", command), ("api", api), ("code", code(it))], it.calls)
            }),
        )?;
        let none = Durations::default();
        // Each command has counters from the start, so that a rate includes the first call.
        let commands = Action::ALL.map(Action::name);
        let commands = commands.map(|it| (it, self.commands.get(it).unwrap_or(&none)));
        let of = |command: &str| vec![("command", command.to_owned())];
        families.counter(
            "antrea_cni_failed_calls",
            "Calls that ended with an error.",
            commands.map(|(command, it)| (of(command), it.failed)),
        )?;
        families.histogram(
            "antrea_cni_call_duration_seconds",
            "Time that calls took.",
            commands.map(|(command, it)| (of(command), it.distribution())),
        )?;
        families.counter(
            "antrea_cni_log_torn_lines",
            "Lines of the log that are not whole, as a full disk leaves them.",
            [(Labels::new(), self.torn_lines)],
        )?;
        families.gauge(
            "antrea_cni_last_call_timestamp_seconds",
            "When the last call was.",
            self.last_call.map(|at| (Labels::new(), at.as_duration().as_secs_f64())),
        )?;
        families.gauge(
            "antrea_cni_agent_api_old",
            "1 if the agent answers in an API although a release has a newer one.",
            self.api.as_deref().map(|api| {
                let is_old = u32::from(releases::is_old(api));
                (vec![("api", short_name(api).to_owned())], is_old)
            }),
        )
    }
}

impl Durations {
    fn distribution(&self) -> Distribution {
        let bounded: u64 = self.buckets.iter().sum();
        let longer = (f64::INFINITY, self.calls.saturating_sub(bounded));
        let buckets = BOUNDS.into_iter().zip(self.buckets).chain([longer]).collect();
        Distribution { sum: self.seconds, count: self.calls, buckets }
    }
}

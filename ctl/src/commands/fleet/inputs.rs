// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Reads the outputs and logs of one node.

use antrea_cni::error_codes;
use jiff::Timestamp;

use crate::commands::log::event::LogLine;
use crate::commands::log::read;
use crate::commands::{probe, status};

/// Holds the inputs of a node.
#[derive(Default)]
pub struct Inputs {
    pub(super) status: Option<status::StatusReport>,
    pub(super) probe: Option<probe::ProbeReport>,
    pub(super) log: Log,
    /// Release of the agent, as its `AntreaAgentInfo` says
    pub(super) release: Option<String>,
    /// Inputs that could not be read
    pub(super) problems: Vec<String>,
}

/// Holds what is counted in a log.
#[derive(Default)]
pub(super) struct Log {
    pub(super) times: Vec<f64>,
    pub(super) failed: usize,
    pub(super) last_restart: Option<Timestamp>,
    /// When another API answered first, in the order of the log, and its proto package
    pub(super) generations: Vec<(Timestamp, String)>,
    /// Time of the last call
    pub(super) until: Option<Timestamp>,
}

impl Log {
    fn add(&mut self, line: &LogLine) {
        let LogLine { event, time, .. } = line;
        self.times.push(event.milliseconds);
        self.failed += usize::from(event.code != 0);
        self.until = self.until.max(Some(*time));
        if let Some(package) = line.answered().map(|tried| &*tried.api)
            && self.generations.last().is_none_or(|(_, last)| last != package)
        {
            self.generations.push((*time, package.to_owned()));
        }
        // The agent was unavailable or asked again, or another agent process answered.
        if event.attempts > 1 || event.code == error_codes::TRY_AGAIN_LATER {
            self.last_restart = self.last_restart.max(Some(*time));
        }
    }
}

impl Inputs {
    /// Adds a problem of an input.
    pub fn add_problem(&mut self, problem: String) {
        self.problems.push(problem);
    }

    /// Begins the inputs of a node with its agent's release, if its `AntreaAgentInfo` has one.
    pub fn of_release(release: Option<String>) -> Self {
        Self { release, ..Self::default() }
    }

    /// Adds the file `name`. A file that is neither an output nor a log is a problem of the node.
    pub fn add_file(&mut self, name: &str, bytes: &[u8]) {
        if let Ok(status) = serde_json::from_slice(bytes) {
            self.status = Some(status);
        } else if let Ok(probe) = serde_json::from_slice(bytes) {
            self.probe = Some(probe);
        } else if let Err(why) = self.add_log(name, bytes) {
            self.problems.push(why);
        }
    }

    fn add_log(&mut self, name: &str, bytes: &[u8]) -> Result<(), String> {
        let is_log = name.ends_with(".log") || name.ends_with(".log.1");
        match bytes {
            // There was no call since the log was rotated.
            [] if is_log => return Ok(()),
            [] => return Err(format!("{name}: no answer")),
            [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => {
                return Err(format!("{name}: in UTF-16: write it as UTF-8"));
            }
            [0xef, 0xbb, 0xbf, ..] => {
                return Err(format!("{name}: begins with a byte order mark (BOM): leave it out"));
            }
            _ => (),
        }
        let before = self.log.times.len();
        let _ = read::read_lines(bytes, |line| self.log.add(&line));
        if self.log.times.len() > before {
            return Ok(());
        }
        let of = if is_log { "no log of the plugin" } else { "not an output of status or probe" };
        Err(format!("{name}: {of}"))
    }
}

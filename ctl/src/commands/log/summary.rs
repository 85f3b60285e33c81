// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Summarizes logs: calls, times, and the agents that answered.

use std::collections::BTreeMap;
use std::fmt;

use antrea_cni::error_codes;
use antrea_cni::log::TriedRpc;
use jiff::Timestamp;
use semver::Version;
use serde::Serialize;

use super::event::{LogLine, short_name};
use crate::releases;
use crate::style::{BAD, GOOD, TITLE, WEAK, plain};

/// Counts the events of logs.
#[derive(Default)]
pub(super) struct Tally {
    groups: Groups,
    agents: BTreeMap<String, Evidence>,
    pub(super) torn_lines: usize,
    last_call: Option<Timestamp>,
}

impl Tally {
    pub(super) fn add(&mut self, log: &str, line: &LogLine) {
        self.groups.add(line);
        self.last_call = self.last_call.max(Some(line.time));
        self.agents.entry(log.to_owned()).or_default().add(line);
    }
}

/// Holds times in milliseconds by command, API and code.
#[derive(Default)]
struct Groups(BTreeMap<(String, String, u32), Vec<f64>>);

impl Groups {
    fn add(&mut self, line: &LogLine) {
        let LogLine { event, .. } = line;
        let key = (event.command.to_string(), line.api().to_owned(), event.code);
        self.0.entry(key).or_default().push(event.milliseconds);
    }
}

/// Holds what a log shows of its node's agent. The order of the lines counts, because the node's
/// clock may have been wrong.
#[derive(Default)]
struct Evidence {
    api: Option<String>,
    accepted: Option<Version>,
    refused: Vec<Version>,
    last_seen: Option<Timestamp>,
}

impl Evidence {
    fn add(&mut self, line: &LogLine) {
        let Some(answered) = line.answered() else { return };
        if self.api.as_deref() != Some(&*answered.api) {
            *self = Self { api: Some(answered.api.to_string()), ..Self::default() };
        }
        self.last_seen = Some(line.time);
        // With code 1 the agent refuses a cniVersion. With all other codes it accepted it.
        let of_this_api = line.event.tried.iter().filter(|tried| tried.api == answered.api);
        let version = |it: &TriedRpc<'_>| it.cni_version.as_ref()?.parse::<Version>().ok();
        for (version, code) in of_this_api.filter_map(|it| version(it).zip(it.code)) {
            if u32::try_from(code) == Ok(error_codes::INCOMPATIBLE_CNI_VERSION) {
                if !self.refused.contains(&version) {
                    self.refused.push(version);
                }
            } else if self.accepted.as_ref().is_none_or(|accepted| *accepted < version) {
                self.refused.retain(|refused| *refused != version);
                self.accepted = Some(version);
            }
        }
    }
}

/// Describes the calls in logs.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Summary {
    /// Number of calls
    pub(super) calls: usize,
    /// Number of lines that are not whole, as a full disk leaves them
    pub(super) torn_lines: usize,
    /// Calls with the same command, API and code
    pub(super) groups: Vec<Group>,
    /// Times of each command
    pub(super) commands: Vec<Times>,
    /// The agent of each log's node
    pub(super) agents: Vec<Agent>,
    /// Time of the last call
    pub(super) last_call: Option<Timestamp>,
}

/// Counts the calls with the same command, API and code.
#[derive(Debug, Serialize)]
pub(super) struct Group {
    /// The command
    pub(super) command: String,
    /// Short name of the API that answered, or `none`
    pub(super) api: String,
    /// Code of the CNI error, 0 for success
    pub(super) code: u32,
    /// Number of such calls
    pub(super) calls: usize,
}

/// Describes the times of a command in milliseconds.
#[derive(Debug, Serialize)]
pub(super) struct Times {
    /// The command
    pub(super) command: String,
    /// Number of calls
    pub(super) calls: usize,
    /// Sum of their times
    pub(super) sum: f64,
    /// Half of the calls took no longer
    pub(super) p50: f64,
    /// 90 % of the calls took no longer
    pub(super) p90: f64,
    /// 99 % of the calls took no longer
    pub(super) p99: f64,
}

/// Describes the agent of a log's node.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Agent {
    /// Path of the log
    pub(super) log: String,
    /// Short name of the API that answered last
    pub(super) api: String,
    /// Whether a release has a newer API
    pub(super) is_old: bool,
    /// Releases that answer like this agent; empty for an unreleased agent
    releases: String,
    /// Time of its last answer
    last_seen: Option<Timestamp>,
}

impl Summary {
    pub(super) fn new(count: Tally) -> Self {
        let mut by_command: BTreeMap<String, Vec<f64>> = BTreeMap::new();
        let mut groups = Vec::new();
        for ((command, api, code), times) in count.groups.0 {
            groups.push(Group { command: command.clone(), api, code, calls: times.len() });
            by_command.entry(command).or_default().extend(times);
        }
        let commands: Vec<_> = by_command.into_iter().map(Times::new).collect();
        let agents = count.agents.into_iter().filter_map(|(log, it)| {
            let api = it.api?;
            let releases = releases::candidates(&api, it.accepted.as_ref(), &it.refused);
            Some(Agent {
                log,
                is_old: releases::is_old(&api),
                releases: releases::range_list(&releases),
                api: short_name(&api).to_owned(),
                last_seen: it.last_seen,
            })
        });
        Self {
            calls: groups.iter().map(|group| group.calls).sum(),
            torn_lines: count.torn_lines,
            last_call: count.last_call,
            agents: agents.collect(),
            groups,
            commands,
        }
    }
}

impl Times {
    fn new((command, mut times): (String, Vec<f64>)) -> Self {
        times.sort_by(f64::total_cmp);
        Self {
            command,
            calls: times.len(),
            sum: times.iter().sum(),
            p50: percentile(&times, 50),
            p90: percentile(&times, 90),
            p99: percentile(&times, 99),
        }
    }
}

/// Returns the smallest value that `percent` of all values do not exceed.
pub(crate) fn percentile(sorted: &[f64], percent: usize) -> f64 {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or_default()
}

impl fmt::Display for Summary {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "{} calls", self.calls)?;
        if self.torn_lines > 0 {
            let lines = self.torn_lines;
            writeln!(out, "{BAD}{lines} lines are not whole{BAD:#}: was the disk full?")?;
        }
        if self.calls == 0 {
            return Ok(());
        }
        // The row has 80 columns with the longest name of an API.
        let wide =
            self.groups.iter().map(|group| plain(&group.api).len()).max().unwrap_or(0).max(10);
        writeln!(out, "\n{TITLE}command  {:<wide$} code      calls{TITLE:#}", "API")?;
        for Group { command, api, code, calls } in &self.groups {
            let style = if *code == 0 { GOOD } else { BAD };
            let (command, api) = (plain(command), plain(api));
            writeln!(out, "{command:<8} {api:<wide$} {style}{code:<4}{style:#} {calls:>10}")?;
        }
        for times in &self.commands {
            writeln!(out, "\n{times}")?;
        }
        writeln!(out, "{TITLE}agents{TITLE:#}")?;
        for Agent { log, api, is_old, releases, last_seen } in &self.agents {
            write!(out, "{}: {}", plain(log), plain(api))?;
            if *is_old {
                write!(out, " {BAD}(old: a release has a newer API){BAD:#}")?;
            }
            if !releases.is_empty() {
                write!(out, ", as antrea-agent {releases} does")?;
            }
            match last_seen {
                Some(seen) => writeln!(out, " {WEAK}(last seen {seen}){WEAK:#}")?,
                None => writeln!(out)?,
            }
        }
        Ok(())
    }
}

impl fmt::Display for Times {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { command, p50, p90, p99, .. } = self;
        let command = plain(command);
        writeln!(
            out,
            "{TITLE}{command}{TITLE:#}  p50 {p50:.3} ms  p90 {p90:.3} ms  p99 {p99:.3} ms"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_were_seen() {
        let times: Vec<f64> = (1..=200).map(f64::from).collect();
        for (percent, expected) in [(50, 100.0), (90, 180.0), (99, 198.0)] {
            assert!((percentile(&times, percent) - expected).abs() < f64::EPSILON);
        }
        assert!((percentile(&[7.0], 99) - 7.0).abs() < f64::EPSILON);
    }
}

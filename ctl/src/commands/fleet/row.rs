// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Describes a node from its outputs and logs.

use std::collections::BTreeMap;

use jiff::Timestamp;
use semver::Version;
use serde::Serialize;

use super::inputs::Inputs;
use crate::commands::check_config::PluginReport;
use crate::commands::log::event::short_name;
use crate::commands::log::summary::percentile;
use crate::commands::probe::{self, ApiReport, State};
use crate::commands::status;
use crate::releases;

/// The cniVersion that the conflist should get.
const GOAL: Version = Version::new(1, 1, 0);

/// Describes a node in a row of the answer.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    /// Name of the node
    pub name: String,
    /// Version of the plugin; `null` if it is unknown or another plugin is installed
    pub plugin: Option<String>,
    /// Whether a keeper runs
    pub keeper: Option<bool>,
    /// Whether a rollback is in force
    pub rolled_back: Option<bool>,
    /// The API that the agent serves
    pub api: Option<String>,
    /// Releases of antrea-agent that answer like this agent
    pub releases: String,
    /// The agent's release, as its `AntreaAgentInfo` says; `null` without a cluster
    pub agent_release: Option<String>,
    /// Whether a release has a newer API
    pub is_old: bool,
    /// The conflist's cniVersion
    pub list: Option<String>,
    /// Whether a Pod could be connected
    pub ready: Option<bool>,
    /// Number of calls in the log
    pub calls: usize,
    /// Number of calls that failed
    pub failed: usize,
    /// Half of the calls took no longer, in milliseconds
    pub p50: Option<f64>,
    /// 99 % of the calls took no longer, in milliseconds
    pub p99: Option<f64>,
    /// Time of the last call during which the agent was unavailable or restarted
    pub last_restart: Option<Timestamp>,
    /// DELs that no agent did yet
    pub owed: Option<usize>,
    /// Inputs that could not be read
    pub problems: Vec<String>,
    /// What `status` finds, and what `probe` says if no Pod could be connected
    pub findings: Vec<String>,
    /// What prevents cniVersion 1.1.0 in the conflist
    pub in_the_way: Vec<String>,
}

impl Row {
    pub(super) fn new(name: String, inputs: Inputs) -> Self {
        let in_the_way = obstacles(&inputs);
        let Inputs { status, probe, log, release, problems } = inputs;
        let served = probe.as_ref().and_then(|probe| {
            let served = |api: &&ApiReport| api.methods.iter().any(|it| it.state == State::Served);
            probe.apis.iter().find(served).map(|api| api.package.clone())
        });
        let seen = log.generations.last().map(|(_, package)| package.clone());
        let refused = |probe: &probe::ProbeReport| {
            let known = [Version::new(1, 0, 0), GOAL];
            known.into_iter().filter(|it| !probe.cni_versions.contains(it)).collect::<Vec<_>>()
        };
        let releases = match (&served, &probe) {
            (Some(package), Some(probe)) if !probe.cni_versions.is_empty() => {
                let accepted = probe.cni_versions.iter().max();
                releases::range_list(&releases::candidates(package, accepted, &refused(probe)))
            }
            _ => String::new(),
        };
        let package = served.or(seen);
        let mut times = log.times;
        times.sort_by(f64::total_cmp);
        let of = |percent| (!times.is_empty()).then(|| percentile(&times, percent));
        Self {
            name,
            plugin: status.as_ref().and_then(|it| it.plugin.version.clone()),
            keeper: status.as_ref().map(|it| it.keeper),
            rolled_back: status.as_ref().map(|it| it.rolled_back),
            api: package.as_deref().map(|it| short_name(it).to_owned()),
            releases,
            agent_release: release,
            is_old: package.as_deref().is_some_and(releases::is_old),
            list: status
                .as_ref()
                .and_then(|it| it.conflist.cni_version.as_ref())
                .map(ToString::to_string),
            ready: probe.as_ref().map(|it| it.ready),
            calls: times.len(),
            failed: log.failed,
            p50: of(50),
            p99: of(99),
            last_restart: log.last_restart,
            owed: status.as_ref().map(|it| it.owed),
            findings: status
                .into_iter()
                .flat_map(|it| it.findings)
                .chain(probe.filter(|it| !it.ready).map(|it| it.sentence))
                .collect(),
            problems,
            in_the_way,
        }
    }
}

/// Returns what prevents a conflist of cniVersion 1.1.0 on this node.
fn obstacles(inputs: &Inputs) -> Vec<String> {
    let mut found = Vec::new();
    match &inputs.status {
        // Why there is none is a problem of the node.
        None if !inputs.problems.is_empty() => (),
        None => found
            .push("no output of status: the other plugins of the list are not known".to_owned()),
        Some(status::StatusReport { plugin, rolled_back, conflist, .. }) => {
            if *rolled_back {
                found.push("the plugin was rolled back here".to_owned());
            } else if plugin.sha256.is_none() {
                found.push("no plugin is there".to_owned());
            } else if !plugin.is_ours {
                found.push("another plugin stands in the place of this one".to_owned());
            }
            match &conflist.unseen {
                Some(why) => found.push(format!("Multus decides which network Pods get: {why}")),
                None if conflist.taken.is_none() => {
                    found.push("the container runtime has no network configuration".to_owned());
                }
                None if !conflist.names_plugin => {
                    found.push(
                        "the runtime takes a list that does not lead to this plugin".to_owned(),
                    );
                }
                None => (),
            }
            // A plugin that could not be asked in the tool's container is not an obstacle.
            let asked = conflist.plugins.iter().filter(|it| it.not_asked.is_none());
            for PluginReport { name, versions, problem, .. } in asked {
                let knows: Vec<Version> =
                    versions.iter().filter_map(|it| it.parse().ok()).collect();
                match knows.iter().max() {
                    _ if knows.contains(&GOAL) => (),
                    Some(highest) => found.push(format!("{name} takes {highest} at most")),
                    None => found
                        .push(format!("{name}: {}", problem.as_deref().unwrap_or("no versions"))),
                }
            }
        }
    }
    match &inputs.probe {
        None if !inputs.problems.is_empty() => (),
        None => found.push("no output of probe: the agent is not known".to_owned()),
        Some(probe::ProbeReport { ready: false, sentence, .. }) => found.push(sentence.clone()),
        Some(probe::ProbeReport { cni_versions, .. }) => {
            // Of the agents that do not accept 1.0.0, some releases fail each CHECK.
            if !cni_versions.is_empty() && !cni_versions.contains(&Version::new(1, 0, 0)) {
                let which = releases::range_list(&releases::that_fail_check());
                found.push(format!("with CRI-O: this agent may fail each CHECK ({which} do)"));
            }
        }
    }
    found
}

/// Counts how often each value occurs.
pub(super) fn count_values<'a>(values: impl Iterator<Item = &'a str>) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for value in values {
        *counts.entry(value.to_owned()).or_default() += 1;
    }
    counts
}

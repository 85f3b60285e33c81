// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Reports on one configuration, and whether it is safe.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use antrea_cni::Action;
use semver::Version;
use serde::Serialize;

use super::agent_rules::ChainedPlugin;
use super::checker::{Checker, Finding, Severity};
use super::plugins::{self, PluginReport};
use super::runtime_rules;
use crate::error::Error;
use crate::json_spans::Members;
use crate::network::{HandedOn, Network};
use crate::releases::{self, Range};
use crate::style::{BAD, GOOD, TITLE, WEAK, plain};
use crate::{conflist, multus};

/// Holds the report on a configuration.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ConfigReport {
    /// Path of the file
    file: String,
    /// The file that Multus hands Pods on to; it has a report of its own
    handed_on_to: Option<PathBuf>,
    /// What is wrong with it, by position
    pub(super) findings: Vec<Finding>,
    /// The cniVersion that the plugins are called with
    pub(super) cni_version: Option<Version>,
    /// The reports of the conflist's plugins on this node; empty if they were not asked
    pub(super) plugins: Vec<PluginReport>,
    /// The agents that accept it; empty if the plugin refuses it
    agents: Vec<Range>,
    /// The agents that come with a `portmap` or `bandwidth` that refuses the conflist
    other_plugins_refuse: Vec<Range>,
    /// The agents that always fail the CHECK of such a conflist
    check_fails: Vec<Range>,
    /// Whether container runtime and plugin accept it
    accepted: bool,
    /// Whether Pods start with it: with any agent, or on this node if its plugins were asked
    safe: bool,
    /// Whether only Multus and the API server know which network Pods get
    #[serde(skip)]
    is_unseen: bool,
    /// The report on the file that Multus hands Pods on to
    #[serde(skip)]
    next: Option<Box<Self>>,
    /// The conclusion in a sentence
    verdict: String,
}

impl ConfigReport {
    pub(super) fn new(network: &Network, bytes: &[u8], name: &str) -> Self {
        let mut checker = Checker::new(&network.source, name);
        let own_version = checker.check(network, bytes);
        let refused = |checker: &Checker<'_>| checker.findings.iter().any(|it| it.refused);
        let pods = network.pod_network();
        // The findings about another file are in that file's own report.
        let next = network
            .handed_on_to()
            .map(|_| Box::new(Self::new(pods, pods.source.text.as_bytes(), name)));
        let cni_version = match network.handed_on {
            HandedOn::To(_) => next.as_ref().and_then(|it| it.cni_version.clone()),
            HandedOn::Delegates => version_of_delegate(network),
            HandedOn::Unseen(_) | HandedOn::Broken(_) => None,
            HandedOn::No => own_version,
        };
        let root = Members::parse(&pods.source.text);
        let sends_check = !root.as_ref().is_ok_and(runtime_rules::disables_check);
        if let (HandedOn::To(_) | HandedOn::Delegates, Some(version)) =
            (&network.handed_on, &cni_version)
            && let Ok(root) = Members::parse(&network.source.text)
        {
            for multus in conflist::inlined(&root).iter().filter(|it| multus::is_multus(it)) {
                checker.check_multus_version(multus, pods, version);
            }
        }
        // The plugins of another file have positions in that file.
        if next.is_none() && !refused(&checker) {
            let chain: Vec<_> = network
                .plugins()
                .into_iter()
                .map(|plugin| ChainedPlugin { at: checker.plugin_position(&plugin), plugin })
                .collect();
            checker.check_agents(&chain, cni_version.as_ref(), sends_check);
        }
        let refused = refused(&checker);
        let mut findings = checker.findings;
        findings.sort_by(|one, other| {
            let place = |it: &Finding| (it.file.clone(), it.line, it.column);
            place(one).cmp(&place(other))
        });
        let programs = network.programs(name);
        let has_others = programs.iter().any(|it| ["portmap", "bandwidth"].contains(&&**it));
        let is_checked = |version: &Version| *version >= Action::Check.rules().since && sends_check;
        let version = cni_version.as_ref().filter(|_| !refused);
        let whose_refuse = version.filter(|_| has_others).map(releases::with_plugins_that_refuse);
        let that_fail = version.filter(|it| is_checked(it)).map(|_| releases::that_fail_check());
        let is_unseen = network.unseen_reason().is_some();
        let mut report = Self {
            is_unseen,
            next,
            file: network.source.path.to_string_lossy().into_owned(),
            handed_on_to: network.handed_on_to().map(Path::to_owned),
            findings,
            plugins: Vec::new(),
            agents: if refused || is_unseen {
                Vec::new()
            } else {
                releases::by_accepted_version(version)
            },
            other_plugins_refuse: whose_refuse.unwrap_or_default(),
            check_fails: that_fail.unwrap_or_default(),
            accepted: !refused,
            safe: false,
            verdict: String::new(),
            cni_version,
        };
        report.conclude();
        report
    }

    /// Asks the network's programs in `folders`, each within `limit`. `name` is this plugin's.
    pub(super) fn ask_plugins(
        &mut self,
        network: &Network,
        name: &str,
        folders: &[PathBuf],
        limit: Duration,
    ) -> Result<(), Error> {
        let version = self.cni_version.as_ref();
        self.plugins = plugins::ask_all(&network.programs(name), folders, version, limit)?;
        self.conclude();
        Ok(())
    }

    /// Returns the findings for which the container runtime, Multus or the plugin refuses the
    /// network, each as a line; also those in the file that Multus hands Pods on to.
    pub(super) fn problems(&self) -> Vec<String> {
        let line = |it: &Finding| format!("{}:{}:{}: {}", it.file, it.line, it.column, it.message);
        let own = self.findings.iter().filter(|it| it.refused).map(line);
        own.chain(self.next.iter().flat_map(|it| it.problems())).collect()
    }

    pub(super) fn is_refused(&self) -> bool {
        self.findings.iter().any(|finding| finding.refused)
    }

    pub(super) fn is_safe(&self) -> bool {
        let is_withheld = self.findings.iter().any(|it| it.severity == Severity::Unsafe);
        !self.is_refused()
            && !is_withheld
            && self.is_next_safe()
            && self.cni_version.is_some()
            && match self.plugins.is_empty() {
                true => self.other_plugins_refuse.is_empty(),
                false => self.plugins.iter().all(|it| it.problem.is_none()),
            }
    }

    fn is_next_safe(&self) -> bool {
        self.next.as_ref().is_none_or(|it| it.is_safe())
    }

    fn conclude(&mut self) {
        self.safe = self.is_safe();
        self.verdict = self.verdict();
    }

    fn verdict(&self) -> String {
        if self.is_refused() {
            return "Not safe: correct the errors above.".to_owned();
        }
        if self.findings.iter().any(|it| it.severity == Severity::Unsafe) {
            return "Not safe: correct what is marked unsafe above.".to_owned();
        }
        if let (false, Some(next)) = (self.is_next_safe(), &self.handed_on_to) {
            return format!("Not safe: Pods get {}, which is not safe.", next.display());
        }
        if self.is_unseen {
            return "It cannot be seen here whether it is safe: Multus decides which network Pods get.".to_owned();
        }
        if let Some(one) = self.plugins.iter().find(|it| it.problem.is_some()) {
            let instead = match plugins::common_version(&self.plugins) {
                Some(version) => {
                    format!("set cniVersion to {version}, which all of them take, or ")
                }
                None => String::new(),
            };
            let PluginReport { name, .. } = one;
            return format!("Not safe on this node because of {name}: {instead}replace {name}.");
        }
        if self.agents.iter().any(|it| it.cni_version.is_none()) {
            return "No agent takes it: set cniVersion.".to_owned();
        }
        let check = match releases::range_list(&self.check_fails) {
            releases if releases.is_empty() => String::new(),
            releases => format!(
                " With CRI-O, which sends CHECK after each ADD, no Pod starts beside an agent of {releases} that is not chained: set disableCheck, or a cniVersion below 0.4.0."
            ),
        };
        if !self.is_safe() {
            let releases = releases::range_list(&self.other_plugins_refuse);
            return format!(
                "Not safe with every agent: the portmap and bandwidth that come with {releases} refuse the list; set a lower cniVersion, or see with --bin-dir what a node has.{check}"
            );
        }
        let multus = match &self.cni_version {
            Some(version) if *version < Version::new(0, 4, 0) => {
                " If Multus makes its configuration of it, Multus' own cniVersion has to be below 0.4.0, too."
            }
            _ => "",
        };
        let here = if self.plugins.is_empty() { "with any agent" } else { "on this node" };
        let unasked: Vec<_> =
            self.plugins.iter().filter(|it| it.not_asked.is_some()).map(|it| &*it.name).collect();
        let unasked = match unasked.join(", ") {
            none if none.is_empty() => none,
            some => format!(", as far as can be seen from here ({some} cannot be asked)"),
        };
        format!("Safe {here}{unasked}.{multus}{check}")
    }
}

/// Returns the cniVersion of the first delegate in Multus' configuration.
fn version_of_delegate(network: &Network) -> Option<Version> {
    let root = Members::parse(&network.source.text).ok()?;
    let multus = conflist::inlined(&root).into_iter().find(multus::is_multus)?;
    multus::delegates(&multus).first()?.string("cniVersion")?.parse().ok()
}

impl fmt::Display for ConfigReport {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, .. } = self;
        for Finding { file, line, column, severity, message, .. } in &self.findings {
            let (style, kind) = match severity {
                Severity::Error => (BAD, "error"),
                Severity::Unsafe => (BAD, "unsafe"),
                Severity::Warning => (WEAK, "warning"),
            };
            writeln!(out, "{file}:{line}:{column}: {style}{kind}:{style:#} {message}")?;
        }
        if self.is_refused() {
            return Ok(());
        }
        match &self.cni_version {
            Some(version) => writeln!(
                out,
                "{TITLE}{file}{TITLE:#}: {GOOD}accepted{GOOD:#} by the plugin, cniVersion {version}",
            )?,
            None if self.is_unseen => writeln!(out, "{TITLE}{file}{TITLE:#}: taken by Multus")?,
            None => writeln!(out, "{TITLE}{file}{TITLE:#}: no cniVersion")?,
        }
        if let Some(next) = &self.handed_on_to {
            writeln!(out, "  Multus hands Pods on to {}", next.display())?;
        }
        for PluginReport { name, versions, problem, not_asked, .. } in &self.plugins {
            match (problem, not_asked) {
                (Some(problem), _) => writeln!(out, "  {name}: {BAD}{}{BAD:#}", plain(problem))?,
                (None, Some(why)) => {
                    writeln!(out, "  {name}: {WEAK}cannot be asked here{WEAK:#}: {}", plain(why))?;
                }
                (None, None) => writeln!(
                    out,
                    "  {name}: {GOOD}takes it{GOOD:#}, up to {}",
                    versions.last().map_or("", |it| it)
                )?,
            }
        }
        for Range { first, last, releases, cni_version } in &self.agents {
            let how = match cni_version {
                None => format!("{BAD}refuse it{BAD:#}"),
                Some(version) if Some(version) == self.cni_version.as_ref() => {
                    format!("{GOOD}accept it{GOOD:#}")
                }
                Some(version) => format!("{GOOD}are asked in {version}{GOOD:#}"),
            };
            let count = format!("({releases} releases)");
            writeln!(out, "  antrea-agent {first:<8} to {last:<8} {count:<14} {how}")?;
        }
        writeln!(out, "{}", self.verdict)
    }
}

//! What is to be said of one configuration, and whether it is safe.

use std::fmt;
use std::path::Path;
use std::time::Duration;

use antrea_cni::Action;
use semver::Version;
use serde::Serialize;

use super::findings::{Checker, Finding};
use super::node::{self, Asked};
use super::runtime;
use crate::document::Members;
use crate::error::Error;
use crate::net_d;
use crate::releases::{self, Range};
use crate::text::{BAD, GOOD, TITLE, WEAK, plain};

/// What is to be said of a configuration.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Report {
    file: String,
    pub(super) findings: Vec<Finding>,
    /// The version that the plugins are called with
    pub(super) cni_version: Option<Version>,
    /// What the plugins of the list say on this node; empty if they were not asked
    pub(super) plugins: Vec<Asked>,
    /// Which agents accept it; empty if the plugin refuses it
    agents: Vec<Range>,
    /// With which agents a `portmap` or `bandwidth` comes that refuses the list
    other_plugins_refuse: Vec<Range>,
    /// Which agents always fail the CHECK that such a list brings
    check_fails: Vec<Range>,
    /// Whether runtime and plugin read it
    accepted: bool,
    /// Whether Pods start with it: with any agent, or on this node where its plugins were asked
    safe: bool,
    /// What to make of it
    verdict: String,
}

impl Report {
    pub(super) fn of(file: &Path, bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes);
        let mut checker = Checker { text: &text, findings: Vec::new() };
        let cni_version = checker.check(file, bytes);
        let mut findings = checker.findings;
        findings.sort_by_key(|finding| (finding.line, finding.column));
        let refused = findings.iter().any(|finding| finding.refused);
        let types = net_d::types(bytes);
        let has_others = types.iter().any(|name| ["portmap", "bandwidth"].contains(&&**name));
        let is_checked = |version: &Version| {
            let is_off = Members::read(&text).is_ok_and(|root| runtime::disables_check(&root));
            *version >= Action::Check.rules().since && !is_off
        };
        let version = cni_version.as_ref().filter(|_| !refused);
        let whose_refuse = version.filter(|_| has_others).map(releases::whose_plugins_refuse);
        let that_fail = version.filter(|it| is_checked(it)).map(|_| releases::that_fail_check());
        let mut report = Self {
            file: file.to_string_lossy().into_owned(),
            findings,
            plugins: Vec::new(),
            agents: if refused { Vec::new() } else { releases::table(version) },
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

    /// Asks the plugins of the list in a folder, each within `limit`.
    pub(super) fn ask(
        &mut self,
        bytes: &[u8],
        folder: &Path,
        limit: Duration,
    ) -> Result<(), Error> {
        let types = net_d::types(bytes);
        self.plugins = node::ask(&types, folder, self.cni_version.as_ref(), limit)?;
        self.conclude();
        Ok(())
    }

    fn is_refused(&self) -> bool {
        self.findings.iter().any(|finding| finding.refused)
    }

    pub(super) fn is_safe(&self) -> bool {
        !self.is_refused()
            && self.cni_version.is_some()
            && match self.plugins.is_empty() {
                true => self.other_plugins_refuse.is_empty(),
                false => self.plugins.iter().all(|it| it.problem.is_none()),
            }
    }

    fn conclude(&mut self) {
        self.safe = self.is_safe();
        self.verdict = self.sentence();
    }

    fn sentence(&self) -> String {
        if self.is_refused() {
            return "Not safe: correct the errors above.".to_owned();
        }
        if let Some(one) = self.plugins.iter().find(|it| it.problem.is_some()) {
            let instead = match node::common(&self.plugins) {
                Some(version) => {
                    format!("set cniVersion to {version}, which all of them take, or ")
                }
                None => String::new(),
            };
            let Asked { name, .. } = one;
            return format!("Not safe on this node because of {name}: {instead}replace {name}.");
        }
        if self.agents.iter().any(|it| it.cni_version.is_none()) {
            return "No agent takes it: set cniVersion.".to_owned();
        }
        let check = match releases::text(&self.check_fails) {
            releases if releases.is_empty() => String::new(),
            releases => format!(
                " With CRI-O, which sends CHECK after each ADD, no Pod starts beside an agent of {releases} that is not chained: set disableCheck, or a cniVersion below 0.4.0."
            ),
        };
        if !self.is_safe() {
            let releases = releases::text(&self.other_plugins_refuse);
            return format!(
                "Not safe with every agent: the portmap and bandwidth that come with {releases} refuse the list; set a lower cniVersion, or see with --bin-dir what a node has.{check}"
            );
        }
        let here = if self.plugins.is_empty() { "with any agent" } else { "on this node" };
        format!("Safe {here}.{check}")
    }
}

impl fmt::Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, .. } = self;
        for Finding { line, column, refused, message } in &self.findings {
            let (style, kind) = if *refused { (BAD, "error") } else { (WEAK, "warning") };
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
            None => writeln!(out, "{TITLE}{file}{TITLE:#}: no cniVersion")?,
        }
        for Asked { name, versions, problem, .. } in &self.plugins {
            match problem {
                Some(problem) => writeln!(out, "  {name}: {BAD}{}{BAD:#}", plain(problem))?,
                None => writeln!(
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

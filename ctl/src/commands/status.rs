// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Implements `status`: shows what is installed on a node, without a call to the agent.

use std::fmt;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use semver::Version;
use serde::{Deserialize, Serialize};
use tokio::runtime::Builder;

use crate::cli::Status;
use crate::commands::check_config::{self, Judgement, PluginReport};
use crate::commands::install::state::{self, Intent, sha256};
use crate::commands::owed;
use crate::commands::settings::InForce;
use crate::error::{Error, Exit};
use crate::staged_record::StagedRecord;
use crate::style::{BAD, TITLE, plain};
use crate::{files, network, output, plugin_check};

pub(crate) fn run(arguments: &Status, out: &mut impl Write) -> Result<Exit, Error> {
    let report = StatusReport::collect(arguments)?;
    output::answer(out, arguments.output, &report)?;
    let is_good = report.findings.is_empty();
    Ok(if is_good { Exit::Success } else { Exit::Failure })
}

/// Describes what is installed. Keys that came after version 0.1.0 may be absent in what is read.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct StatusReport {
    /// The file in the place of the plugin
    pub(crate) plugin: Plugin,
    /// Whether `uninstall` and `rollback` would restore a file
    kept: Kept,
    /// Whether a keeper runs
    pub(crate) keeper: bool,
    /// Whether a rollback is in force
    pub(crate) rolled_back: bool,
    /// Files that are not what Antrea's installer staged last; `null` if it writes to the node
    #[serde(default)]
    changed_since_staged: Option<Vec<PathBuf>>,
    /// The network configuration that the container runtime uses
    pub(crate) conflist: Conflist,
    /// The document of `settings --output json`
    settings: InForce,
    /// Number of owed DELs
    #[serde(default)]
    pub(crate) owed: usize,
    /// Problems; the command succeeds if there are none
    #[serde(default)]
    pub(crate) findings: Vec<String>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Plugin {
    /// Path of the file
    path: PathBuf,
    /// The version that it prints; `null` if the file is not this plugin
    pub(crate) version: Option<String>,
    /// SHA-256 of the file; `null` if nothing is there
    pub(crate) sha256: Option<String>,
    /// Whether this tool installed a plugin and did not uninstall it since
    #[serde(default)]
    is_installed: bool,
    /// Whether it is the plugin that was installed last
    pub(crate) is_ours: bool,
    /// Whether it answers VERSION
    answers: bool,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Kept {
    /// Whether `uninstall` would restore a file
    original: bool,
    /// Whether `rollback` would restore a file
    before: bool,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Conflist {
    /// The file that the container runtime uses
    pub(crate) taken: Option<PathBuf>,
    /// The file that Multus hands Pods on to
    handed_on_to: Option<PathBuf>,
    /// Why the tool cannot see which network Multus gives Pods
    pub(crate) unseen: Option<String>,
    /// Whether the plugin connects its Pods
    pub(crate) names_plugin: bool,
    /// The cniVersion that its plugins are called with
    pub(crate) cni_version: Option<Version>,
    /// The report of each plugin
    #[serde(default)]
    pub(crate) plugins: Vec<PluginReport>,
}

impl StatusReport {
    fn collect(arguments: &Status) -> Result<Self, Error> {
        let place = &arguments.place;
        let folder = state::folder(place)?;
        let path = place.plugin()?;
        let bytes = files::read_regular(&path).ok();
        let installed = files::read_if_exists(&folder.join("installed"))?;
        let runtime = Builder::new_current_thread().enable_all().build().map_err(Error::Runtime)?;
        let plugin = Plugin {
            version: runtime
                .block_on(plugin_check::ask_about(&path))
                .as_deref()
                .and_then(parse_version),
            sha256: bytes.as_deref().map(sha256),
            is_installed: installed.is_some(),
            is_ours: bytes.is_some() && bytes == installed,
            answers: runtime.block_on(plugin_check::works(&path, plugin_check::STATUS_LIMIT)),
            path,
        };
        let is_kept = |name: &str| fs::symlink_metadata(folder.join(name)).is_ok();
        let kept = Kept {
            original: is_kept("original"),
            before: is_kept("before-install") || is_kept("before-restore"),
        };
        let intent =
            File::open(folder.join("lock")).map_or(Intent::None, |lock| Intent::read_from(&lock));
        let (taken, network) = network::taken(&place.conf_dir()).unzip();
        let unreadable = match (&taken, &network) {
            (Some(path), Some(Err(error))) => {
                vec![format!("cannot read {}: {error}", path.display())]
            }
            _ => Vec::new(),
        };
        let network = network.and_then(Result::ok);
        let names_plugin = network.as_ref().is_some_and(|it| it.leads_to(&place.name));
        let Judgement { cni_version, plugins, problems } = match &network {
            Some(network) => check_config::judge(
                network,
                &place.name,
                &place.bin_dirs(),
                plugin_check::STATUS_LIMIT,
            )?,
            None => Judgement { problems: unreadable, ..Judgement::default() },
        };
        let conflist = Conflist {
            handed_on_to: network.as_ref().and_then(|it| it.handed_on_to().map(Path::to_owned)),
            unseen: network.as_ref().and_then(|it| it.unseen_reason().map(ToOwned::to_owned)),
            cni_version,
            plugins,
            names_plugin,
            taken,
        };
        let keeper = state::keeper_runs(&folder);
        let rolled_back = installed.is_some_and(|bytes| intent.is_rolled_back(&bytes))
            || matches!(&intent, Intent::RolledBack(off) if plugin.sha256.as_ref() != Some(off));
        let changed_since_staged = StagedRecord::read(&folder).map(|it| {
            [it.changed_programs(place.bin_dir()), it.changed_lists(&place.conf_dir())].concat()
        });
        let settings = InForce::for_place(place)?;
        let owed = owed::count(&settings.in_force.socket);
        let mut report = Self {
            plugin,
            kept,
            keeper,
            rolled_back,
            changed_since_staged,
            conflist,
            settings,
            owed,
            findings: Vec::new(),
        };
        report.findings = report.find_problems(problems);
        Ok(report)
    }

    /// Returns what prevents the plugin from connecting the node's Pods. After a rollback the
    /// earlier plugin is not a finding, because a person wants it.
    fn find_problems(&self, of_network: Vec<String>) -> Vec<String> {
        let Self { plugin, conflist, .. } = self;
        let wanted = !self.rolled_back;
        let mut findings = Vec::new();
        let mut find = |is: bool, what: String| findings.extend(is.then_some(what));
        let path = plugin.path.display();
        let replaced = match plugin.is_installed {
            true => format!("{path} is not what was installed last: install it again"),
            false => format!("nothing was installed as {path}: install the plugin"),
        };
        find(wanted && !plugin.is_ours, replaced);
        find(
            wanted && plugin.is_ours && !plugin.answers,
            format!("{path} does not answer VERSION: install it again"),
        );
        find(
            wanted && self.settings.refuses_add(),
            "each ADD ends with code 7: correct the settings below".to_owned(),
        );
        if let Some(taken) = &conflist.taken {
            // What cannot be read leads nowhere, and settings that are refused may name another
            // folder.
            let is_read = of_network.is_empty() && !self.settings.refuses_add();
            let is_other = is_read && !conflist.names_plugin && conflist.unseen.is_none();
            let taken = taken.display();
            find(
                is_other,
                format!(
                    "Pods bypass Antrea: {taken} does not lead to this plugin; see check-config"
                ),
            );
        }
        findings.extend(of_network);
        findings
    }
}

/// Returns the version in the text that this plugin prints about itself.
fn parse_version(about: &str) -> Option<String> {
    let version = about.strip_prefix("antrea-cni ")?.split([',', ' ', '\n']).next()?;
    Some(version.to_owned())
}

impl fmt::Display for StatusReport {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { plugin, kept, keeper, rolled_back, conflist, settings, owed, findings, .. } =
            self;
        let mut row = |title: &str, text: String| {
            writeln!(out, "{TITLE}{title:<10}{TITLE:#} {}", plain(&text))
        };
        let path = plugin.path.display();
        let what = match (&plugin.version, &plugin.sha256) {
            (Some(version), Some(sum)) => format!("{path}: antrea-cni {version}, sha256 {sum}"),
            (None, Some(sum)) => format!("{path}: another plugin, sha256 {sum}"),
            _ => format!("{path}: nothing is there"),
        };
        row("plugin", what)?;
        let is =
            |yes: bool, text: &str, no: &str| if yes { text.to_owned() } else { no.to_owned() };
        let no = match plugin.is_installed {
            true => "no: not what was installed last",
            false => "no: this tool has installed nothing here",
        };
        row("ours", is(plugin.is_ours, "yes", no))?;
        row("answers", is(plugin.answers, "yes", "no: it does not answer VERSION"))?;
        row("keeper", is(*keeper, "runs", "none"))?;
        row("rollback", is(*rolled_back, "in force: the previous plugin is there", "none"))?;
        row(
            "kept",
            match (kept.original, kept.before) {
                (true, true) => "for uninstall and for rollback".to_owned(),
                (true, false) => "for uninstall".to_owned(),
                (false, true) => "for rollback".to_owned(),
                (false, false) => "nothing".to_owned(),
            },
        )?;
        row(
            "conflist",
            match (&conflist.taken, &conflist.handed_on_to, &conflist.unseen) {
                (None, ..) => "none".to_owned(),
                (Some(path), _, Some(why)) => {
                    format!("{}: Multus decides which network Pods get: {why}", path.display())
                }
                (Some(path), next, None) => {
                    let next = next.as_ref().map(|it| format!(", by Multus to {}", it.display()));
                    let next = next.unwrap_or_default();
                    match conflist.names_plugin {
                        true => format!("{}{next}", path.display()),
                        false => {
                            format!("{}{next}: it does not lead to this plugin", path.display())
                        }
                    }
                }
            },
        )?;
        if let Some(changed) = &self.changed_since_staged {
            let names: Vec<_> = changed.iter().map(|it| it.display().to_string()).collect();
            let since = match names.is_empty() {
                true => "nothing changed since".to_owned(),
                false => format!("changed since: {}", names.join(", ")),
            };
            row("staged", format!("Antrea's installer writes into staging folders; {since}"))?;
        }
        row("owed", format!("{owed} DELs that no agent did yet"))?;
        findings.iter().try_for_each(|it| writeln!(out, "{BAD}finding{BAD:#}    {}", plain(it)))?;
        writeln!(out)?;
        write!(out, "{settings}")
    }
}

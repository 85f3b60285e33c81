//! What runtime and plugin would refuse about a configuration, what the other plugins of
//! the list say on this node, and which agents accept the rest.

mod checker;
mod findings;
mod node;
mod runtime;

use std::fmt;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use antrea_cni::Action;
use antrea_cni::input::settings::Origin;
use antrea_cni::input::{Settings, node_settings};
use semver::Version;
use serde::Serialize;
use serde_json::value::RawValue;

use self::checker::{TYPE, is_ours};
use self::findings::{Checker, Finding};
pub(crate) use self::node::Asked;
use crate::cli::CheckConfig;
use crate::document::Members;
use crate::error::{Error, Exit};
use crate::releases::{self, Range};
use crate::text::{BAD, GOOD, TITLE, WEAK, plain};
use crate::{net_d, output};

/// The command `check-config`.
pub(crate) fn run(arguments: &CheckConfig, out: &mut impl Write) -> Result<Exit, Error> {
    let (mut exit, mut unread) = (Exit::Success, None);
    for path in arguments.files.iter().flat_map(|path| Source::of(path)) {
        if let Source::Folder { path, files } = &path {
            output::answer(out, arguments.output, &Folder::of(path, files))?;
            continue;
        }
        let Source::File(path) = path else { continue };
        let mut bytes = Vec::new();
        let read = if path == Path::new("-") {
            std::io::stdin().read_to_end(&mut bytes)
        } else {
            std::fs::File::open(&path).and_then(|mut file| file.read_to_end(&mut bytes))
        };
        if let Err(error) = read {
            // The others are checked all the same.
            let error = Error::file("read", &path)(error);
            output::warn(plain(&error.to_string()));
            unread = Some(Exit::Unreadable);
            continue;
        }
        let mut report = Report::of(&path, &bytes);
        if let Some(folder) = &arguments.bin_dir {
            report.ask(&bytes, folder)?;
        }
        if !report.is_safe() {
            exit = Exit::Failure;
        }
        output::answer(out, arguments.output, &report)?;
    }
    Ok(unread.unwrap_or(exit))
}

/// What an argument leads to.
enum Source {
    File(PathBuf),
    Folder { path: PathBuf, files: Vec<PathBuf> },
}

impl Source {
    fn of(path: &Path) -> Vec<Self> {
        if !path.is_dir() {
            return vec![Self::File(path.to_owned())];
        }
        let files = net_d::files(path);
        let folder = Self::Folder { path: path.to_owned(), files: files.clone() };
        std::iter::once(folder).chain(files.into_iter().map(Self::File)).collect()
    }
}

/// What is wrong, each as a line; for the installer. Plugins that are not there may come
/// later.
pub(crate) fn problems(
    path: &Path,
    bytes: &[u8],
    bin_dir: &Path,
    name: &str,
) -> Result<Vec<String>, Error> {
    let mut report = Report::of(path, bytes);
    report.ask(bytes, bin_dir)?;
    let refused = report.findings.iter().filter(|finding| finding.refused);
    let asked = report.plugins.iter().filter(|it| it.is_there && it.name != name);
    let others = asked.filter_map(|it| Some(format!("{}: {}", it.name, it.problem.as_ref()?)));
    Ok(refused
        .map(|it| format!("{}:{}: {}", it.line, it.column, it.message))
        .chain(others)
        .collect())
}

/// The version that a list's plugins are called with, and what they say to it in a folder.
pub(crate) fn on_node(
    path: &Path,
    bytes: &[u8],
    bin_dir: &Path,
) -> Result<(Option<Version>, Vec<Asked>), Error> {
    let mut report = Report::of(path, bytes);
    report.ask(bytes, bin_dir)?;
    Ok((report.cni_version, report.plugins))
}

/// The settings in force with a valid configuration, on a node with this file.
pub(crate) fn settings(bytes: &[u8], node: &Path) -> Settings {
    let mut settings = Settings::default();
    node_settings::read(node, &mut settings);
    let text = String::from_utf8_lossy(bytes);
    if let Some(value) = own_settings(&text) {
        settings.apply(value, Origin::Configuration);
    }
    settings
}

/// The settings in the entry of the plugin.
pub(crate) fn own_settings(text: &str) -> Option<&RawValue> {
    let plugins = net_d::plugins(&Members::read(text).ok()?);
    let plugin = plugins.into_iter().find(is_ours)?;
    plugin.get(Settings::KEY).map(|it| it.value)
}

/// Which file of a folder a runtime takes.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Folder {
    folder: PathBuf,
    /// The first by name
    taken: Option<PathBuf>,
    /// The first that leads to the plugin
    antrea: Option<PathBuf>,
}

impl Folder {
    fn of(folder: &Path, files: &[PathBuf]) -> Self {
        let taken = files.first().cloned();
        Self { folder: folder.to_owned(), taken, antrea: net_d::naming(folder, TYPE) }
    }
}

impl fmt::Display for Folder {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let folder = self.folder.display();
        let Some(taken) = &self.taken else {
            return writeln!(out, "{TITLE}{folder}{TITLE:#}: nothing that a runtime reads");
        };
        let name = taken.file_name().unwrap_or_default().display();
        writeln!(
            out,
            "{TITLE}{folder}{TITLE:#}: the runtime takes {name}, whose name comes first"
        )?;
        match &self.antrea {
            Some(antrea) if antrea == taken => Ok(()),
            Some(antrea) => {
                let own = antrea.file_name().unwrap_or_default().display();
                writeln!(
                    out,
                    "  {BAD}{own} is never read{BAD:#}: {name} comes before it; remove or rename that"
                )
            }
            None => {
                writeln!(out, "  {WEAK}none of them leads to a plugin of type {TYPE:?}{WEAK:#}")
            }
        }
    }
}

/// What is to be said of a configuration.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    file: String,
    findings: Vec<Finding>,
    /// The version that the plugins are called with
    cni_version: Option<Version>,
    /// What the plugins of the list say on this node; empty if they were not asked
    plugins: Vec<Asked>,
    /// Which agents accept it; empty if the plugin refuses it
    agents: Vec<Range>,
    /// With which agents a `portmap` or `bandwidth` comes that refuses the list
    other_plugins_refuse: Vec<Range>,
    /// Which agents always fail the CHECK that such a list brings
    check_fails: Vec<Range>,
    /// What to make of it
    verdict: String,
}

impl Report {
    fn of(file: &Path, bytes: &[u8]) -> Self {
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
            *version >= Action::Check.since() && !is_off
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
            verdict: String::new(),
            cni_version,
        };
        report.conclude();
        report
    }

    /// Asks the plugins of the list in a folder.
    fn ask(&mut self, bytes: &[u8], folder: &Path) -> Result<(), Error> {
        self.plugins = node::ask(&net_d::types(bytes), folder, self.cni_version.as_ref())?;
        self.conclude();
        Ok(())
    }

    fn is_refused(&self) -> bool {
        self.findings.iter().any(|finding| finding.refused)
    }

    fn is_safe(&self) -> bool {
        !self.is_refused()
            && self.cni_version.is_some()
            && match self.plugins.is_empty() {
                true => self.other_plugins_refuse.is_empty(),
                false => self.plugins.iter().all(|it| it.problem.is_none()),
            }
    }

    fn conclude(&mut self) {
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

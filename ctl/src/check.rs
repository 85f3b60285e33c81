//! What the plugin would refuse about a configuration, all of it and where;
//! and which agents accept the rest.

use std::fmt;
use std::io::{Read, Write};
use std::path::Path;

use antrea_cni::input::settings::Origin;
use antrea_cni::input::stdin::MAX_BYTES;
use antrea_cni::input::version::NEWEST;
use antrea_cni::input::{Call, CmdArgs, Configuration, Settings, node_settings};
use antrea_cni::{Action, Command};
use semver::Version;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::cli::CheckConfig;
use crate::document::{Member, Members, Position};
use crate::error::{Error, Exit};
use crate::output;
use crate::releases::{self, Range};
use crate::text::{BAD, GOOD, TITLE, WEAK};

/// The `type` of the plugin in Antrea's own configuration.
const TYPE: &str = "antrea";

/// The command `check-config`.
pub(crate) fn run(arguments: &CheckConfig, out: &mut impl Write) -> Result<Exit, Error> {
    let mut exit = Exit::Success;
    for path in &arguments.files {
        let mut bytes = Vec::new();
        let read = if path == Path::new("-") {
            std::io::stdin().read_to_end(&mut bytes)
        } else {
            std::fs::File::open(path).and_then(|mut file| file.read_to_end(&mut bytes))
        };
        read.map_err(Error::file("read", path))?;
        let report = Report::of(&path.to_string_lossy(), &bytes);
        if report.is_refused() {
            exit = Exit::Failure;
        }
        output::answer(out, arguments.output, &report)?;
    }
    Ok(exit)
}

/// What the plugin would refuse, each as a line; for the installer.
pub(crate) fn problems(bytes: &[u8]) -> Vec<String> {
    let report = Report::of("", bytes);
    let refused = report.findings.iter().filter(|finding| finding.refused);
    refused.map(|it| format!("{}:{}: {}", it.line, it.column, it.message)).collect()
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
    let plugins = plugins(&Members::read(text).ok()?);
    let plugin = plugins.into_iter().find(|plugin| is_ours(plugin))?;
    plugin.get(Settings::KEY).map(|it| it.value)
}

/// What is to be said of a configuration.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    file: String,
    findings: Vec<Finding>,
    cni_version: Option<Version>,
    /// Which agents accept it; empty if the plugin refuses it
    agents: Vec<Range>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Finding {
    line: usize,
    column: usize,
    /// Whether the plugin refuses the configuration because of it
    refused: bool,
    message: String,
}

impl Report {
    fn of(file: &str, bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes);
        let mut checker = Checker { text: &text, findings: Vec::new() };
        let cni_version = checker.check(bytes);
        let mut findings = checker.findings;
        findings.sort_by_key(|finding| (finding.line, finding.column));
        let refused = findings.iter().any(|finding| finding.refused);
        let agents = if refused { Vec::new() } else { releases::table(cni_version.as_ref()) };
        Self { file: file.to_owned(), findings, cni_version, agents }
    }

    fn is_refused(&self) -> bool {
        self.findings.iter().any(|finding| finding.refused)
    }
}

/// The plugins of a list, or the one that the document is.
fn plugins<'a>(root: &Members<'a>) -> Vec<Members<'a>> {
    match root.get("plugins") {
        Some(list) => list.elements().into_iter().filter_map(|it| Members::of(it).ok()).collect(),
        None => vec![root.clone()],
    }
}

fn is_ours(plugin: &Members<'_>) -> bool {
    plugin.text("type").as_deref() == Some(TYPE)
}

struct Checker<'a> {
    text: &'a str,
    findings: Vec<Finding>,
}

impl<'a> Checker<'a> {
    fn refuse(&mut self, at: Position, message: impl fmt::Display) {
        let (line, column) = at.line_and_column(self.text);
        let message = message.to_string();
        self.findings.push(Finding { line, column, refused: true, message });
    }

    fn warn(&mut self, at: Position, message: impl fmt::Display) {
        self.refuse(at, message);
        if let Some(finding) = self.findings.last_mut() {
            finding.refused = false;
        }
    }

    /// Finds what is wrong; the configuration's version if it has a valid one.
    fn check(&mut self, bytes: &[u8]) -> Option<Version> {
        let text = self.text;
        if bytes.len() as u64 > MAX_BYTES {
            self.refuse(Position::START, format!("over {MAX_BYTES} bytes: shorten it"));
            return None;
        }
        let root = match Members::read(text) {
            Ok(root) => root,
            Err(error) => {
                let at = Position::of_error(text, &error);
                self.refuse(at, format!("not a JSON object: {}", without_position(&error)));
                return None;
            }
        };
        self.name(&root);
        let cni_version = self.cni_version(&root);
        let is_list = root.get("plugins").is_some();
        let plugins = plugins(&root);
        for plugin in &plugins {
            match plugin.get(Settings::KEY) {
                Some(settings) if is_ours(plugin) || !is_list => self.settings(settings),
                Some(settings) => self.warn(
                    Position::of(text, settings.value),
                    format!("{} is read only from the plugin of type {TYPE:?}", Settings::KEY),
                ),
                None => (),
            }
        }
        if is_list && let Some(settings) = root.get(Settings::KEY) {
            let message = format!("{} belongs into the plugin, not beside them", Settings::KEY);
            self.warn(Position::of(text, settings.value), message);
        }
        if !plugins.iter().any(is_ours) {
            self.warn(Position::START, format!("no plugin of type {TYPE:?}, as Antrea's is"));
        }
        // What the parts above do not show, such as a key in another case.
        if self.findings.iter().all(|finding| !finding.refused)
            && let Err(error) = whole(bytes)
        {
            self.refuse(Position::START, error);
        }
        cni_version
    }

    /// The plugin's own judgement of a value, alone in a small configuration.
    fn judge(&mut self, json: &str) -> Result<Option<Version>, antrea_cni::input::Error> {
        Configuration::parse(json.as_bytes())?.cni_version(Action::Add)
    }

    fn name(&mut self, root: &Members<'a>) {
        let name = root.get("name");
        let value = name.map_or("null", |it| it.value.get());
        if let Err(error) = self.judge(&format!(r#"{{"name":{value},"cniVersion":"{NEWEST}"}}"#)) {
            self.refuse(self.position(name), error);
        }
    }

    fn cni_version(&mut self, root: &Members<'a>) -> Option<Version> {
        let version = root.get("cniVersion");
        let value = version.map_or("null", |it| it.value.get());
        match self.judge(&format!(r#"{{"name":"x","cniVersion":{value}}}"#)) {
            Ok(None) => {
                let message = "no cniVersion: every agent refuses that; set one";
                self.warn(self.position(version), message);
                None
            }
            Ok(version) => version,
            Err(error) => {
                let supported = antrea_cni::input::version::list();
                let message = format!("{error}: {value} is none of {supported}");
                self.refuse(self.position(version), message);
                None
            }
        }
    }

    fn settings(&mut self, settings: &Member<'a>) {
        if settings.value.get() == "null" {
            return;
        }
        let Ok(members) = Members::of(settings.value) else {
            if let Err(error) = Settings::parse(settings.value) {
                self.refuse(Position::of(self.text, settings.value), error);
            }
            return;
        };
        for member in members.iter() {
            let alone = crate::document::object(&member.name, member.value);
            if let Err(error) = Settings::parse(&alone) {
                self.refuse(Position::of(self.text, member.value), error);
            }
        }
    }

    fn position(&self, member: Option<&Member<'a>>) -> Position {
        member.map_or(Position::START, |it| Position::of(self.text, it.value))
    }
}

/// Everything at once, each plugin as the runtime hands it over: with name and
/// version of the list.
fn whole(bytes: &[u8]) -> Result<(), antrea_cni::input::Error> {
    let args = CmdArgs { stdin_data: bytes.to_vec(), ..CmdArgs::default() };
    Call::check(&Command::from(Action::Add), args).map(drop).map_err(|refused| refused.error)
}

fn without_position(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.split(" at line ").next().unwrap_or_default().to_owned()
}

impl fmt::Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Finding { line, column, refused, message } in &self.findings {
            let (style, kind) = if *refused { (BAD, "error") } else { (WEAK, "warning") };
            let Self { file, .. } = self;
            writeln!(out, "{file}:{line}:{column}: {style}{kind}:{style:#} {message}")?;
        }
        if self.is_refused() {
            return Ok(());
        }
        match &self.cni_version {
            Some(version) => writeln!(
                out,
                "{TITLE}{}{TITLE:#}: {GOOD}accepted{GOOD:#} by the plugin, cniVersion {version}",
                self.file
            )?,
            None => writeln!(out, "{TITLE}{}{TITLE:#}: no cniVersion", self.file)?,
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
        Ok(())
    }
}

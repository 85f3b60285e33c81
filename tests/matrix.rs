// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! The plugin against every release of the agent, and agents that do not exist
//! yet: `cargo test --test matrix`.
//!
//! Each cell runs the plugin as a process and compares exit status, standard
//! output and the exact sequence of gRPC paths that the agent saw with a model
//! that is written from the rules, not from the plugin's code. Writes
//! `docs/version-matrix.md`, which has to be current (`UPDATE=1` makes it so),
//! and `target/version-matrix.html`.
//!
//! Releases that serve the same API, accept the same versions and answer CHECK alike are the
//! same agent here, so one of them is called for all. `MATRIX=whole` calls each.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test program"
)]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::sync::{Arc, Mutex};

use antrea_cni_agent::{Action, Agent, Api, Options, path, servable};
use antrea_cni_test_support::{Case, check_file, plugin, run_cases};
use serde_json::{Value, json};

const RELEASES: &str = include_str!("fixtures/antrea-releases.csv");
const HTML: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/target/version-matrix.html");

const VERSIONS: [&str; 8] = ["", "0.1.0", "0.2.0", "0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"];

/// A release of the agent, or one that may come.
struct Release {
    name: String,
    apis: Vec<Api>,
    without: Vec<String>,
    accepts: Vec<String>,
}

impl Release {
    /// Whether the reference agent is set up alike for both.
    fn behaves_as(&self, other: &Self) -> bool {
        (&self.apis, &self.without, &self.accepts, self.fails_check())
            == (&other.apis, &other.without, &other.accepts, other.fails_check())
    }

    /// v0.9.0 to v1.10.1 answer every CHECK with "unknown device type veth", as was
    /// seen of them.
    fn fails_check(&self) -> bool {
        let release = self.name.trim_start_matches('v').parse::<semver::Version>();
        release.is_ok_and(|it| {
            it >= semver::Version::new(0, 9, 0) && it <= semver::Version::new(1, 10, 1)
        })
    }
}

/// What a call has to come to.
#[derive(Clone, Debug, PartialEq)]
struct Expected {
    /// `None` for success, else the code of the error
    code: Option<u64>,
    /// The version of the document on standard output, if there is one
    label: Option<String>,
    paths: Vec<String>,
}

fn releases() -> Vec<Release> {
    let mut releases: Vec<_> = RELEASES
        .lines()
        .skip(1)
        .map(|line| {
            let fields: Vec<_> = line.split(',').collect();
            let api = servable().into_iter().find(|api| api.package == fields[2]).unwrap();
            Release {
                name: fields[0].to_owned(),
                apis: vec![api],
                without: Vec::new(),
                accepts: fields[5].split(' ').map(str::to_owned).collect(),
            }
        })
        .collect();
    assert_eq!(releases.len(), 114);
    let all: Vec<String> = VERSIONS[1..].iter().map(ToString::to_string).collect();
    for (name, apis, without) in [
        ("v1 alone", vec![Api::V1], None),
        ("v1 and v1beta1", vec![Api::V1, Api::V1BETA1], None),
        ("v1 without GC", vec![Api::V1, Api::V1BETA1], Some("v1.CmdGC")),
        ("v1 without STATUS", vec![Api::V1, Api::V1BETA1], Some("v1.CmdStatus")),
        ("v1 without STATUS, v1beta1", vec![Api::V1, Api::V1BETA1], Some("v1.CmdStatus v1.CmdAdd")),
        ("no API of this plugin", vec![], None),
        ("every API", servable(), None),
    ] {
        releases.push(Release {
            name: name.to_owned(),
            apis,
            without: without.unwrap_or_default().split(' ').map(str::to_owned).collect(),
            accepts: all.clone(),
        });
    }
    releases
}

/// The rules: which calls are made for a command, and how it ends.
fn model(
    release: &Release,
    action: Action,
    version: &str,
    refuses: bool,
    translates: bool,
) -> Expected {
    let command = action.name();
    let label = if version.is_empty() { "0.1.0" } else { version };
    let order = |version: &str| VERSIONS.iter().position(|known| *known == version).unwrap();
    let failure = |code, paths| Expected { code: Some(code), label: Some(label.to_owned()), paths };
    let success = |paths| {
        let label = (command == "ADD").then(|| label.to_owned());
        Expected { code: None, label, paths }
    };

    // Refused before anything is sent: the command came later than the version.
    let least = match command {
        "CHECK" => "0.4.0",
        "GC" | "STATUS" => "1.1.0",
        _ => "",
    };
    if order(version) < order(least) {
        return failure(1, Vec::new());
    }

    // Newest first, on UNIMPLEMENTED to the next that has the method at all.
    let mut paths = Vec::new();
    let container_command = ["ADD", "CHECK", "DEL"].contains(&command);
    for api in Api::ALL {
        let Some(method) = (api.method)(action) else { continue };
        let path = path(api, action);
        paths.push(path.clone());
        let left_out = release.without.contains(&format!("{}.{}", api.name, method.name));
        if !release.apis.contains(api) || left_out {
            continue;
        }
        if refuses {
            return failure(101, paths);
        }
        if action == Action::Check && release.fails_check() {
            return failure(103, paths);
        }
        let accepts = |version: &str| release.accepts.iter().any(|accepted| accepted == version);
        if accepts(version) {
            return success(paths);
        }
        // The agent refuses the version: lower ones, if there are any.
        if container_command && translates && ["1.0.0", "1.1.0"].contains(&version) {
            for lower in ["1.0.0", "0.4.0"] {
                if order(lower) < order(version) {
                    paths.push(path.clone());
                    if accepts(lower) {
                        return success(paths);
                    }
                }
            }
        }
        return failure(1, paths);
    }
    match action {
        // Nobody has it: nothing was done.
        Action::Gc => success(paths),
        // Ready, if an ADD would be done.
        Action::Status => {
            for api in Api::ALL {
                let Some(method) = (api.method)(Action::Add) else { continue };
                paths.push(path(api, Action::Add));
                let left_out = format!("{}.{}", api.name, method.name);
                if release.apis.contains(api) && !release.without.contains(&left_out) {
                    return success(paths);
                }
            }
            failure(50, paths)
        }
        _ => failure(202, paths),
    }
}

/// A folder of its own for each agent.
struct Bench {
    folder: tempfile::TempDir,
    agent: Agent,
}

impl Bench {
    fn new(release: &Release, refuses: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let script = if refuses {
            json!({"*": {"error": {"code": 101, "message": "no addresses left"}}})
        } else if release.fails_check() {
            json!({"CHECK": {"error": {"code": 103, "message": "unknown device type veth"}}})
        } else {
            json!({})
        };
        let agent = Agent::start(Options {
            apis: release.apis.clone(),
            without: release.without.clone(),
            cni_versions: release.accepts.clone(),
            script: serde_json::from_value(script).unwrap(),
            socket: folder.path().join("cni.sock"),
            ..Options::default()
        });
        Self { agent: agent.unwrap(), folder }
    }

    /// Runs the plugin; gives exit status and the document.
    fn run(&self, command: &str, version: &str, prev_result: &Value) -> (i32, Option<Value>) {
        let mut configuration = json!({
            "name": "antrea", "type": "antrea", "ipam": {"type": "host-local"},
            "antreaCni": {"socket": self.folder.path().join("cni.sock"), "waitForAgentSeconds": 0},
        });
        if !version.is_empty() {
            configuration["cniVersion"] = version.into();
        }
        if !prev_result.is_null() {
            configuration["prevResult"] = prev_result.clone();
        }
        let mut child = Command::new(plugin())
            .env_clear()
            .envs([("CNI_COMMAND", command), ("CNI_CONTAINERID", "c0ffee"), ("CNI_IFNAME", "eth0")])
            .envs([("CNI_NETNS", "/var/run/netns/x"), ("CNI_PATH", "/opt/cni/bin")])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(configuration.to_string().as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let document = (!output.stdout.is_empty())
            .then(|| serde_json::from_slice(&output.stdout).expect("one JSON document"));
        (output.status.code().unwrap_or(-1), document)
    }
}

/// A cell of the matrix, run.
#[derive(Clone)]
struct Cell {
    release: usize,
    action: Action,
    version: &'static str,
    refuses: bool,
    expected: Expected,
    disagrees: Option<String>,
    translated: bool,
}

fn cells(number: usize, release: &Release) -> Vec<Cell> {
    let mut cells = Vec::new();
    for refuses in [false, true] {
        let place = Bench::new(release, refuses);
        for action in Action::ALL {
            for version in VERSIONS {
                let command = action.name();
                let expected = model(release, action, version, refuses, true);
                let untranslated = model(release, action, version, refuses, false);
                let mut prev_result = Value::Null;
                if command == "CHECK" {
                    // There has to be something to check.
                    prev_result = place.run("ADD", version, &Value::Null).1.unwrap_or_default();
                    prev_result =
                        if prev_result["code"].is_null() { prev_result } else { Value::Null };
                }
                let before = place.agent.calls().len();
                let (exit, document) = place.run(command, version, &prev_result);
                let calls = place.agent.calls().split_off(before);
                let text = |key: &str| {
                    document.as_ref().and_then(|document| document.get(key)).and_then(Value::as_str)
                };
                let actual = Expected {
                    code: document.as_ref().and_then(|document| document.get("code")?.as_u64()),
                    label: text("cniVersion").map(str::to_owned),
                    paths: calls.into_iter().map(|call| call.path).collect(),
                };
                let agrees = actual == expected && exit == i32::from(expected.code.is_some());
                place.run("DEL", "0.4.0", &Value::Null);
                cells.push(Cell {
                    release: number,
                    action,
                    version,
                    refuses,
                    disagrees: (!agrees).then(|| format!("exit {exit}, {actual:?}")),
                    translated: expected != untranslated,
                    expected,
                });
            }
        }
    }
    cells
}

fn main() -> ExitCode {
    let releases = Arc::new(releases());
    let is_whole = std::env::var_os("MATRIX").is_some_and(|it| it == "whole");
    // The release that is called for each.
    let called: Vec<_> = releases
        .iter()
        .enumerate()
        .map(|(number, one)| match is_whole {
            true => number,
            false => releases.iter().position(|other| other.behaves_as(one)).unwrap(),
        })
        .collect();
    let all: Arc<Mutex<Vec<Cell>>> = Arc::default();
    let case = |number: usize| {
        let (releases, all) = (Arc::clone(&releases), Arc::clone(&all));
        Case::new(releases[number].name.clone(), move || {
            let cells = cells(number, &releases[number]);
            let wrong: Vec<_> = cells.iter().filter_map(Cell::complaint).take(20).collect();
            all.lock().unwrap().extend(cells);
            if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n")) }
        })
    };
    let numbers: BTreeSet<_> = called.iter().copied().collect();
    let cases = || numbers.into_iter().map(case).collect();
    run_cases(None, cases, || {
        let run = all.lock().unwrap();
        let mut all: Vec<Cell> = Vec::new();
        for (release, called) in called.iter().enumerate() {
            let cells = run.iter().filter(|cell| cell.release == *called);
            all.extend(cells.map(|cell| Cell { release, ..cell.clone() }));
        }
        eprintln!("version matrix: {} cells, of which {} were called", all.len(), run.len());
        std::fs::create_dir_all(Path::new(HTML).parent().unwrap()).unwrap();
        std::fs::write(HTML, html(&releases, &all)).unwrap();
        check_file("docs/version-matrix.md", &markdown(&releases, &all))
    })
}

impl Cell {
    /// What is wrong with it.
    fn complaint(&self) -> Option<String> {
        let Self { action, version, refuses, expected, .. } = self;
        let actual = self.disagrees.as_ref()?;
        Some(format!(
            "{} {version:?} refuses={refuses}\n  expected {expected:?}\n  actual   {actual}",
            action.name()
        ))
    }
}

/// How a cell ended, for people.
fn outcome(cell: &Cell, release: &Release) -> String {
    let method = |api: &Api| (api.method)(cell.action).map(|method| method.name);
    let serves = |api: &&Api| {
        method(api).is_some_and(|name| !release.without.contains(&format!("{}.{name}", api.name)))
    };
    match cell.expected.code {
        _ if cell.disagrees.is_some() => "WRONG".to_owned(),
        Some(code) => format!("{code}"),
        None if cell.translated => "ok ↧".to_owned(),
        None if cell.action == Action::Gc && release.apis.iter().filter(serves).count() == 0 => {
            "ok, nothing to ask".to_owned()
        }
        None => "ok".to_owned(),
    }
}

/// The row of a release: its cells where the agent accepts.
fn row(cells: &[&Cell], release: &Release) -> Vec<String> {
    let accepting = cells.iter().filter(|cell| !cell.refuses);
    accepting.map(|cell| outcome(cell, release)).collect()
}

fn markdown(releases: &[Release], cells: &[Cell]) -> String {
    let mut text = "# Version matrix\n\n\
        Written by `UPDATE=1 cargo test --test matrix`, which runs the plugin as a process against the\n\
        reference agent set up as each of the 114 releases of antrea-agent, and as agents that do not exist\n\
        yet. Releases that behave alike share a row.\n\n\
        `ok`: done; `ok ↧`: done in a lower cniVersion; `ok, nothing to ask`: a success that did nothing;\n\
        a number alone is the code of the error, of which 1 means that the command does not exist in that\n\
        cniVersion, or that the agent refuses it in every version that the plugin can offer. `–` is a\n\
        configuration without a cniVersion, which every agent refuses. CHECK of v0.9.0 to v1.10.1 always\n\
        fails (103), as those releases do where they are not chained. What the other plugins of a list say is not in here.\n"
        .to_owned();
    let mut groups: Vec<(Vec<usize>, Vec<String>)> = Vec::new();
    for (number, release) in releases.iter().enumerate() {
        let of_release: Vec<_> = cells.iter().filter(|cell| cell.release == number).collect();
        let row = row(&of_release, release);
        let is_real = number < 114;
        match groups
            .iter_mut()
            .find(|(members, known)| *known == row && is_real && members[0] < 114)
        {
            Some((members, _)) => members.push(number),
            None => groups.push((vec![number], row)),
        }
    }
    for (at, action) in Action::ALL.into_iter().enumerate() {
        let command = action.name();
        let versions = VERSIONS.map(|version| if version.is_empty() { "–" } else { version });
        let _ = write!(
            text,
            "\n## {command}\n\n| agent | {} |\n|{}\n",
            versions.join(" | "),
            " --- |".repeat(9)
        );
        for (members, row) in &groups {
            let first = &releases[members[0]].name;
            let last = &releases[members[members.len() - 1]].name;
            let name = match members.len() {
                1 => first.clone(),
                count => format!("{first} … {last} ({count} releases)"),
            };
            let row = &row[at * VERSIONS.len()..(at + 1) * VERSIONS.len()];
            let _ = writeln!(text, "| {name} | {} |", row.join(" | "));
        }
    }
    let refused = cells.iter().filter(|cell| cell.refuses).count();
    let _ = write!(
        text,
        "\n{} cells: the ones above for every release, and {refused} in which the agent refuses the command\n\
         in band, with its code passed on.\n",
        cells.len()
    );
    text
}

fn html(releases: &[Release], cells: &[Cell]) -> String {
    let mut html = "<!doctype html><meta charset=utf-8><title>Version matrix</title><style>\
        body{font:13px sans-serif}table{border-collapse:collapse}td,th{border:1px solid #ccc;padding:1px 5px}\
        th{position:sticky;top:0;background:#fff}.ok{background:#c8e6c9}.down{background:#dcedc8}\
        .low{background:#fff9c4}.code{background:#ffe0b2}.wrong{background:#e53935;color:#fff}</style>\
        <h1>Version matrix</h1><p><span class=ok>newest API of the plugin</span> \
        <span class=down>an older API</span> <span class=low>a lower cniVersion</span> \
        <span class=code>an error, as expected</span> <span class=wrong>not as expected</span></p>\
        <table><tr><th>agent<th>in band"
        .to_owned();
    for command in Action::ALL.map(Action::name) {
        for version in VERSIONS {
            let _ = write!(html, "<th>{command}<br>{version}");
        }
    }
    for (number, release) in releases.iter().enumerate() {
        for refuses in [false, true] {
            let how = if refuses { "refuses" } else { "accepts" };
            let _ = write!(html, "<tr><td>{}<td>{how}", release.name);
            for cell in
                cells.iter().filter(|cell| cell.release == number && cell.refuses == refuses)
            {
                let class = match cell.expected.code {
                    _ if cell.disagrees.is_some() => "wrong",
                    Some(_) => "code",
                    None if cell.translated => "low",
                    None if cell.expected.paths.len() > 1 => "down",
                    None => "ok",
                };
                let paths = cell.expected.paths.join("\n");
                let _ =
                    write!(html, "<td class={class} title=\"{paths}\">{}", outcome(cell, release));
            }
        }
    }
    html.push_str("</table>");
    html
}

// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Agents and callers in other languages: `cargo test --test interop`.
//!
//! grpc-go in its newest and in an old release that real agents used, and
//! Python's grpcio, as agents; libcni with its `cnitool` as the caller. What the
//! machine cannot run is said and counted as skipped.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test program")]

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Output, Stdio};

use antrea_cni_agent::{Action, Agent, Api, Options, path, servable};
use antrea_cni_test_support::{Case, plugin, run_cases};
use serde_json::{Value, json};

const SOURCES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/interop");
const BUILT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/target/interop");
const VERSIONS: [&str; 7] = ["0.1.0", "0.2.0", "0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"];

fn main() -> ExitCode {
    run_cases(Some(1), cases, || Ok(()))
}

/// One for each generation of each agent, and of libcni as the caller. What the
/// machine lacks is skipped; what is there and does not build or start fails.
fn cases() -> Vec<Case> {
    std::fs::create_dir_all(BUILT).unwrap();
    let mut cases = Vec::new();
    let has = |program: &str, argument: &str| {
        let output = Command::new(program).arg(argument).output();
        output.is_ok_and(|output| output.status.success())
    };
    if has("go", "version") {
        for (name, modfile) in [("grpc-go, newest", "go.mod"), ("grpc-go, old", "old.mod")] {
            let modfile_option = format!("-modfile={modfile}");
            let built = go(&["build", "-mod=mod", &modfile_option], "./agent", modfile);
            let command = built.map(|agent| vec![agent.to_str().unwrap().to_owned()]);
            cases.extend(generations(name, command));
        }
        match go(&["build"], "github.com/containernetworking/cni/cnitool", "cnitool") {
            Ok(cnitool) => cases.extend(servable().into_iter().map(|api| {
                let cnitool = cnitool.clone();
                Case::new(format!("libcni, {}", api.name), move || libcni(&cnitool, api))
            })),
            Err(why) => cases.push(Case::new("libcni", move || Err(why))),
        }
        match go(&["build"], "./ocicni", "ocicni") {
            _ if !nix::unistd::geteuid().is_root() || !has("ip", "-Version") => {
                cases.push(Case::skipped("ocicni", "namespaces need root and iproute2"));
            }
            Ok(caller) => cases.extend(servable().into_iter().map(|api| {
                let caller = caller.clone();
                Case::new(format!("ocicni, {}", api.name), move || ocicni(&caller, api))
            })),
            Err(why) => cases.push(Case::new("ocicni", move || Err(why))),
        }
    } else {
        cases.push(Case::skipped("grpc-go and libcni", "install Go"));
    }
    if has("python3", "--version") {
        let script = format!("{SOURCES}/python/agent.py");
        let command = python().map(|python| vec![python.to_str().unwrap().to_owned(), script]);
        cases.extend(generations("Python grpcio", command));
    } else {
        cases.push(Case::skipped("Python grpcio", "install python3"));
    }
    cases
}

/// The plugin against an agent in another language, as each generation and as none.
fn generations(name: &str, command: Result<Vec<String>, String>) -> Vec<Case> {
    let command = match command {
        Ok(command) => command,
        Err(why) => return vec![Case::new(name, move || Err(why))],
    };
    let mut cases = Vec::new();
    for api in servable() {
        let command = command.clone();
        cases.push(Case::new(format!("{name}, {}", api.name), move || generation(&command, api)));
    }
    cases.push(Case::new(format!("{name}, nothing served"), move || nothing_served(&command)));
    cases
}

/// Builds a Go program.
fn go(arguments: &[&str], package: &str, name: &str) -> Result<PathBuf, String> {
    let program = Path::new(BUILT).join(name.replace(".mod", "-agent"));
    let output = Command::new("go")
        .current_dir(format!("{SOURCES}/go"))
        .args(arguments)
        .arg("-o")
        .arg(&program)
        .arg(package)
        .output()
        .map_err(|error| format!("go: {error}"))?;
    if output.status.success() { Ok(program) } else { Err(text(&output.stderr)) }
}

/// Python with grpcio, in an environment of its own.
fn python() -> Result<PathBuf, String> {
    let environment = Path::new(BUILT).join("venv");
    let python = environment.join("bin/python");
    let run = |command: &mut Command| {
        let output = command.output().map_err(|error| error.to_string())?;
        if output.status.success() { Ok(()) } else { Err(text(&output.stderr)) }
    };
    run(Command::new("python3").args(["-m", "venv"]).arg(&environment))?;
    let requirements = format!("{SOURCES}/python/requirements.txt");
    run(Command::new(&python).args(["-m", "pip", "install", "--quiet", "-r", &requirements]))?;
    Ok(python)
}

/// An agent as a program: `COMMAND SOCKET PACKAGES JOURNAL`, which prints a line
/// when it serves.
struct Foreign {
    child: Child,
    version: String,
    folder: tempfile::TempDir,
}

impl Foreign {
    fn start(command: &[String], packages: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut child = Command::new(&command[0])
            .args(&command[1..])
            .arg(folder.path().join("cni.sock"))
            .arg(packages)
            .arg(folder.path().join("journal"))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut version = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut version).unwrap();
        assert!(!version.is_empty(), "{command:?} does not start");
        Self { child, version: version.trim().to_owned(), folder }
    }

    fn served(&self) -> Vec<String> {
        let journal = std::fs::read_to_string(self.folder.path().join("journal"));
        let entry = |line: &str| serde_json::from_str::<Value>(line).unwrap()["path"].clone();
        journal
            .unwrap_or_default()
            .lines()
            .map(|line| entry(line).as_str().unwrap().to_owned())
            .collect()
    }
}

impl Drop for Foreign {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn generation(command: &[String], api: Api) -> Result<(), String> {
    let agent = Foreign::start(command, api.package);
    for cni_version in VERSIONS {
        for action in [Action::Add, Action::Check, Action::Del] {
            if action == Action::Check && cni_version < "0.4.0" {
                continue;
            }
            let output = call(agent.folder.path(), action.name(), cni_version, 0);
            let label = document(&output)["cniVersion"].as_str().map(str::to_owned);
            let holds = output.status.success()
                && agent.served().last() == Some(&path(&api, action))
                && (action != Action::Add || label.as_deref() == Some(cni_version));
            check(&format!("{} {} {cni_version}", agent.version, action.name()), holds, &output)?;
        }
    }
    // None of them has STATUS and GC: asked for ADD with what cannot be decoded.
    for verb in ["STATUS", "GC"] {
        let before = agent.served().len();
        let output = call(agent.folder.path(), verb, "1.1.0", 0);
        let handled = agent.served().len() - before;
        check(verb, output.status.success() && handled <= usize::from(api == Api::V1), &output)?;
    }
    // Refused before it was sent whole: the answer counts, not the rest.
    let large = call(agent.folder.path(), "ADD", "1.0.0", 1_000_000);
    check("1 MB", large.status.success(), &large)
}

fn nothing_served(command: &[String]) -> Result<(), String> {
    let none = Foreign::start(command, "");
    for (verb, code) in [("ADD", 202), ("DEL", 202), ("GC", 0), ("STATUS", 50)] {
        let output = call(none.folder.path(), verb, "1.1.0", 0);
        let actual = document(&output)["code"].as_i64().unwrap_or(0);
        check(verb, actual == code, &output)?;
    }
    Ok(())
}

/// libcni calls the plugin, for the reference agent.
fn libcni(cnitool: &Path, api: Api) -> Result<(), String> {
    for version in VERSIONS {
        let folder = tempfile::tempdir().unwrap();
        let agent = Agent::start(Options::new(folder.path().join("cni.sock"), &[api])).unwrap();
        std::fs::copy(plugin(), folder.path().join("antrea")).unwrap();
        let network = format!("interop-{}-{}", std::process::id(), version.replace('.', "-"));
        let conflist = json!({
            "cniVersion": version, "name": network,
            "plugins": [{"type": "antrea", "ipam": {"type": "host-local"}, "antreaCni": {"socket": agent.socket()}}],
        });
        std::fs::write(folder.path().join("10-antrea.conflist"), conflist.to_string()).unwrap();
        for verb in ["status", "add", "check", "gc", "del"] {
            let late = match verb {
                "check" => version < "0.4.0",
                "gc" | "status" => version < "1.1.0",
                _ => false,
            };
            if late {
                continue;
            }
            let output = Command::new(cnitool)
                .args([verb, &network, "/var/run/netns/interop"])
                .env("NETCONFPATH", folder.path())
                .env("CNI_PATH", folder.path())
                .output()
                .unwrap();
            check(&format!("cnitool {verb} {version}"), output.status.success(), &output)?;
        }
        let left = agent.containers();
        if !left.is_empty() {
            return Err(format!("left behind after {version}: {left:?}"));
        }
    }
    Ok(())
}

/// What CRI-O calls, for the reference agent: also the CHECK that it sends after each ADD.
fn ocicni(caller: &Path, api: Api) -> Result<(), String> {
    for version in VERSIONS.into_iter().skip(3) {
        let folder = tempfile::tempdir().unwrap();
        let agent = Agent::start(Options::new(folder.path().join("cni.sock"), &[api])).unwrap();
        std::fs::create_dir_all(folder.path().join("bin")).unwrap();
        std::fs::copy(plugin(), folder.path().join("bin/antrea")).unwrap();
        let name = format!("ocicni-{}-{}", std::process::id(), version.replace('.', "-"));
        let conflist = json!({
            "cniVersion": version, "name": name,
            "plugins": [{"type": "antrea", "ipam": {"type": "host-local"}, "antreaCni": {"socket": agent.socket()}}],
        });
        std::fs::create_dir_all(folder.path().join("net.d")).unwrap();
        let list = folder.path().join("net.d/10-antrea.conflist");
        std::fs::write(list, conflist.to_string()).unwrap();
        let netns = |what: &str| {
            Command::new("ip").args(["netns", what, &name]).status().is_ok_and(|it| it.success())
        };
        if !netns("add") {
            return Err(format!("ip netns add {name}"));
        }
        let mut command = Command::new(caller);
        command.args(["net.d", "cache", "bin"].map(|it| folder.path().join(it)));
        let output = command.arg(format!("/run/netns/{name}")).output().unwrap();
        netns("delete");
        check(&format!("ocicni {version}"), output.status.success(), &output)?;
        let asked = |end: &str| agent.served().iter().filter(|it| it.path.ends_with(end)).count();
        // The second time after the garbage was collected.
        let checks = if version < "0.4.0" { 0 } else { 2 };
        if (asked("CmdAdd"), asked("CmdCheck")) != (1, checks) || !agent.containers().is_empty() {
            let left = agent.containers();
            return Err(format!(
                "{version}: {} ADD, {} CHECK, left {left:?}",
                asked("CmdAdd"),
                asked("CmdCheck")
            ));
        }
    }
    Ok(())
}

fn check(what: &str, holds: bool, output: &Output) -> Result<(), String> {
    if holds { Ok(()) } else { Err(format!("{what}: {}", seen(output))) }
}

/// Calls the plugin with a configuration that is at least so many bytes long.
fn call(folder: &Path, verb: &str, version: &str, bytes: usize) -> Output {
    let configuration = json!({
        "cniVersion": version, "name": "antrea", "type": "antrea", "pad": "x".repeat(bytes),
        "antreaCni": {"socket": folder.join("cni.sock"), "waitForAgentSeconds": 1},
    });
    let mut child = Command::new(plugin())
        .env_clear()
        .envs([("CNI_COMMAND", verb), ("CNI_CONTAINERID", "c0ffee"), ("CNI_IFNAME", "eth0")])
        .envs([("CNI_NETNS", "/var/run/netns/x"), ("CNI_PATH", "/opt/cni/bin")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(configuration.to_string().as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

fn document(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_default()
}

fn seen(output: &Output) -> String {
    format!("{}, {}{}", output.status, text(&output.stdout), text(&output.stderr))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim().to_owned()
}

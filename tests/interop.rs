//! Agents and callers in other languages: `cargo test --test interop`.
//!
//! grpc-go in its newest and in an old release that real agents used, and
//! Python's grpcio, as agents; libcni with its `cnitool` as the caller. What the
//! machine cannot run is said and counted as skipped.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test program"
)]

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Output, Stdio};

use antrea_cni_agent::{Agent, Api, Options};
use serde_json::{Value, json};

const SOURCES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/interop");
const BUILT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/target/interop");
const VERSIONS: [&str; 7] = ["0.1.0", "0.2.0", "0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"];

#[derive(Default)]
struct Tally {
    passed: usize,
    failed: usize,
    skipped: usize,
}

impl Tally {
    fn check(&mut self, what: &str, holds: bool, seen: &str) {
        if holds {
            self.passed += 1;
        } else {
            self.failed += 1;
            println!("FAILED {what}: {seen}");
        }
    }

    fn skip(&mut self, what: &str, why: &str) {
        self.skipped += 1;
        println!("*** skipped: {what}: {why} ***");
    }
}

fn main() -> ExitCode {
    // `cargo test NAME` for another target runs this one too.
    if std::env::args().skip(1).any(|argument| argument == "--list" || !argument.starts_with('-')) {
        return ExitCode::SUCCESS;
    }
    std::fs::create_dir_all(BUILT).unwrap();
    let mut tally = Tally::default();
    for (name, modfile) in [("grpc-go, newest", "go.mod"), ("grpc-go, old", "old.mod")] {
        match go(&["build", "-mod=mod", &format!("-modfile={modfile}")], "./agent", modfile) {
            Ok(agent) => generations(&mut tally, name, &[agent.to_str().unwrap()]),
            Err(why) => tally.skip(name, &why),
        }
    }
    match python() {
        Ok(python) => {
            let script = format!("{SOURCES}/python/agent.py");
            generations(&mut tally, "Python grpcio", &[python.to_str().unwrap(), &script]);
        }
        Err(why) => tally.skip("Python grpcio", &why),
    }
    match go(&["build"], "github.com/containernetworking/cni/cnitool", "cnitool") {
        Ok(cnitool) => runtimes(&mut tally, &cnitool),
        Err(why) => tally.skip("libcni", &why),
    }
    let Tally { passed, failed, skipped } = tally;
    println!("{passed} passed, {failed} failed, {skipped} skipped");
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
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
    fn start(command: &[&str], packages: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut child = Command::new(command[0])
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

/// The plugin against an agent of each generation in another language.
fn generations(tally: &mut Tally, name: &str, command: &[&str]) {
    let before = tally.passed;
    let mut version = String::new();
    for api in [Api::V1, Api::V1beta1, Api::Vmware, Api::First] {
        let agent = Foreign::start(command, api.package());
        version.clone_from(&agent.version);
        for cni_version in VERSIONS {
            for (verb, method) in [("ADD", "CmdAdd"), ("CHECK", "CmdCheck"), ("DEL", "CmdDel")] {
                if verb == "CHECK" && cni_version < "0.4.0" {
                    continue;
                }
                let output = call(agent.folder.path(), verb, cni_version, 0);
                let path = format!("/{}.Cni/{method}", api.package());
                let label = document(&output)["cniVersion"].as_str().map(str::to_owned);
                let holds = output.status.success()
                    && agent.served().last() == Some(&path)
                    && (verb != "ADD" || label.as_deref() == Some(cni_version));
                tally.check(
                    &format!("{name}, {}, {verb} {cni_version}", api.name()),
                    holds,
                    &seen(&output),
                );
            }
        }
        // Refused before it was sent whole: the answer counts, not the rest.
        let large = call(agent.folder.path(), "ADD", "1.0.0", 1_000_000);
        tally.check(
            &format!("{name}, {}, 1 MB", api.name()),
            large.status.success(),
            &seen(&large),
        );
    }
    let none = Foreign::start(command, "");
    for (verb, code) in [("ADD", 202), ("DEL", 202), ("GC", 0), ("STATUS", 0)] {
        let output = call(none.folder.path(), verb, "1.1.0", 0);
        let actual = document(&output)["code"].as_i64().unwrap_or(0);
        tally.check(&format!("{name}, nothing served, {verb}"), actual == code, &seen(&output));
    }
    println!("{name} ({version}): {} checks", tally.passed - before);
}

/// libcni calls the plugin, for the reference agent.
fn runtimes(tally: &mut Tally, cnitool: &Path) {
    let before = tally.passed;
    for api in Api::ALL {
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
                let what = format!("cnitool {verb} {version}, {}", api.name());
                tally.check(&what, output.status.success(), &seen(&output));
            }
            let left = agent.containers();
            tally.check(
                &format!("cnitool {version}, {}", api.name()),
                left.is_empty(),
                &format!("{left:?}"),
            );
        }
    }
    println!("libcni (cnitool): {} checks", tally.passed - before);
}

fn plugin() -> PathBuf {
    std::env::var_os("ANTREA_CNI_PLUGIN")
        .map_or_else(|| PathBuf::from(env!("CARGO_BIN_EXE_antrea-cni")), PathBuf::from)
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

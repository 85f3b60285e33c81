// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! The plugin and an agent of each generation, on this machine and in a few
//! seconds: `cargo run --example quickstart`.
//!
//! Calls the plugin as a container runtime does, as a process with variables
//! and a configuration, and shows who answered.
#![expect(clippy::print_stdout, clippy::indexing_slicing, reason = "an example is for reading")]

use std::error::Error;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use antrea_cni_agent::{Action, Agent, Api, Call, Options, path, servable};
use serde_json::{Value, json};

fn main() -> Result<(), Box<dyn Error>> {
    let plugin = build()?;
    let folder = tempfile::tempdir()?;
    let socket = folder.path().join("cni.sock");
    for api in servable() {
        match api.releases {
            Some([first, last]) => println!("\nantrea-agent {first} to {last}"),
            None => println!("\na future agent with API {}", api.name),
        }
        let agent = Agent::start(Options::new(&socket, &[api]))?;
        let mut prev_result = Value::Null;
        for command in ["VERSION", "STATUS", "ADD", "CHECK", "DEL"] {
            let asked = agent.calls().len();
            let configuration = configuration(command, &socket, &prev_result);
            let (answer, took) = call(&plugin, command, &configuration)?;
            if command == "ADD" {
                prev_result = serde_json::from_slice(&answer.stdout)?;
            }
            let calls = agent.calls().split_off(asked);
            let walk: Vec<_> = calls.iter().map(step).collect();
            show(command, &answer, took, &walk.join(" → "));
        }
    }
    println!("\nno agent (and waitForAgentSeconds 0)");
    let mut configuration = configuration("ADD", &socket, &Value::Null);
    configuration["antreaCni"]["waitForAgentSeconds"] = 0.into();
    let (answer, took) = call(&plugin, "ADD", &configuration)?;
    show("ADD", &answer, took, "");
    println!("{}", pretty(&answer.stdout));
    Ok(())
}

/// Has cargo build the plugin, which an example cannot depend on.
fn build() -> Result<PathBuf, Box<dyn Error>> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let built = Command::new(cargo)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["build", "--quiet", "--bin", "antrea-cni", "--message-format", "json"])
        .stderr(Stdio::inherit())
        .output()?;
    let artifacts = String::from_utf8(built.stdout)?;
    let executable = artifacts.lines().find_map(|line| {
        let artifact: Value = serde_json::from_str(line).ok()?;
        Some(PathBuf::from(artifact.get("executable")?.as_str()?))
    });
    executable.ok_or_else(|| "cargo did not build the plugin".into())
}

/// What containerd sends. CHECK and STATUS come only with versions that have
/// them.
fn configuration(command: &str, socket: &Path, prev_result: &Value) -> Value {
    let mut configuration = json!({
        "cniVersion": if command == "STATUS" { "1.1.0" } else { "0.4.0" },
        "name": "antrea",
        "type": "antrea",
        "ipam": {"type": "host-local"},
        "antreaCni": {"socket": socket},
    });
    if command == "CHECK" {
        configuration["prevResult"] = prev_result.clone();
    }
    configuration
}

/// Runs the plugin as containerd does.
fn call(
    plugin: &Path,
    command: &str,
    configuration: &Value,
) -> Result<(Output, Duration), Box<dyn Error>> {
    let started = Instant::now();
    let mut child = Command::new(plugin)
        .env_clear()
        .env("CNI_COMMAND", command)
        .env("CNI_CONTAINERID", "ff0b4d20070a4c9dbf8447eb71d6e0266f3e04d7373a93955fdd60dcec3f78de")
        .env("CNI_NETNS", "/var/run/netns/cni-0fdff4d2-0a65-50c8-374a-7527165b4751")
        .env("CNI_IFNAME", "eth0")
        .env("CNI_ARGS", "IgnoreUnknown=1;K8S_POD_NAMESPACE=shop;K8S_POD_NAME=web-0")
        .env("CNI_PATH", "/opt/cni/bin")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        // VERSION does not read its input.
        let _ = stdin.write_all(configuration.to_string().as_bytes());
    }
    let output = child.wait_with_output()?;
    Ok((output, started.elapsed()))
}

/// One step of the fallback: the API's name, and what was said.
fn step(call: &Call) -> String {
    let asks = |api: &&Api| Action::ALL.iter().any(|action| path(api, *action) == call.path);
    let name = Api::ALL.iter().find(asks).map_or(&*call.path, |api| api.name);
    format!("{name} {}", if call.served { "answers" } else { "UNIMPLEMENTED" })
}

fn show(command: &str, answer: &Output, took: Duration, walk: &str) {
    let exit = answer.status.code().unwrap_or(-1);
    println!("  {command:8} exit {exit}  {:>5.1} ms  {walk}", took.as_secs_f64() * 1e3);
    if command == "ADD" && answer.status.success() {
        println!("{}", pretty(&answer.stdout));
    }
}

fn pretty(json: &[u8]) -> String {
    let document: Value = serde_json::from_slice(json).unwrap_or_default();
    format!("{document}").replace("\":", "\": ").replace(",\"", ", \"")
}

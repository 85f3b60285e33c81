// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! `probe`: what an agent can do.

#[cfg(unix)]
mod linux;

use std::env::consts::EXE_SUFFIX;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use antrea_cni_agent::{Action, Agent, Api, Options, servable};
use serde_json::{Value, json};
use tempfile::TempDir;

use antrea_cni_test_support::skipped;

use crate::support::{Answer, run, socket};

struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn socket(&self) -> String {
        socket(self.0.path()).to_str().unwrap().to_owned()
    }

    fn agent(&self, options: impl FnOnce(&mut Options), apis: &[Api]) -> Agent {
        let mut all = Options::new(self.socket(), apis);
        options(&mut all);
        Agent::start(all).unwrap()
    }

    fn probe(&self, more: &[&str]) -> Answer {
        run(["probe", "--socket", &self.socket()].iter().chain(more))
    }
}

fn states(report: &Value) -> Vec<(String, Vec<String>)> {
    let methods = |api: &Value| {
        let methods = api["methods"].as_array().unwrap().iter();
        methods.map(|it| it["state"].as_str().unwrap().to_owned()).collect()
    };
    let apis = report["apis"].as_array().unwrap().iter();
    apis.map(|api| (api["package"].as_str().unwrap().to_owned(), methods(api))).collect()
}

#[test]
fn every_generation_is_told_as_it_is_and_nothing_happens_on_the_node() {
    for api in servable() {
        let place = Place::new();
        let agent = place.agent(|_| (), &[api]);
        let report = place.probe(&["--output", "json"]);
        report.assert(0, api.package);
        let report = report.json();
        assert_eq!(report["ready"], true);
        for (package, states) in states(&report) {
            let expected = if package == api.package { "served" } else { "unimplemented" };
            assert!(states.iter().all(|state| state == expected), "{package} {states:?}");
        }
        assert_eq!(report["cniVersions"].as_array().unwrap().len(), 7);
        assert_eq!(report["capabilities"].is_object(), api.capabilities.is_some(), "{report}");
        let has_status = (api.method)(Action::Status).is_some();
        assert_eq!(report["status"].is_object(), has_status, "{report}");
        assert!(agent.effects().is_empty() && agent.containers().is_empty());
        let text = place.probe(&[]);
        text.assert(0, "UNIMPLEMENTED");
        text.assert(0, if cfg!(windows) { "served by process" } else { "mode 0" });
    }
}

#[test]
fn an_old_list_of_versions_is_told_with_what_happens_to_newer_ones() {
    let place = Place::new();
    let old = ["0.1.0", "0.2.0", "0.3.0", "0.3.1", "0.4.0"].map(str::to_owned);
    let _agent = place.agent(|it| it.cni_versions = old.to_vec(), &[Api::VMWARE]);
    place.probe(&[]).assert(0, "the plugin sends 0.4.0");
    let report = place.probe(&["--output", "json"]).json();
    assert_eq!(report["cniVersions"], json!(old));
}

#[test]
fn an_agent_that_serves_nothing_of_ours_is_exit_status_1() {
    let place = Place::new();
    let _agent = place.agent(|_| (), &[]);
    place.probe(&[]).assert(1, "code 202");
}

#[test]
fn an_agent_that_is_not_ready_is_exit_status_1() {
    let place = Place::new();
    let script = json!({"STATUS": {"error": {"code": 50, "message": "no flows yet"}}});
    let script = serde_json::from_value(script).unwrap();
    let _agent = place.agent(|it| it.script = script, &[Api::V1]);
    place.probe(&[]).assert(1, "no flows yet");
}

/// Not only against our own agent.
#[test]
fn grpc_go_is_told_as_it_is() {
    let place = Place::new();
    let program = place.0.path().join(format!("agent{EXE_SUFFIX}"));
    let built = Command::new("go")
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/interop/go"))
        .env("CGO_ENABLED", "0")
        .args(["build", "-o"])
        .args([&*program, "./agent".as_ref()])
        .output();
    if !built.as_ref().is_ok_and(|it| it.status.success()) {
        skipped(&format!("the agent in grpc-go needs Go: {built:?}"));
        return;
    }
    // The agent in Go knows the methods up to v1.
    for api in servable().into_iter().skip_while(|api| *api != Api::V1) {
        let place = Place::new();
        let mut agent = Command::new(&program)
            .args([&*place.socket(), api.package, "/dev/null"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        // It prints its version when it listens.
        BufReader::new(agent.stdout.take().unwrap()).read_line(&mut String::new()).unwrap();
        let report = place.probe(&["--output", "json"]);
        agent.kill().unwrap();
        agent.wait().unwrap();
        report.assert(0, api.package);
        for (package, states) in states(&report.json()) {
            let expected = if package == api.package { "served" } else { "unimplemented" };
            assert!(states.iter().all(|state| state == expected), "{package} {states:?}");
        }
    }
}

/// One that takes any cniVersion would do whatever it is really asked for.
#[test]
fn an_agent_that_accepts_any_version_has_nothing_to_act_on() {
    for api in servable() {
        let place = Place::new();
        let agent = place.agent(|it| it.cni_versions.push("0.0.0".to_owned()), &[api]);
        let text = place.probe(&[]);
        text.assert(0, "A Pod started now would use");
        if api.releases.is_some() {
            text.assert(0, "not in this agent: UNIMPLEMENTED (normal: no release has it)");
        }
        assert!(agent.effects().is_empty(), "{:?}", agent.effects());
        assert!(
            agent.served().iter().all(|it| !it.path.ends_with("GC") && !it.path.ends_with("Add"))
        );
    }
}

/// Its network may never be ready.
#[test]
fn an_agent_that_does_not_answer_status_is_not_ready() {
    let place = Place::new();
    let script = serde_json::from_value(json!({"STATUS": {"hang": true}})).unwrap();
    let _agent = place.agent(|options| options.script = script, &[Api::V1]);
    let report = place.probe(&["--timeout", "100ms"]);
    report.assert(1, "A Pod started now would fail: the agent answers STATUS with nothing");
}

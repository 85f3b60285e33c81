// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! The log file: what a line says, and that no line is lost, torn or in the
//! way.

#[cfg(unix)]
mod linux;

use std::fs;
use std::path::Path;

use antrea_cni_agent::{Api, Options};
use serde_json::{Value, json};

use antrea_cni_test_support::{Call, TestNode};

/// The default of the setting `logMaxBytes`.
const LOG_MAX_BYTES: usize = 10 << 20;

fn lines(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn logging(place: &TestNode, command: &str, cni_version: &str) -> Call {
    logging_with(place, command, cni_version, json!({}))
}

fn logging_with(place: &TestNode, command: &str, cni_version: &str, mut settings: Value) -> Call {
    settings["logFile"] = place.path("log").to_str().into();
    settings["waitForAgentSeconds"] = 0.into();
    place.call_with(command, cni_version, settings)
}

#[test]
fn a_call_is_one_line_that_says_what_happened() {
    let place = TestNode::new();
    let options = Options {
        cni_versions: ["0.3.0", "0.4.0"].map(str::to_owned).to_vec(),
        ..Options::new(place.socket(), &[Api::V1BETA1])
    };
    let _agent = antrea_cni_agent::Agent::start(options).unwrap();
    let args = "IgnoreUnknown=1;K8S_POD_NAMESPACE=shop;K8S_POD_NAME=web-0;K8S_POD_UID=d688d570";
    let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let call = logging(&place, "ADD", "1.0.0").env("CNI_ARGS", args).env("TRACEPARENT", parent);
    assert_eq!(call.run().exit(), 0);

    let mut events = lines(&place.path("log"));
    assert_eq!(events.len(), 1);
    let event = &mut events[0];
    let time = event["time"].take();
    assert!(time.as_str().unwrap().ends_with('Z') && time.as_str().unwrap().len() == 27, "{time}");
    assert!(event["milliseconds"].take().as_f64().unwrap() > 0.0);
    let newer_than_v1 = Api::ALL.iter().take_while(|api| **api != Api::V1).count();
    event["tried"].as_array_mut().unwrap().drain(..newer_than_v1);
    for tried in event["tried"].as_array_mut().unwrap() {
        assert!(tried["milliseconds"].take().as_f64().unwrap() > 0.0);
    }
    let v1beta1 = "antrea_io.antrea.pkg.apis.cni.v1beta1";
    let status = "Unimplemented: unknown service antrea_io.antrea.pkg.apis.cni.v1.Cni";
    assert_eq!(
        *event,
        json!({
            "version": env!("CARGO_PKG_VERSION"), "time": null, "milliseconds": null,
            "command": "ADD", "container": "c0ffee", "podNamespace": "shop", "podName": "web-0",
            "podUid": "d688d570", "interface": "eth0", "netns": place.netns(),
            "cniVersion": "1.0.0", "socket": place.socket(), "attempts": 1, "code": 0,
            "ips": ["10.10.0.2/24"],
            "traceId": "4bf92f3577b34da6a3ce929d0e0e4736",
            "tried": [
                {"attempt": 1, "command": "ADD", "api": "antrea_io.antrea.pkg.apis.cni.v1",
                 "cniVersion": "1.0.0", "status": status, "milliseconds": null},
                {"attempt": 1, "command": "ADD", "api": v1beta1, "cniVersion": "1.0.0", "code": 1,
                 "milliseconds": null},
                {"attempt": 1, "command": "ADD", "api": v1beta1, "cniVersion": "0.4.0", "code": 0,
                 "milliseconds": null},
            ],
        })
    );
}

#[test]
fn failures_are_logged_with_the_code_that_the_runtime_saw() {
    let place = TestNode::new();
    let mut expected = vec![11, 50, 103, 11];
    if cfg!(unix) {
        let own = logging(&place, "ADD", "1.1.0").env("CNI_NETNS", "/proc/self/ns/net").run();
        assert_eq!(own.code(), 8);
        expected.insert(0, 8);
    }
    assert_eq!(logging(&place, "ADD", "1.1.0").run().code(), 11);
    assert_eq!(logging(&place, "STATUS", "1.1.0").run().code(), 50);
    let agent = place.scripted(
        &[Api::V1],
        json!({"ADD": {"hang": true}, "DEL": {"error": {"code": 103, "message": "no"}}}),
    );
    let hang = logging_with(&place, "ADD", "1.1.0", json!({"addTimeoutSeconds": 35})).spawn();
    assert_eq!(logging(&place, "DEL", "1.1.0").run().code(), 103);
    drop(agent);
    assert_eq!(hang.wait().code(), 11);
    let codes: Vec<_> =
        lines(&place.path("log")).iter().map(|e| e["code"].as_u64().unwrap()).collect();
    assert_eq!(codes, expected);
}

#[test]
fn a_success_without_an_agent_says_so() {
    let place = TestNode::new();
    logging(&place, "DEL", "1.1.0").env("CNI_NETNS", "").run().assert_silent_success();
    let _agent = place.agent(&[Api::V1BETA1]);
    logging(&place, "GC", "1.1.0").run().assert_silent_success();
    logging_with(&place, "STATUS", "1.1.0", json!({"logLevel": "debug"}))
        .run()
        .assert_silent_success();
    logging(&place, "DEL", "1.1.0").run().assert_silent_success();
    let done: Vec<_> =
        lines(&place.path("log")).iter().map(|e| e["owedDone"].to_string()).collect();
    assert_eq!(done, ["null", "1", "null", "null"]);
    let notes: Vec<_> = lines(&place.path("log")).iter().map(|e| e["note"].to_string()).collect();
    assert!(notes[0].contains("owed: no agent did it"), "{notes:?}");
    assert!(notes[1].contains("nothing was done"), "{notes:?}");
    assert!(notes[2].contains("has no STATUS"), "{notes:?}");
    assert_eq!(notes[3], "null");
}

/// A container runtime asks every few seconds, and the calls of a day would be gone in an hour.
#[test]
fn a_status_that_is_ready_is_logged_at_level_debug_alone() {
    let place = TestNode::new();
    let commands = |level: &str| {
        let status = logging_with(&place, "STATUS", "1.1.0", json!({"logLevel": level}));
        status.run();
        let events = lines(&place.path("log"));
        let _ = fs::remove_file(place.path("log"));
        events.iter().map(|it| it["code"].to_string()).collect::<Vec<_>>()
    };
    assert_eq!(commands("info"), ["50"]);
    let _agent = place.agent(&[Api::V1]);
    assert_eq!(commands("debug"), ["0"]);
    assert!(commands("info").is_empty() && commands("error").is_empty());
}

#[test]
fn the_addresses_of_a_pod_are_in_its_line() {
    let place = TestNode::new();
    let _agent = place.agent(&[Api::V1]);
    for (number, version) in ["0.3.1", "1.1.0"].into_iter().enumerate() {
        let add = logging(&place, "ADD", version).env("CNI_CONTAINERID", format!("c{number}"));
        let answer = add.run();
        assert_eq!(answer.exit(), 0);
        let result = answer.document().unwrap();
        let ips = &lines(&place.path("log"))[number]["ips"];
        let address = &result["ips"][0]["address"];
        assert!(address.is_string() && *ips == json!([address]), "{version}: {ips}");
    }
}

#[test]
fn a_log_is_as_large_as_the_setting_says() {
    let place = TestNode::new();
    let _agent = place.agent(&[Api::V1]);
    let (log, old) = (place.path("log"), place.path("log.1"));
    fs::write(&log, "x".repeat(65_530)).unwrap();
    logging_with(&place, "DEL", "1.1.0", json!({"logMaxBytes": 65_536}))
        .run()
        .assert_silent_success();
    assert_eq!(fs::metadata(&old).unwrap().len(), 65_530);
    assert_eq!(lines(&log).len(), 1);
}

#[test]
fn level_error_leaves_successes_out() {
    let place = TestNode::new();
    let quiet = |command| logging_with(&place, command, "1.1.0", json!({"logLevel": "error"}));
    assert_eq!(quiet("CHECK").run().code(), 11);
    let _agent = place.agent(&[Api::V1]);
    assert_eq!(quiet("ADD").run().exit(), 0);
    assert_eq!(lines(&place.path("log")).len(), 1);
}

/// It is a success for the runtime alone.
#[test]
fn level_error_has_a_del_that_is_lost() {
    let place = TestNode::new();
    fs::write(place.owed_folder(), "no folder").unwrap();
    let settings = json!({"logLevel": "error", "waitForAgentSeconds": 0});
    let del = logging_with(&place, "DEL", "1.1.0", settings).env("CNI_NETNS", "");
    del.run().assert_silent_success();
    assert!(lines(&place.path("log"))[0]["note"].to_string().contains("lost"));
}

#[test]
fn the_configuration_and_the_environment_stay_out() {
    let place = TestNode::new();
    let _agent = place.agent(&[Api::V1]);
    let call = logging(&place, "ADD", "1.1.0")
        .env("CNI_ARGS", "IgnoreUnknown=1;TOKEN=hush;K8S_POD_NAME=p")
        .env("SECRET", "hush");
    assert_eq!(call.run().exit(), 0);
    let text = fs::read_to_string(place.path("log")).unwrap();
    assert!(
        !text.contains("hush") && !text.contains("ipam") && !text.contains("/opt/cni"),
        "{text}"
    );
}

#[test]
fn a_full_log_becomes_the_old_one() {
    let place = TestNode::new();
    let _agent = place.agent(&[Api::V1]);
    let (log, old) = (place.path("log"), place.path("log.1"));
    let full = "x".repeat(LOG_MAX_BYTES - 10);
    fs::write(&old, "oldest").unwrap();
    fs::write(&log, &full).unwrap();
    assert_eq!(logging(&place, "ADD", "1.1.0").run().exit(), 0);
    assert_eq!(fs::metadata(&old).unwrap().len(), full.len() as u64);
    assert_eq!(lines(&log).len(), 1);
}

#[test]
fn a_folder_where_the_old_log_should_be_does_not_end_the_log() {
    let place = TestNode::new();
    let _agent = place.agent(&[Api::V1]);
    let full = "x".repeat(LOG_MAX_BYTES - 10);
    fs::write(place.path("log"), full).unwrap();
    fs::create_dir(place.path("log.1")).unwrap();
    logging(&place, "DEL", "1.1.0").run().assert_silent_success();
    let events = lines(&place.path("log"));
    assert_eq!(events.len(), 1);
    assert_eq!(events[0]["command"], "DEL");
}

// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Settings of the node, as the tool writes and shows them.

use std::fs;

use antrea_cni_agent::{Agent, Api, Options};
use serde_json::json;

use crate::support::{Answer, INSTALLED, Node, assert_mode, call};

fn settings(node: &Node, more: &[&str]) -> Answer {
    let mut tool = node.command("settings");
    tool.arg("--conf-dir").arg(node.path("net.d")).args(more).output().unwrap().into()
}

#[test]
fn set_writes_a_file_that_the_plugin_reads_and_that_stays() {
    let node = Node::new();
    let log = node.path("log");
    let set = format!("logFile={}", log.display());
    let socket = format!("socket={}", node.socket().display());
    node.install("one", &["--set", &set, "--set", &socket]).assert(0, INSTALLED);
    let file = node.path("bin/.antrea.json");
    assert_mode(&file, 0o644);
    let _agent = Agent::start(Options::new(node.socket(), &[Api::V1BETA1])).unwrap();
    let configuration = r#"{"cniVersion":"1.0.0","name":"antrea","type":"antrea"}"#;
    let answer = call(&node.target(), "ADD", "a", configuration);
    assert!(answer.status.success(), "{answer:?}");
    assert!(fs::read_to_string(&log).unwrap().contains("\"version\":\"0."));

    // Neither another install nor a rollback touches it; what is said adds to it.
    node.install("two", &[]).assert(0, INSTALLED);
    node.run("rollback").assert(0, "rolled back");
    node.install("two", &["--set", "waitForAgentSeconds=5", "--set", "socket="]).assert(0, "");
    let text: serde_json::Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    assert_eq!(text, json!({"logFile": log, "waitForAgentSeconds": 5}));
    node.run("uninstall").assert(0, "uninstalled");
    assert!(node.files().is_empty(), "{:?}", node.files());
}

#[test]
fn a_plugin_of_another_name_has_the_settings_of_its_own_type() {
    let node = Node::new();
    fs::create_dir(node.path("net.d")).unwrap();
    let list = r#"{"cniVersion":"1.0.0","name":"x","plugins":[
        {"type":"antrea2","antreaCni":{"addTimeoutSeconds":77}}]}"#;
    fs::write(node.path("net.d/10-x.conflist"), list).unwrap();
    settings(&node, &["--name", "antrea2"]).assert(0, "addTimeoutSeconds    77");
    assert!(!settings(&node, &[]).out.contains(" 77 "));
}

#[test]
fn a_setting_that_the_plugin_would_refuse_is_not_written() {
    let node = Node::new();
    for (set, says) in [
        ("logfile=/x", "there is no setting logfile"),
        ("logFile=x", "must be an absolute path"),
        ("addTimeoutSeconds=1", "35 to 220"),
        ("requireRootAgent=yes", "true or false"),
        ("logFile", "write KEY=VALUE"),
    ] {
        node.install("one", &["--set", set]).assert(2, says);
        assert!(node.files().is_empty(), "{:?}", node.files());
    }
    fs::write(node.path("bin/.antrea.json"), r#"{"logFiles":"/x"}"#).unwrap();
    let answer = node.install("one", &["--set", "logLevel=error"]);
    answer.assert(2, "unknown setting logFiles");
    assert!(!node.target().exists() && node.files().len() == 1, "{:?}", node.files());
    node.install("one", &["--set", "logFiles="]).assert(2, "there is no setting logFiles");
}

#[test]
fn each_setting_is_shown_with_where_it_comes_from() {
    let node = Node::new();
    fs::create_dir(node.path("net.d")).unwrap();
    node.install("one", &["--set", "logLevel=error", "--set", "waitForAgentSeconds=5"])
        .assert(0, "");
    let list = r#"{"cniVersion":"1.0.0","name":"antrea","plugins":[{"type":"antrea","antreaCni":{"waitForAgentSeconds":7,"logFile":null}}]}"#;
    fs::write(node.path("net.d/10-antrea.conflist"), list).unwrap();
    let found = settings(&node, &["--output", "json"]).json();
    let of = |key: &str| {
        let all = found["settings"].as_array().unwrap();
        let one = all.iter().find(|it| it["key"] == key).unwrap();
        (one["value"].clone(), one["from"].as_str().unwrap().to_owned())
    };
    assert_eq!(of("waitForAgentSeconds"), (json!(7), "conflist".to_owned()));
    assert_eq!(of("logLevel"), (json!("error"), "node".to_owned()));
    assert_eq!(of("logFile"), (json!(null), "default".to_owned()));
    assert_eq!(of("addTimeoutSeconds"), (json!(120), "default".to_owned()));
    settings(&node, &[]).assert(0, "10-antrea.conflist");
    fs::write(node.path("bin/.antrea.json"), "{").unwrap();
    settings(&node, &[]).assert(1, "correct the file or remove it");
}

#[test]
fn the_environment_of_a_container_brings_settings() {
    let node = Node::new();
    let install = |name: &str, value: &str| -> Answer {
        let mut tool = node.command("install");
        tool.arg("--from").arg(node.path("one")).env(name, value).output().unwrap().into()
    };
    install("ANTREA_CNI_SET_logLevel", "error").assert(0, INSTALLED);
    let text = fs::read_to_string(node.path("bin/.antrea.json")).unwrap();
    assert_eq!(text, "{\n  \"logLevel\": \"error\"\n}\n");
    install("ANTREA_CNI_SET_loglevel", "error").assert(2, "ANTREA_CNI_SET_loglevel");
}

/// With settings that a plugin does not know each ADD would end with code 7.
#[test]
fn a_plugin_that_refuses_the_nodes_settings_is_not_put_over_one_that_works() {
    let node = Node::new();
    node.install("one", &[]).assert(0, INSTALLED);
    let file = node.path("bin/.antrea.json");
    for (wrong, says) in
        [(r#"{"ofTheFuture":1}"#, "unknown setting"), ("{", "not JSON"), ("[]", "not an object")]
    {
        fs::write(&file, wrong).unwrap();
        node.install("two", &[]).assert(1, says);
        assert_eq!(node.installed(), "one", "{wrong}");
        // Best effort: the one that is there stays, and that is no failure.
        node.install("two", &["--best-effort"]).assert(0, says);
        assert_eq!(node.installed(), "one", "{wrong}");
        node.run("status").assert(1, "");
    }
    // A power loss.
    for (text, plugin) in [("", "two"), ("\n", "one"), ("\0\0", "two")] {
        fs::write(&file, text).unwrap();
        node.install(plugin, &[]).assert(0, INSTALLED);
        node.run("status").assert(0, "counts as absent");
    }
}

/// The version before does not know a setting of today. What it knows stays in force, and the
/// rest comes back with the next install.
#[cfg(unix)]
#[test]
fn a_rollback_leaves_pods_starting() {
    let node = Node::new();
    let old = "#!/bin/sh\nread -r configuration\ncase $configuration in *confDir*) echo '{\"code\":7,\"msg\":\"unknown setting confDir\"}'; exit 1;; esac\necho '{\"cniVersion\":\"1.0.0\",\"supportedVersions\":[\"1.0.0\"]}'\n";
    fs::write(node.path("old"), old).unwrap();
    crate::support::set_mode(&node.path("old"), 0o755);
    let (file, aside) = (node.path("bin/.antrea.json"), node.path("bin/.antrea.json.refused"));
    let read = |path| {
        serde_json::from_str::<serde_json::Value>(&fs::read_to_string(path).unwrap()).unwrap()
    };
    node.install("old", &[]).assert(0, INSTALLED);
    node.install("one", &["--set", "confDir=/etc/cni/other.d", "--set", "logLevel=error"])
        .assert(0, INSTALLED);
    node.run("rollback").assert(0, "refuses a setting of this node");
    assert_eq!(read(&file), json!({"logLevel": "error"}));
    assert_eq!(read(&aside), json!({"confDir": "/etc/cni/other.d", "logLevel": "error"}));
    node.install("one", &["--set", "waitForAgentSeconds=5"]).assert(0, INSTALLED);
    let all = json!({"confDir": "/etc/cni/other.d", "logLevel": "error", "waitForAgentSeconds": 5});
    assert_eq!(read(&file), all);
    assert!(!aside.exists());
}

/// The runtime's folder, where it is another than the plugin's default.
#[test]
fn the_folder_of_network_configurations_is_a_setting() {
    let node = Node::new();
    let folder = node.path("net.d");
    fs::create_dir(&folder).unwrap();
    node.install("one", &["--conf-dir", folder.to_str().unwrap()]).assert(0, INSTALLED);
    let found = settings(&node, &["--output", "json"]).json();
    let all = found["settings"].as_array().unwrap();
    let one = all.iter().find(|it| it["key"] == "confDir").unwrap();
    assert_eq!(one["value"], json!(folder.to_str().unwrap()));
}

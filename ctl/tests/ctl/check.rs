// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! `check-config`: what runtime and plugin would refuse, and which agents accept the rest.

mod agents;
#[cfg(unix)]
mod linux;
mod multus;

use std::env::consts::EXE_SUFFIX;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{Answer, plugin, run};

fn check(json: &str, more: &[&str]) -> Answer {
    check_as("10-antrea.conflist", json, more)
}

fn check_as(name: &str, json: &str, more: &[&str]) -> Answer {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join(name);
    fs::write(&file, json).unwrap();
    run(["check-config", file.to_str().unwrap()].iter().chain(more))
}

#[test]
fn every_problem_is_shown_where_it_is() {
    let json = r#"{
  "cniVersion": "1.2.0",
  "name": "an trea",
  "plugins": [
    {
      "type": "antrea",
      "antreaCni": {
        "socket": "run/cni.sock",
        "addTimeoutSeconds": 90, "logLevel": "trace",
        "colour": 5
      }
    }
  ]
}"#;
    let answer = check(json, &[]);
    for says in [
        ":2:17: error: incompatible CNI versions",
        ":3:11: error: invalid characters in network name",
        ":8:19: error: setting antreaCni.socket must be",
        ":9:46: error: setting antreaCni.logLevel must be",
        ":10:19: error: unknown setting antreaCni.colour",
    ] {
        answer.assert(1, says);
    }
    assert_eq!(answer.out.lines().count(), 5, "{answer:?}");
    let report = check(json, &["--output", "json"]).json();
    assert_eq!(report["findings"][4]["line"], 10, "{report}");
    assert_eq!([&report["accepted"], &report["safe"]], [false, false], "{report}");
}

#[test]
fn broken_json_is_shown_where_it_breaks() {
    check("{\n  \"name\": \"x\",\n}", &[]).assert(1, ":3:1: error: not a JSON object");
    check("[]", &[]).assert(1, ":1:1: error: not a JSON object");
    check("", &[]).assert(1, "error: not a JSON object");
    check(&" ".repeat(1 << 21), &[]).assert(1, "shorten it");
    check("\u{feff}{}", &[]).assert(1, "it begins with a byte order mark (BOM): leave it out");
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("x.conflist");
    let utf16: Vec<u8> = "\u{feff}{}".encode_utf16().flat_map(u16::to_le_bytes).collect();
    fs::write(&file, utf16).unwrap();
    run(["check-config", file.to_str().unwrap()]).assert(1, "it is in UTF-16: write it as UTF-8");
}

#[test]
fn releases_are_told_apart_by_version() {
    let of = |version: &str| {
        let json = format!(
            r#"{{"cniVersion":{version},"name":"x","plugins":[{{"type":"antrea","ipam":{{"type":"host-local"}}}}]}}"#
        );
        let report = check(&json, &["--output", "json"]);
        assert_eq!(report.exit, 0, "{report:?}");
        assert_eq!([&report.json()["accepted"], &report.json()["safe"]], [true, true]);
        let agents = report.json()["agents"].clone();
        let agents = agents.as_array().unwrap().iter();
        let row = |it: &Value| format!("{} {} {}", it["first"], it["last"], it["cniVersion"]);
        agents.map(row).collect::<Vec<_>>().join("; ").replace('"', "")
    };
    assert_eq!(of("\"0.3.0\""), "v0.1.0 v2.7.0 0.3.0");
    assert_eq!(of("\"1.0.0\""), "v0.1.0 v1.10.1 0.4.0; v1.11.0 v2.7.0 1.0.0");
    assert_eq!(of("\"1.1.0\""), "v0.1.0 v1.10.1 0.4.0; v1.11.0 v2.0.1 1.0.0; v2.1.0 v2.7.0 1.1.0");
    check(r#"{"cniVersion":null,"name":"x","plugins":[{"type":"antrea"}]}"#, &[])
        .assert(1, "cniVersion is not a string");
}

#[test]
fn what_is_unusual_but_accepted_is_a_warning() {
    check(r#"{"cniVersion":"1.1.0","name":"x","plugins":[{"type":"bridge"}]}"#, &[])
        .assert(0, "warning: no plugin of type");
    let without = r#"{"name":"x","type":"antrea"}"#;
    check_as("x.conf", without, &[]).assert(1, "every agent refuses that");
    let report = check_as("x.conf", without, &["-o", "json"]).json();
    assert_eq!([&report["accepted"], &report["safe"]], [true, false], "{report}");
    let beside = r#"{"cniVersion":"1.1.0","name":"x","antreaCni":{},"plugins":[{"type":"antrea","ipam":{"type":"host-local"}}]}"#;
    check(beside, &[]).assert(0, "belongs into the plugin");
}

/// What runtimes really handed over is accepted by the plugin and by this.
#[test]
fn captured_configurations_are_accepted() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/captures");
    let mut checked = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let capture: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
        for call in capture["calls_in_order"].as_array().unwrap() {
            // VERSION comes with a configuration that has no name.
            if call["env"]["CNI_COMMAND"] == "VERSION" {
                continue;
            }
            let stdin = call["stdin_raw"].as_str().unwrap();
            check_as("x.conf", stdin, &[]).assert(0, "");
            checked += 1;
        }
    }
    assert!(checked > 0, "no captures");
}

/// The node's settings tell where its folder is, and another name is that of another plugin.
#[test]
fn without_a_file_the_folder_of_the_node_is_checked() {
    let node = TempDir::new().unwrap();
    let path = |name: &str| node.path().join(name);
    fs::create_dir(path("bin")).unwrap();
    fs::create_dir(path("net.d")).unwrap();
    fs::copy(plugin(), path("bin").join(format!("other{EXE_SUFFIX}"))).unwrap();
    let settings = serde_json::json!({"confDir": path("net.d")}).to_string();
    fs::write(path("bin/.other.json"), settings).unwrap();
    let list = r#"{"cniVersion":"1.1.0","name":"x","plugins":[{"type":"other","antreaCni":{},"ipam":{"type":"host-local"}}]}"#;
    let file = path("net.d/10-other.conflist");
    fs::write(&file, list).unwrap();
    let (bin, file) = (path("bin"), file.to_str().unwrap());
    let answer = run(["check-config", "--bin-dir", bin.to_str().unwrap(), "--name", "other"]);
    answer.assert(0, "the runtime takes 10-other.conflist");
    answer.assert(0, "other: takes it, up to 1.1.0");
    assert!(!answer.out.contains("warning"), "{answer:?}");
    run(["check-config", "--name", "other", file]).assert(0, "Safe with any agent");
    run(["check-config", file]).assert(0, "warning: no plugin of type \"antrea\"");
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    run(["check-config", "/nowhere/x"]).assert(4, "cannot read /nowhere/x");
    // The others are checked all the same.
    let folder = TempDir::new().unwrap();
    let good = folder.path().join("a.conf");
    fs::write(
        &good,
        r#"{"cniVersion":"0.3.0","name":"x","type":"antrea","ipam":{"type":"host-local"}}"#,
    )
    .unwrap();
    let good = good.to_str().unwrap();
    let answer = run(["check-config", good, "/nowhere/x", good]);
    answer.assert(4, "cannot read /nowhere/x");
    assert_eq!(answer.out.matches("accepted").count(), 2, "{answer:?}");
}

/// What does nothing, or what nobody can do.
#[test]
fn settings_that_would_not_work_are_errors() {
    let with = |members: &str| {
        let plugin = format!(r#"{{"type":"antrea","ipam":{{"type":"host-local"}},{members}}}"#);
        check(&format!(r#"{{"cniVersion":"1.0.0","name":"x","plugins":[{plugin}]}}"#), &[])
    };
    for key in ["antreaCNI", "antreacni", "antrea-cni", "antrea_cni", "AntreaCni"] {
        with(&format!(r#""{key}":{{}}"#)).assert(1, &format!("{key} does nothing"));
    }
    with(r#""antreaCni":{}"#).assert(0, "Safe with any agent.");
    with(r#""antreaProxy":true"#).assert(0, "Safe");
    let folder = TempDir::new().unwrap();
    let logged = |path: &Path| with(&format!(r#""antreaCni":{{"logFile":{path:?}}}"#));
    let nowhere = folder.path().join("nowhere");
    let says = format!("there is no folder {}", nowhere.display());
    // In a container, whose folders may be others than the plugin's.
    logged(&nowhere.join("log")).assert(0, &says);
    logged(folder.path()).assert(0, "not a regular file");
    if cfg!(unix) {
        logged(Path::new("/dev/stderr")).assert(1, "not one below /dev, /proc or /sys");
    }
    let multus = r#"{"cniVersion":"1.0.0","name":"x","type":"multus","delegates":[
        {"cniVersion":"1.0.0","name":"y","plugins":[{"type":"antrea","antreaCni":{"logLevel":5}}]}]}"#;
    check_as("00-multus.conf", multus, &[]).assert(1, ":2:94: error: setting antreaCni.logLevel");
}

#[test]
fn a_folder_is_judged_as_a_whole() {
    let folder = TempDir::new().unwrap();
    let list = r#"{"cniVersion":"0.3.0","name":"antrea","plugins":[{"type":"antrea","ipam":{"type":"host-local"}}]}"#;
    fs::write(folder.path().join("10-antrea.conflist"), list).unwrap();
    let path = folder.path().to_str().unwrap().to_owned();
    run(["check-config", &path]).assert(0, "the runtime takes 10-antrea.conflist");
    fs::write(folder.path().join("05-cilium.conflist"), list.replace("antrea", "cilium")).unwrap();
    run(["check-config", &path])
        .assert(1, "Pods do not get 10-antrea.conflist: 05-cilium.conflist comes before it");
    // As a full disk leaves it. go-cni ends at the first error, ocicni goes on.
    fs::write(folder.path().join("00-cut.conflist"), "").unwrap();
    run(["check-config", &path])
        .assert(1, "00-cut.conflist is not a JSON object: containerd cannot load it");
}

const CHAIN: &str = r#"{"cniVersion":"VERSION","name":"x","plugins":[{"type":"antrea","ipam":{"type":"host-local"}},{"type":"portmap"}]}"#;

/// What comes with an agent of that time refuses the list, or CHECK fails.
#[test]
fn conditions_are_told_where_no_node_is_asked() {
    check(&CHAIN.replace("VERSION", "1.1.0"), &[]).assert(
        1,
        "the portmap and bandwidth that come with v0.1.0 to v2.1.0, v2.2.0 refuse the list",
    );
    check(&CHAIN.replace("VERSION", "1.0.0"), &[]).assert(1, "come with v0.1.0 to v1.9.1 refuse");
    check(&CHAIN.replace("VERSION", "0.4.0"), &[])
        .assert(0, "Safe with any agent. With CRI-O, which sends CHECK after each ADD");
    check(&CHAIN.replace("VERSION", "0.3.1"), &[])
        .assert(0, "Safe with any agent. If Multus makes its configuration of it");
    let off = CHAIN.replace("VERSION\"", "0.4.0\",\"disableCheck\":true");
    check(&off, &[]).assert(0, "Safe with any agent.\n");
}

/// libcni refuses it (`invoke.FindInPath`), so it is an error, and is never run.
#[cfg(unix)]
#[test]
fn a_type_with_a_path_in_it_is_refused_and_never_run() {
    let node = crate::support::Node::new();
    fs::create_dir(node.path("net.d")).unwrap();
    let proof = node.path("proof");
    let evil = node.path("evil");
    fs::write(&evil, format!("#!/bin/sh\ntouch {}\n", proof.display())).unwrap();
    crate::support::set_mode(&evil, 0o755);
    node.install("one", &[]).assert(0, "installed");
    for name in [evil.to_str().unwrap(), "../evil", "./antrea"] {
        for plugin in [
            format!(r#"{{"type":"antrea"}},{{"type":"{name}"}}"#),
            format!(r#"{{"type":"antrea"}},{{"type":"macvlan","ipam":{{"type":"{name}"}}}}"#),
        ] {
            let list = format!(r#"{{"cniVersion":"1.0.0","name":"antrea","plugins":[{plugin}]}}"#);
            fs::write(node.path("net.d/10-antrea.conflist"), list).unwrap();
            let (bin, conf) = (node.path("bin"), node.path("net.d"));
            let [bin, conf] = [&bin, &conf].map(|it| it.to_str().unwrap());
            run(["check-config", "--bin-dir", bin, conf]).assert(1, "invalid plugin name");
            run(["check-config", conf]).assert(1, "invalid plugin name");
            run(["status", "--bin-dir", bin, "--conf-dir", conf]);
            assert!(!proof.exists(), "{name} was run");
        }
    }
}

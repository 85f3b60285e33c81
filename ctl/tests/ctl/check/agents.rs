// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! What agents do with a list that the container runtime and the plugin take.

use std::fs;

use serde_json::Value;
use tempfile::TempDir;

use super::check;
use crate::support::run;

const IPAM: &str = r#""ipam":{"type":"host-local"}"#;

fn report(version: &str, plugins: &str, more: &str) -> Value {
    let list =
        format!(r#"{{"cniVersion":"{version}","name":"antrea"{more},"plugins":[{plugins}]}}"#);
    check(&list, &["-o", "json"]).json()
}

/// Each is taken by libcni and by the plugin, and refused or undone by agents.
#[test]
fn what_agents_refuse_is_not_safe() {
    let ours = |members: &str| format!(r#"{{"type":"antrea",{IPAM},{members}}}"#);
    let bridge =
        |mode: &str| format!(r#"{{"type":"azure-vnet","mode":"{mode}"}},{{"type":"antrea"}}"#);
    let macvlan = r#"{"type":"macvlan","ipam":{"type":"antrea"}}"#;
    for (version, plugins, says) in [
        ("1.0.0", r#"{"type":"antrea"}"#.to_owned(), "code 2"),
        ("0.3.0", r#"{"type":"antrea","ipam":{}}"#.to_owned(), "code 2"),
        ("1.0.0", r#"{"type":"antrea","ipam":{"type":"dhcp"}}"#.to_owned(), "code 2"),
        ("1.0.0", ours(r#""args":{"cni":{"ips":["10.0.0.1"]}}"#), "refuses args"),
        ("0.3.1", ours(r#""Args":5"#), "refuses Args"),
        ("1.0.0", ours(r#""path":{}"#), "refuses path"),
        ("1.0.0", ours(r#""mtu":"1450""#), "refuses mtu"),
        ("1.0.0", format!("{},{}", ours(r#""mtu":1450"#), ours(r#""mtu":1450"#)), "twice"),
        ("1.0.0", bridge("bridge"), "azure-vnet"),
        ("0.4.0", macvlan.to_owned(), "fails each CHECK"),
        ("1.1.0", macvlan.to_owned(), "fails each CHECK"),
    ] {
        let report = report(version, &plugins, "");
        assert_eq!([&report["accepted"], &report["safe"]], [true, false], "{report}");
        let findings = report["findings"].as_array().unwrap();
        let is_it = |it: &&Value| it["severity"] == "unsafe";
        let found: Vec<_> = findings.iter().filter(is_it).map(|it| &it["message"]).collect();
        assert!(found.iter().any(|it| it.as_str().unwrap().contains(says)), "{says}: {report}");
    }
}

#[test]
fn what_agents_take_is_safe() {
    for (version, plugins, more) in [
        ("1.0.0", format!(r#"{{"type":"antrea",{IPAM},"mtu":1450,"args":null}}"#), ""),
        ("1.0.0", r#"{"type":"antrea","ipam":{"type":"antrea"}}"#.to_owned(), ""),
        ("1.0.0", r#"{"type":"aws-cni"},{"type":"antrea"}"#.to_owned(), ""),
        ("0.3.0", r#"{"type":"azure-vnet","mode":"transparent"},{"type":"antrea"}"#.to_owned(), ""),
        ("0.3.1", r#"{"type":"macvlan","ipam":{"type":"antrea"}}"#.to_owned(), ""),
        (
            "1.0.0",
            r#"{"type":"macvlan","ipam":{"type":"antrea"}}"#.to_owned(),
            r#","disableCheck":true"#,
        ),
        // A list has what another type says, whatever it is.
        ("1.0.0", format!(r#"{{"type":"antrea",{IPAM}}},{{"type":"tuning","args":{{}}}}"#), ""),
    ] {
        let report = report(version, &plugins, more);
        assert_eq!([&report["accepted"], &report["safe"]], [true, true], "{report}");
    }
}

/// libcni adds `NAME/*.conf` to a list from 1.3.0 on.
#[test]
fn plugins_in_the_folder_of_the_network_are_plugins_of_the_list() {
    let folder = TempDir::new().unwrap();
    let beside = folder.path().join("antrea");
    fs::create_dir(&beside).unwrap();
    let list = |more: &str| {
        let list = format!(
            r#"{{"cniVersion":"1.0.0","name":"antrea"{more},"plugins":[{{"type":"antrea",{IPAM}}}]}}"#
        );
        fs::write(folder.path().join("10-antrea.conflist"), list).unwrap();
        run(["check-config", folder.path().to_str().unwrap()])
    };
    let path = beside.join("20-more.conf");
    for (text, says) in [
        ("{", "not a JSON object"),
        (r#"{"name":"x"}"#, "a plugin without a type"),
        (r#"{"type":"tuning","capabilities":{"mac":"true"}}"#, "capabilities must be"),
        (r#"{"type":"antrea"}"#, "antrea twice"),
    ] {
        fs::write(&path, text).unwrap();
        list("").assert(1, says);
        list(r#","loadOnlyInlinedPlugins":true"#).assert(0, "Safe with any agent");
    }
    fs::write(&path, r#"{"type":"tuning"}"#).unwrap();
    list("").assert(0, "20-more.conf:1:1: warning: libcni 1.3.0 and later add this plugin");
}

/// Also where the programs of the node take it.
#[cfg(unix)]
#[test]
fn what_agents_refuse_is_not_safe_on_a_node() {
    let node = crate::support::Node::new();
    node.install("one", &[]).assert(0, "installed");
    let list = r#"{"cniVersion":"1.0.0","name":"antrea","plugins":[{"type":"antrea"}]}"#;
    let bin = node.path("bin");
    let answer = check(list, &["--bin-dir", bin.to_str().unwrap()]);
    answer.assert(1, "Not safe: correct what is marked unsafe above.");
    check(list, &[]).assert(1, "Not safe: correct what is marked unsafe above.");
}

/// Go's decoder takes what serde does not, and the other way round.
#[test]
fn odd_json_is_judged_as_go_decodes_it() {
    let with = |member: &str| {
        let list = format!(
            r#"{{"cniVersion":"1.0.0","name":"antrea","plugins":[{{"type":"antrea",{IPAM}}}],{member}}}"#
        );
        check(&list, &[])
    };
    with(r#""x":1e400"#).assert(1, "a number that is too large");
    with(r#""x":"\ud800""#).assert(0, "Safe with any agent");
    with(r#""x":"a","x":"b""#).assert(0, "Safe with any agent");
    with(r#""cniVersion":"9.0.0""#).assert(1, "incompatible CNI versions");
    let levels = |count: usize| format!(r#""x":{}{}"#, "[".repeat(count), "]".repeat(count));
    with(&levels(9_000)).assert(0, "Safe with any agent");
    with(&levels(10_000)).assert(1, "more than 10000 levels");
    let folder = TempDir::new().unwrap();
    let file = folder.path().join(".conflist");
    let list = format!(
        r#"{{"cniVersion":"1.0.0","name":"antrea","plugins":[{{"type":"antrea",{IPAM}}}]}}"#
    );
    fs::write(&file, list).unwrap();
    run(["check-config", file.to_str().unwrap()]).assert(0, "Safe with any agent");
    run(["check-config", folder.path().to_str().unwrap()]).assert(0, "takes .conflist");
}

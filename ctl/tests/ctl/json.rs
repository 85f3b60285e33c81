// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Each key that the tool writes with `--output json` is in the page of JSON.

use std::collections::BTreeSet;
use std::fs;

use antrea_cni_agent::{Agent, Api, Options};
use serde_json::{Value, json};

use crate::support::{INSTALLED, Node, call, run};

/// Returns the keys in the sections of docs/json.md that begin with `title`.
fn documented(title: &str) -> BTreeSet<String> {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/json.md");
    let page = fs::read_to_string(page).unwrap();
    let sections = page.split("\n## ").filter(|it| it.starts_with(title));
    let rows = sections.flat_map(str::lines).filter_map(|it| it.strip_prefix("| `"));
    rows.filter_map(|it| it.split('`').next().map(str::to_owned)).collect()
}

fn collect_keys(value: &Value, keys: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            for (key, value) in members {
                keys.insert(key.clone());
                // The keys of a timeline are the names of APIs.
                if key != "apis" || value.is_array() {
                    collect_keys(value, keys);
                }
            }
        }
        Value::Array(all) => all.iter().for_each(|it| collect_keys(it, keys)),
        _ => (),
    }
}

#[test]
fn each_key_of_the_tools_json_is_documented() {
    let node = Node::new();
    node.install("one", &[]).assert(0, INSTALLED);
    let (socket, log) = (node.socket(), node.path("n1.log"));
    let list = json!({"cniVersion": "1.1.0", "name": "antrea", "plugins": [
        {"type": "antrea", "antreaCni": {"socket": socket, "logFile": log}}, {"type": "portmap"}]});
    fs::create_dir(node.path("net.d")).unwrap();
    fs::write(node.path("net.d/10-antrea.conflist"), list.to_string()).unwrap();
    let _agent = Agent::start(Options::new(&socket, &[Api::V1, Api::V1BETA1])).unwrap();
    let mut configuration = list["plugins"][0].clone();
    configuration["cniVersion"] = "1.1.0".into();
    configuration["name"] = "antrea".into();
    call(&node.target(), "ADD", "c0ffee", &configuration.to_string());

    let path = |name: &str| node.path(name).to_str().unwrap().to_owned();
    let (bin, conf, log) = (path("bin"), path("net.d"), path("n1.log"));
    let socket = socket.to_str().unwrap();
    let outputs = [path("n1.status.json"), path("n1.probe.json"), log.clone()];
    let [status, probe, _] = &outputs;
    for (titles, arguments) in [
        (&["`status", "`settings"][..], vec!["status", "--bin-dir", &bin, "--conf-dir", &conf]),
        (&["`settings"], vec!["settings", "--bin-dir", &bin, "--conf-dir", &conf]),
        (&["`probe"], vec!["probe", "--socket", socket]),
        (&["`check-config"], vec!["check-config", "--bin-dir", &bin, &conf]),
        (&["`owed"], vec!["owed", "--socket", socket]),
        (&["`log summary"], vec!["log", "summary", "--file", &log]),
        (&["A line of the log"], vec!["log", "show", "--file", &log]),
        (&["`fleet"], [&["fleet"], &outputs.each_ref().map(|it| &**it)[..]].concat()),
    ] {
        let answer = run(arguments.iter().copied().chain(["--output", "json"]));
        let mut keys = BTreeSet::new();
        for line in answer.out.lines() {
            collect_keys(&serde_json::from_str(line).unwrap(), &mut keys);
        }
        match *titles.first().unwrap() {
            "`status" => fs::write(status, &answer.out).unwrap(),
            "`probe" => fs::write(probe, &answer.out).unwrap(),
            // It reads what the tool has just written.
            "`fleet" => assert_eq!(answer.exit, 0, "{answer:?}"),
            _ => (),
        }
        let documented: BTreeSet<_> = titles.iter().flat_map(|it| documented(it)).collect();
        let unknown: Vec<_> = keys.difference(&documented).collect();
        assert!(
            !keys.is_empty() && unknown.is_empty(),
            "docs/json.md has no {unknown:?}: {answer:?}"
        );
    }
}

// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! `owed`: the DELs that no agent did yet.

use antrea_cni_agent::{Agent, Api, Options};
use serde_json::json;

use crate::support::{Answer, Node, call, run, socket};

#[test]
fn what_the_plugin_owes_is_shown_counted_and_dropped() {
    let node = Node::new();
    std::fs::create_dir(node.path("net.d")).unwrap();
    let at = socket(&node.path(""));
    let at = at.to_str().unwrap();
    let set = format!("socket={at}");
    node.install("one", &["--set", &set, "--set", "waitForAgentSeconds=0"]).assert(0, "installed");
    let del = |container: &str| {
        let configuration = r#"{"cniVersion":"1.0.0","name":"antrea","type":"antrea"}"#;
        assert!(call(&node.target(), "DEL", container, configuration).status.success());
    };
    let tool = |command: &str, more: &[&str]| -> Answer {
        let mut tool = node.command(command);
        tool.arg("--conf-dir").arg(node.path("net.d")).args(more).output().unwrap().into()
    };
    tool("owed", &[]).assert(0, "0 owed");
    ["a", "b", "c"].into_iter().for_each(del);
    // The socket is the one of the node's settings, or one that is named.
    tool("owed", &[]).assert(0, "a@eth0");
    let named = run(["owed", "--socket", &format!("unix://{at}"), "-o", "json"]);
    #[cfg(unix)]
    assert_eq!(named.json()["owed"].as_array().unwrap().len(), 3);
    let _ = named;
    assert_eq!(tool("status", &["-o", "json"]).json()["owed"], 3);
    assert_eq!(tool("probe", &["-o", "json"]).json()["owed"], 3);
    tool("owed", &["--drop"]).assert(0, "3 dropped");
    tool("owed", &[]).assert(0, "0 owed");
    run(["owed", "--socket", "relative"]).assert(2, "'--socket <PATH>': it must be");

    // What an agent did is owed no more.
    del("d");
    let agent = Agent::start(Options::new(at, &[Api::V1BETA1])).unwrap();
    del("e");
    assert_eq!(agent.served().len(), 2);
    assert_eq!(tool("owed", &["-o", "json"]).json()["owed"], json!([]));
}

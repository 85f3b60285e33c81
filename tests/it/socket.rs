// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! What stands at the path of the socket, and who may have put it there.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown, symlink};

use antrea_cni_agent::{Agent, Api, Options};
use antrea_cni_test_support::{TestNode, skipped};
use serde_json::json;

#[test]
fn a_link_leads_only_into_a_folder_that_others_cannot_write() {
    let node = TestNode::new();
    let real = node.path("real");
    fs::create_dir(&real).unwrap();
    let agent = Agent::start(Options::new(real.join("cni.sock"), &[Api::V1])).unwrap();
    symlink(real.join("cni.sock"), node.socket()).unwrap();
    let check = |mode: u32| {
        fs::set_permissions(&real, fs::Permissions::from_mode(mode)).unwrap();
        node.call("STATUS", "1.1.0").run()
    };
    check(0o755).assert_silent_success();
    for mode in [0o775, 0o757, 0o777] {
        assert_eq!(check(mode).code(), 5, "{mode:o}");
    }
    check(0o700).assert_silent_success();
    if !nix::unistd::geteuid().is_root() {
        skipped("a folder of another user needs root");
        return;
    }
    chown(&real, Some(4242), None).unwrap();
    assert_eq!(check(0o755).code(), 5);
    assert_eq!(agent.served().len(), 2);
}

#[test]
fn a_file_that_is_no_socket_is_no_agent() {
    let node = TestNode::new();
    fs::write(node.socket(), "").unwrap();
    assert_eq!(node.call("ADD", "1.0.0").run().code(), 11);
    let fail = json!({"waitForAgentSeconds": 0, "delWhenAgentDown": "fail"});
    assert_eq!(node.call_with("DEL", "1.0.0", fail).run().code(), 11);
    // Nobody is there to do it, as where there is nothing at all.
    node.call("DEL", "1.0.0").env("CNI_NETNS", "").run().assert_silent_success();
    let settings = json!({"waitForAgentSeconds": 0, "delWhenAgentDown": "succeed"});
    node.call_with("DEL", "1.0.0", settings).run().assert_silent_success();
}

#[test]
fn an_agent_that_refuses_a_del_or_a_gc_in_band_is_there() {
    let node = TestNode::new();
    let error = json!({"error": {"code": 101, "message": "no"}});
    let _agent = node.scripted(&[Api::V1], json!({"DEL": error, "GC": error}));
    assert_eq!(node.call("GC", "1.1.0").run().code(), 101);
    let settings = json!({"waitForAgentSeconds": 0, "delWhenAgentDown": "succeed"});
    assert_eq!(node.call_with("DEL", "1.0.0", settings).run().code(), 101);
}

#[test]
fn silence_is_not_what_makes_an_agent_forgotten() {
    let node = TestNode::new();
    let agent = node.agent(&[Api::V1]);
    node.call("STATUS", "1.1.0").run().assert_silent_success();
    drop(agent);
    assert_eq!(node.call("STATUS", "1.1.0").run().code(), 50);
    let settings = json!({"waitForAgentSeconds": 30});
    node.call_with("STATUS", "1.1.0", settings).run().assert_silent_success();
}

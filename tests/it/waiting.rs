// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Plugins that wait for an agent: each looks for itself.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use antrea_cni_agent::{Agent, Api, Options};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::json;

use antrea_cni_test_support::{Call, Running, TestNode, eventually};

/// More than a user has inotify instances.
const MANY: usize = 160;

fn pid(running: &Running) -> i32 {
    running.child.id().cast_signed()
}

/// Starts plugins that wait for an agent.
fn start(node: &TestNode, socket: &Path, count: usize) -> Vec<Running> {
    let configuration = json!({
        "cniVersion": "1.1.0", "name": "antrea", "type": "antrea",
        "antreaCni": {"socket": socket, "waitForAgentSeconds": 50, "confDir": node.path("net.d")},
    });
    let call = Call::new("ADD", configuration.to_string()).env("CNI_NETNS", node.netns());
    (0..count)
        .map(|index| call.clone().env("CNI_CONTAINERID", format!("c{index}")).spawn())
        .collect()
}

/// Links of a process's descriptors.
fn descriptors(running: &Running) -> BTreeSet<String> {
    let folder = fs::read_dir(format!("/proc/{}/fd", pid(running))).unwrap();
    folder
        .filter_map(|it| Some(fs::read_link(it.ok()?.path()).ok()?.to_string_lossy().into_owned()))
        .collect()
}

/// How often a process was woken.
fn switches(running: &Running) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", pid(running))).unwrap();
    let line = status.lines().find_map(|it| it.strip_prefix("voluntary_ctxt_switches:"));
    line.unwrap().trim().parse().unwrap()
}

/// Waits until each has looked for the agent more than once.
fn settle(waiting: &[Running]) {
    eventually("all look for the agent", || waiting.iter().all(|it| switches(it) >= 4));
}

fn agent(node: &TestNode, socket: &str) -> Agent {
    Agent::start(Options::new(node.path(socket), &[Api::V1])).unwrap()
}

fn all_are_done(waiting: Vec<Running>) {
    for running in waiting {
        let answer = running.wait();
        assert_eq!(answer.exit(), 0, "{answer:?}");
    }
}

#[test]
fn all_of_many_are_answered() {
    let node = TestNode::new();
    let waiting = start(&node, &node.socket(), MANY);
    settle(&waiting);
    let agent = node.agent(&[Api::V1]);
    all_are_done(waiting);
    assert_eq!(agent.served().len(), MANY);
}

/// A place that processes share can be held by one that is stopped, hostile, or in another
/// namespace. inotify instances belong to kubelet and the runtime.
#[test]
fn those_that_wait_share_nothing() {
    let node = TestNode::new();
    let waiting = start(&node, &node.socket(), 5);
    settle(&waiting);
    for running in &waiting {
        let open = descriptors(running);
        let shared = open.iter().any(|it| it.contains("inotify") || it.starts_with("socket:"));
        assert!(!shared, "{open:?}");
    }
    let _agent = node.agent(&[Api::V1]);
    all_are_done(waiting);
}

#[test]
fn one_that_is_stopped_holds_up_nobody() {
    let node = TestNode::new();
    let mut waiting = start(&node, &node.socket(), 4);
    settle(&waiting);
    let first = waiting.remove(0);
    kill(Pid::from_raw(pid(&first)), Signal::SIGSTOP).unwrap();
    let _agent = node.agent(&[Api::V1]);
    eventually("the others are done", || waiting.iter().all(Running::has_ended));
    all_are_done(waiting);
    kill(Pid::from_raw(pid(&first)), Signal::SIGCONT).unwrap();
    all_are_done(vec![first]);
}

#[test]
fn who_waits_for_nobody_gives_up() {
    let node = TestNode::new();
    for socket in [node.socket(), node.path("run/antrea/cni.sock")] {
        let settings = json!({"socket": socket, "waitForAgentSeconds": 2});
        let configuration = json!({"cniVersion": "1.1.0", "name": "antrea", "antreaCni": settings});
        let answer = Call::new("ADD", configuration.to_string()).run();
        assert_eq!(answer.code(), 11, "{answer:?}");
        assert!(answer.elapsed.as_secs() >= 2, "{answer:?}");
        assert!(answer.text().contains("remove the conflist"), "{answer:?}");
    }
}

#[test]
fn a_socket_is_seen_however_it_comes() {
    type Comes = fn(&TestNode) -> Agent;
    let ways: [(&str, Comes); 4] = [
        ("run/antrea/cni.sock", |node| {
            // A folder on the way, that is moved there with the socket in it.
            fs::create_dir_all(node.path("other/antrea")).unwrap();
            let served = agent(node, "other/antrea/cni.sock");
            fs::rename(node.path("other"), node.path("run")).unwrap();
            served
        }),
        ("run/antrea/cni.sock", |node| {
            fs::create_dir(node.path("run")).unwrap();
            fs::create_dir(node.path("run/antrea")).unwrap();
            agent(node, "run/antrea/cni.sock")
        }),
        ("link.sock", |node| {
            fs::create_dir(node.path("there")).unwrap();
            symlink(node.path("there/cni.sock"), node.path("link.sock")).unwrap();
            agent(node, "there/cni.sock")
        }),
        ("linked/cni.sock", |node| {
            fs::create_dir(node.path("there")).unwrap();
            let served = agent(node, "there/cni.sock");
            symlink(node.path("there"), node.path("linked")).unwrap();
            served
        }),
    ];
    for (socket, comes) in ways {
        let node = TestNode::new();
        let waiting = start(&node, &node.path(socket), 3);
        settle(&waiting);
        let agent = comes(&node);
        all_are_done(waiting);
        assert_eq!(agent.served().len(), 3, "{socket}");
    }
}

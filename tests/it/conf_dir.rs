// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! A call is not in the way of a runtime that waits to read its network configurations.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
#[cfg(target_os = "linux")]
use std::process::Command;
use std::time::{Duration, SystemTime};

use antrea_cni_agent::Api;
#[cfg(target_os = "linux")]
use serde_json::Value;
use serde_json::json;

use antrea_cni_test_support::frames::RawAgent;
#[cfg(target_os = "linux")]
use antrea_cni_test_support::skipped;
use antrea_cni_test_support::{Running, TestNode};

/// A folder with a conflist, which both changed some seconds ago.
fn conf_dir(node: &TestNode, folder_s: u64, list_s: u64) -> PathBuf {
    let folder = node.path("net.d");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("10-antrea.conflist"), "{}").unwrap();
    changed(&folder.join("10-antrea.conflist"), list_s);
    changed(&folder, folder_s);
    folder
}

fn changed(path: &Path, seconds_ago: u64) {
    let time = SystemTime::now() - Duration::from_secs(seconds_ago);
    File::open(path).unwrap().set_modified(time).unwrap();
}

/// The file whose time says when a command ended that had been in the runtime's way.
fn delay_record(node: &TestNode) -> PathBuf {
    let mut path = node.socket().into_os_string();
    path.push(".delayed");
    path.into()
}

fn seconds_since(path: &Path) -> u64 {
    fs::metadata(path).unwrap().modified().unwrap().elapsed().unwrap().as_secs()
}

fn add(node: &TestNode) -> Running {
    node.call_with("ADD", "1.0.0", json!({"addTimeoutSeconds": 40, "waitForAgentSeconds": 40}))
        .spawn()
}

/// Whether an ADD ended in some 20 s after its begin, and not with its 40 s.
fn gave_way(running: Running) -> bool {
    let answer = running.wait();
    assert_eq!(answer.code(), 11, "{answer:?}");
    let gave_way = answer.text().contains("the container runtime waits to read");
    let seconds = answer.elapsed.as_secs();
    assert_eq!(seconds < 35, gave_way, "{answer:?}");
    assert!(!gave_way || seconds >= 20, "{answer:?}");
    gave_way
}

/// All at once: each takes 20 or 40 s.
#[test]
fn a_call_ends_20_s_after_a_change_that_the_runtime_waits_for() {
    let cases: Vec<(&str, TestNode, bool)> = [
        ("the folder is not there", None, None, false),
        ("in quiet", Some((300, 300)), None, false),
        ("the folder, a moment before", Some((5, 300)), None, true),
        ("a list, a moment before", Some((300, 5)), None, true),
        ("before, and no command was in the way", Some((30, 300)), None, false),
        ("before, and a command was in the way long ago", Some((30, 300)), Some(20), false),
        ("before, and a command was in the way until now", Some((30, 300)), Some(0), true),
        ("long before, and a command was in the way until now", Some((70, 70)), Some(0), false),
    ]
    .into_iter()
    .map(|(what, changes, delay_ended, expected)| {
        let node = TestNode::new();
        if let Some((folder, list)) = changes {
            conf_dir(&node, folder, list);
        }
        if let Some(seconds_ago) = delay_ended {
            let record = delay_record(&node);
            fs::write(&record, "").unwrap();
            changed(&record, seconds_ago);
        }
        (what, node, expected)
    })
    .collect();
    // Whatever it waits for: here it has an agent that says nothing.
    let silent = TestNode::new();
    conf_dir(&silent, 5, 300);
    let agent = RawAgent::start(&silent.socket(), |connection| {
        connection.handshake()?;
        connection.drain()
    });
    std::thread::scope(|all| {
        for (what, node, expected) in &cases {
            all.spawn(move || {
                assert_eq!(gave_way(add(node)), *expected, "{what}");
                // The next command waited for it.
                assert!(!expected || seconds_since(&delay_record(node)) < 10, "{what}");
            });
        }
        assert!(gave_way(add(&silent)));
    });
    assert_eq!((agent.requests(), silent.owed().len()), (1, 1), "its outcome is unknown");
}

/// The agent's words stay, with why it was not asked again.
#[test]
fn a_call_that_an_agent_puts_off_ends_early_and_says_why() {
    let node = TestNode::new();
    conf_dir(&node, 5, 300);
    let busy = json!({"ADD": {"error": {"code": 11, "message": "busy"}}});
    let _agent = node.scripted(&[Api::V1], busy);
    let answer = node.call("ADD", "1.0.0").run();
    assert_eq!(answer.code(), 11, "{answer:?}");
    let text = answer.text();
    assert!(
        text.starts_with("busy; asked ") && text.contains("the container runtime waits to read"),
        "{text}"
    );
}

#[test]
fn a_conflist_that_is_rewritten_while_a_call_waits_counts() {
    let node = TestNode::new();
    let folder = conf_dir(&node, 300, 300);
    let running = add(&node);
    // As `install -m 644` does; the time is what the plugin looks at.
    let list = folder.join("10-antrea.conflist");
    fs::remove_file(&list).unwrap();
    fs::write(&list, "{}").unwrap();
    assert!(gave_way(running));
}

/// CRI-O's own library sets up a Pod each second, and no agent is there. kubelet takes a node for
/// not ready after 30 s without an answer of Status.
#[cfg(target_os = "linux")]
#[test]
#[ignore = "takes 105 s, and needs root, Go and iproute2; make test-release runs it"]
fn status_of_cri_o_is_answered_while_a_list_is_written_anew() {
    let run = |command: &mut Command| {
        let output = command.output().unwrap();
        assert!(output.status.success(), "{command:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    if Command::new("go").arg("version").output().is_err() {
        return skipped("CRI-O's library needs Go");
    }
    let node = TestNode::new();
    let folder = conf_dir(&node, 300, 300);
    let list = folder.join("10-antrea.conflist");
    let plugin: Value = serde_json::from_str(&node.configuration("1.0.0", json!({}))).unwrap();
    let conflist = json!({"cniVersion": "1.0.0", "name": plugin["name"], "plugins": [plugin]});
    fs::write(&list, conflist.to_string()).unwrap();
    changed(&list, 300);
    let bin = node.path("bin");
    fs::create_dir(&bin).unwrap();
    fs::copy(antrea_cni_test_support::plugin(), bin.join("antrea")).unwrap();
    let caller = node.path("reload");
    let mut go = Command::new("go");
    go.args(["build", "-o"]).arg(&caller).arg("./reload").current_dir("tests/interop/go");
    run(go.env("CGO_ENABLED", "0"));
    let netns = format!("reload-{}", std::process::id());
    run(Command::new("ip").args(["netns", "add", &netns]));
    let mut command = Command::new(caller);
    command.arg(folder).arg(node.path("cache")).arg(bin);
    let output = command.arg(format!("/run/netns/{netns}")).arg("105").output().unwrap();
    run(Command::new("ip").args(["netns", "delete", &netns]));
    let seconds: u64 = String::from_utf8_lossy(&output.stdout).trim().parse().unwrap();
    assert!((10..30).contains(&seconds), "Status was not answered for {seconds} s");
}

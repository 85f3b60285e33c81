// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! `install`, `uninstall`, `rollback`.

#[cfg(unix)]
mod linux;
#[cfg(windows)]
mod windows;

use std::fs;
use std::process::Stdio;

use crate::support::{Answer, INSTALLED, Node, PLUGIN, assert_mode, run, set_mode};

#[test]
fn install_is_whole_executable_and_skipped_when_identical() {
    let node = Node::new();
    node.install("one", &[]).assert(0, INSTALLED);
    assert_eq!(node.installed(), "one");
    assert_mode(&node.target(), 0o755);
    node.install("one", &[]).assert(0, "is installed already");
}

#[test]
fn uninstall_restores_what_was_there_before_the_first_install() {
    let node = Node::new();
    fs::write(node.target(), "#!/bin/sh\n").unwrap();
    set_mode(&node.target(), 0o711);
    node.install("one", &[]).assert(0, "installed");
    node.install("two", &[]).assert(0, "installed");
    node.run("uninstall").assert(0, "what was there before is back");
    assert_eq!(fs::read(node.target()).unwrap(), b"#!/bin/sh\n");
    assert_mode(&node.target(), 0o711);
    node.run("uninstall").assert(0, "nothing was installed here");
    assert_eq!(node.files(), [PLUGIN.to_owned()].into());
}

#[test]
fn uninstall_removes_what_replaced_nothing() {
    let node = Node::new();
    node.install("one", &[]).assert(0, "installed");
    node.run("uninstall").assert(0, "uninstalled");
    assert!(node.files().is_empty(), "{:?}", node.files());
    node.run("uninstall").assert(0, "nothing was installed here");
}

#[test]
fn uninstall_leaves_alone_what_somebody_else_installed_since() {
    let node = Node::new();
    node.install("one", &[]).assert(0, "installed");
    fs::write(node.path("theirs"), "theirs").unwrap();
    fs::rename(node.path("theirs"), node.target()).unwrap();
    node.run("uninstall").assert(0, "not changed");
    assert_eq!(fs::read(node.target()).unwrap(), b"theirs");
}

#[test]
fn rollback_goes_one_version_back_once() {
    let node = Node::new();
    node.run("rollback").assert(0, "nothing was installed here");
    node.install("one", &[]).assert(0, "installed");
    node.run("rollback").assert(0, "no earlier plugin");
    node.install("two", &[]).assert(0, "installed");
    node.run("rollback").assert(0, "rolled back");
    assert_eq!(node.installed(), "one");
    node.run("rollback").assert(0, "no earlier plugin");
    assert_eq!(node.installed(), "one");
    node.run("uninstall").assert(0, "uninstalled");
    assert!(node.files().is_empty());
}

#[test]
fn rollback_puts_back_what_stood_there_right_before() {
    let node = Node::new();
    node.install("one", &[]).assert(0, "installed");
    // As Antrea's own init container does at each restart of the agent's Pod.
    fs::remove_file(node.target()).unwrap();
    fs::write(node.target(), "theirs").unwrap();
    node.run("rollback").assert(0, "no earlier plugin");
    node.install("two", &[]).assert(0, "installed");
    // One that changes nothing does not count.
    node.install("two", &[]).assert(0, "is installed already");
    node.run("rollback").assert(0, "rolled back");
    assert_eq!(fs::read(node.target()).unwrap(), b"theirs");
    node.run("rollback").assert(0, "no earlier plugin");
    node.run("uninstall").assert(0, "not changed");
    assert_eq!(fs::read(node.target()).unwrap(), b"theirs");
    assert_eq!(node.files(), [PLUGIN.to_owned()].into());
}

#[test]
fn wrong_places_are_named() {
    let node = Node::new();
    for name in ["../antrea", "", "a/b", ".."] {
        node.install("one", &["--name", name]).assert(2, "not a file name");
    }
    node.install("nothing", &[]).assert(1, "cannot read");
    let file = node.path("one");
    let nowhere = node.path("one/bin");
    let nowhere = nowhere.to_str().unwrap();
    let answer = run(["install", "--from", file.to_str().unwrap(), "--bin-dir", nowhere]);
    answer.assert(1, &format!("cannot create {nowhere}"));
}

#[test]
fn installers_at_the_same_time_take_turns() {
    let node = Node::new();
    let children: Vec<_> = (0..16)
        .map(|turn| {
            let command = if turn % 4 == 3 { "uninstall" } else { "install" };
            let mut tool = node.command(command);
            if command == "install" {
                tool.arg("--from").arg(node.path(if turn % 2 == 0 { "one" } else { "two" }));
            }
            tool.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
        })
        .collect();
    for child in children {
        Answer::from(child.wait_with_output().unwrap()).assert(0, "");
    }
    node.install("one", &[]).assert(0, "");
    assert_eq!(node.installed(), "one");
    node.run("uninstall").assert(0, "uninstalled");
    assert!(node.files().is_empty(), "{:?}", node.files());
}

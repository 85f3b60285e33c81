// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! A program that runs cannot be replaced there, but renamed.

use std::fs::File;
use std::os::windows::fs::OpenOptionsExt;
use std::process::Child;

use crate::support::{Node, PLUGIN, cni};

/// The plugin, while it reads its configuration.
fn running(node: &Node) -> Child {
    cni(&node.target(), "ADD", "a").spawn().unwrap()
}

#[test]
fn a_plugin_that_runs_is_replaced_rolled_back_and_removed() {
    let node = Node::new();
    node.install("one", &[]).assert(0, "installed");
    let mut first = running(&node);
    node.install("two", &[]).assert(0, "installed");
    assert_eq!(node.installed(), "two");
    let mut second = running(&node);
    node.run("rollback").assert(0, "rolled back");
    assert_eq!(node.installed(), "one");
    let mut third = running(&node);
    node.run("uninstall").assert(0, "uninstalled");
    assert!(!node.target().exists());
    for plugin in [&mut first, &mut second, &mut third] {
        assert!(plugin.try_wait().unwrap().is_none(), "it ended before it was replaced");
        drop(plugin.stdin.take());
        plugin.wait().unwrap();
    }
    // The next change removes what could not be removed while it ran.
    node.install("one", &[]).assert(0, "installed");
    assert_eq!(node.files(), [PLUGIN.to_owned(), ".antrea.cnictl".to_owned()].into());
}

/// As antivirus software opens a new program.
#[test]
fn a_plugin_that_is_held_open_is_left_as_it_is() {
    const FILE_SHARE_READ: u32 = 1;
    let node = Node::new();
    node.install("one", &[]).assert(0, "installed");
    let held = File::options().read(true).share_mode(FILE_SHARE_READ).open(node.target()).unwrap();
    node.install("two", &[]).assert(2, "a program has the file open");
    drop(held);
    assert_eq!(node.installed(), "one");
    node.install("two", &[]).assert(0, "installed");
    node.run("rollback").assert(0, "rolled back");
    assert_eq!(node.installed(), "one");
}

// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! `status`: what is installed.

use std::fs;

use crate::support::{Answer, Node};

fn status(node: &Node, more: &[&str]) -> Answer {
    let mut tool = node.command("status");
    tool.arg("--conf-dir").arg(node.path("net.d")).args(more).output().unwrap().into()
}

#[test]
fn ours_that_answers_is_good_and_all_else_is_not() {
    let node = Node::new();
    fs::create_dir(node.path("net.d")).unwrap();
    let answer = status(&node, &[]);
    answer.assert(1, "nothing is there");
    answer.assert(1, "this tool has installed nothing here");
    answer.assert(1, "nothing was installed as ");
    assert!(!answer.out.contains("installed last"), "{answer:?}");
    fs::write(node.path("theirs"), "theirs").unwrap();
    node.overwrite(&node.target(), &node.path("theirs"));
    status(&node, &[]).assert(1, "another plugin");
    node.install("one", &[]).assert(0, "installed");
    let answer = status(&node, &["-o", "json"]);
    answer.assert(0, "");
    let found = answer.json();
    assert_eq!(found["plugin"]["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(found["plugin"]["sha256"].as_str().unwrap().len(), 64);
    for (pointer, expected) in [
        ("/plugin/isOurs", true),
        ("/plugin/answers", true),
        ("/keeper", false),
        ("/rolledBack", false),
        ("/kept/original", true),
        ("/kept/before", true),
    ] {
        assert_eq!(found.pointer(pointer).unwrap(), expected, "{pointer}: {found}");
    }
    // Another plugin in its place is bad news; one that was rolled back to is not.
    node.overwrite(&node.target(), &node.path("theirs"));
    status(&node, &[]).assert(1, "not what was installed last");
    node.install("two", &[]).assert(0, "installed");
    node.run("rollback").assert(0, "rolled back");
    status(&node, &[]).assert(0, "in force: the previous plugin");
    fs::write(node.path("net.d/00-other.conflist"), "{}").unwrap();
    status(&node, &[]).assert(1, "does not lead to this plugin");
}

/// It is the readiness probe: what stands in the plugin's place, or beside it, does not keep
/// it, nor fill its memory.
#[cfg(unix)]
#[test]
fn a_plugin_that_hangs_or_writes_without_end_does_not_keep_it() {
    let node = Node::new();
    fs::create_dir(node.path("net.d")).unwrap();
    let version = r#"{"cniVersion":"1.0.0","supportedVersions":["1.0.0"]}"#;
    let script = |path: &std::path::Path, text: &str| {
        let _ = fs::remove_file(path);
        antrea_cni_test_support::write_script(path, &format!("#!/bin/sh\n{text}\n"));
    };
    let list =
        r#"{"cniVersion":"1.0.0","name":"antrea","plugins":[{"type":"antrea"},{"type":"other"}]}"#;
    fs::write(node.path("net.d/10-antrea.conflist"), list).unwrap();
    node.install("one", &[]).assert(0, "installed");
    for text in ["sleep 3600 & sleep 3600", "cat /dev/zero", "cat /dev/zero >&2"] {
        script(&node.path("bin/other"), text);
        status(&node, &[]).assert(0, "");
    }
    for text in [
        format!("[ \"$CNI_COMMAND\" = VERSION ] && echo '{version}' && exit\nsleep 3600"),
        format!("[ \"$CNI_COMMAND\" = VERSION ] && echo '{version}' && exit\ncat /dev/zero >&2"),
    ] {
        script(&node.target(), &text);
        status(&node, &[]).assert(1, "not what was installed last");
    }
}

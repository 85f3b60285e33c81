// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! The plugins of a node, which are scripts here.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use antrea_cni_test_support::{copy_program, skipped, write_script};
use tempfile::TempDir;

use super::{CHAIN, check};
use crate::support::{Answer, tool};

/// A folder of plugins that know some versions.
fn plugins(versions: &[(&str, &str)]) -> TempDir {
    let folder = TempDir::new().unwrap();
    for (name, versions) in versions {
        let path = folder.path().join(name);
        let answer = format!(r#"{{"cniVersion":"1.0.0","supportedVersions":[{versions}]}}"#);
        write_script(&path, &format!("#!/bin/sh\necho '{answer}'\n"));
    }
    folder
}

#[test]
fn the_plugins_of_a_node_are_asked() {
    let (old, new) = (r#""0.3.1","0.4.0","1.0.0""#, r#""0.4.0","1.0.0","1.1.0""#);
    let folder = plugins(&[("antrea", new), ("portmap", old)]);
    let check = |version: &str| {
        let arguments = ["--bin-dir", folder.path().to_str().unwrap()];
        check(&CHAIN.replace("VERSION", version), &arguments)
    };
    check("1.0.0").assert(0, "Safe on this node.");
    check("1.1.0").assert(1, "portmap: it takes 0.3.1, 0.4.0, 1.0.0, and refuses 1.1.0");
    check("1.1.0").assert(1, "set cniVersion to 1.0.0, which all of them take, or replace portmap");
    let portmap = folder.path().join("portmap");
    write_script(&portmap, "#!/bin/sh\nexec sleep 1000\n");
    check("1.0.0").assert(1, "portmap: no answer to VERSION within 10s");
    write_script(&portmap, "\x7fELF");
    check("1.0.0").assert(1, "is it built for this machine?");
    fs::set_permissions(&portmap, PermissionsExt::from_mode(0o644)).unwrap();
    check("1.0.0").assert(1, "Not safe on this node because of portmap");
    fs::remove_file(&portmap).unwrap();
    check("1.0.0").assert(1, "there is no ");
    // What needs an interpreter or libraries that this root lacks may run on the node.
    write_script(&portmap, "#!/nowhere/python3\n");
    check("1.1.0").assert(0, "portmap: cannot be asked here: its loader or its interpreter");
    write_script(&portmap, "#!/usr/bin/env nowhere\n");
    check("1.1.0").assert(0, "Safe on this node, as far as can be seen from here (portmap");
}

/// libcni takes an exit status of 1 for an error, whatever stands on standard output.
#[test]
fn a_plugin_that_answers_and_fails_does_not_work() {
    let folder = plugins(&[("antrea", r#""1.0.0""#), ("portmap", r#""1.0.0""#)]);
    let portmap = folder.path().join("portmap");
    let text = fs::read_to_string(&portmap).unwrap() + "exit 1\n";
    fs::write(&portmap, text).unwrap();
    check(&CHAIN.replace("VERSION", "1.0.0"), &["--bin-dir", folder.path().to_str().unwrap()])
        .assert(1, "portmap: it is no CNI plugin: VERSION ended with exit status: 1");
}

/// As containerd does, which has several folders; and IPAM plugins are plugins of the list.
#[test]
fn plugins_are_looked_for_in_all_folders() {
    let (old, new) = (r#""0.3.1","0.4.0","1.0.0""#, r#""0.4.0","1.0.0","1.1.0""#);
    let first = plugins(&[("antrea", new)]);
    let second = plugins(&[("antrea", old), ("macvlan", new), ("whereabouts", old)]);
    let list = r#"{"cniVersion":"1.1.0","name":"x","plugins":[{"type":"antrea","ipam":{"type":
        "host-local"}},{"type":"macvlan","ipam":{"type":"whereabouts"}}]}"#;
    let [one, two] = [&first, &second].map(|it| it.path().to_str().unwrap());
    // The first antrea that is found is the one that is asked; host-local is the agent's.
    check(list, &["--bin-dir", one, "--bin-dir", two])
        .assert(1, "Not safe on this node because of whereabouts");
    check(list, &["--bin-dir", two, "--bin-dir", one])
        .assert(1, "Not safe on this node because of antrea");
    check(list, &["--bin-dir", one]).assert(1, "there is no macvlan");
}

/// The tool in its image, which has nothing but itself: the node's `portmap` of Debian is
/// linked dynamically.
#[test]
#[ignore = "needs root and containernetworking-plugins; make test-release runs it"]
fn a_dynamic_plugin_cannot_be_asked_in_an_image() {
    let portmap = Path::new("/usr/lib/cni/portmap");
    if !portmap.exists() {
        return skipped("a dynamic plugin needs containernetworking-plugins");
    }
    let root = TempDir::new().unwrap();
    let path = |name: &str| root.path().join(name);
    for folder in ["bin", "net.d"] {
        fs::create_dir(path(folder)).unwrap();
    }
    copy_program(tool().get_program(), path("tool"));
    copy_program(portmap, path("bin/portmap"));
    let list = r#"{"cniVersion":"0.3.0","name":"x","plugins":[{"type":"portmap"}]}"#;
    fs::write(path("net.d/x.conflist"), list).unwrap();
    let mut chroot = Command::new("chroot");
    chroot.arg(root.path()).args(["/tool", "check-config", "--bin-dir", "/bin", "/net.d"]);
    let answer: Answer = chroot.output().unwrap().into();
    if answer.exit == 127 {
        return skipped("the tool in an image has to be static: make test-release");
    }
    answer.assert(0, "portmap: cannot be asked here");
}

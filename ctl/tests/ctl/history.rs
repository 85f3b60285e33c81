// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! What is kept of the plugin that was there before, and what a plugin is needed for.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::process::Command;

use serde_json::json;

use crate::support::{Answer, Node, eventually, mode, tool};

const LIST: &str = r#"{"cniVersion":"0.3.0","name":"antrea","plugins":[{"type":"antrea"}]}"#;

fn node() -> Node {
    let node = Node::new();
    for version in ["one", "two", "theirs"] {
        node.script(version);
    }
    fs::create_dir(node.path("net.d")).unwrap();
    node
}

fn is(node: &Node, version: &str) -> bool {
    fs::read(node.target()).ok() == fs::read(node.path(version)).ok()
}

#[test]
fn rollback_takes_the_plugin_back_to_right_before() {
    let node = node();
    node.overwrite(&node.target(), &node.path("theirs"));
    node.install("one", &[]).assert(0, "installed");
    node.install("two", &[]).assert(0, "installed");
    node.run("rollback").assert(0, "rolled back");
    assert!(is(&node, "one"));
    node.run("rollback").assert(0, "no earlier plugin");
    node.run("uninstall").assert(0, "is back");
    assert!(is(&node, "theirs"));
}

/// As cp(1) writes, and is killed.
#[test]
fn what_is_written_in_place_after_a_rollback_spoils_nothing_else() {
    let node = node();
    node.overwrite(&node.target(), &node.path("theirs"));
    node.install("one", &[]).assert(0, "installed");
    node.run("rollback").assert(0, "rolled back");
    fs::write(node.target(), b"\x7fELF").unwrap();
    node.install("one", &[]).assert(0, "installed");
    node.install("two", &[]).assert(0, "installed");
    node.run("rollback").assert(0, "rolled back");
    let theirs = fs::read(node.path("theirs")).unwrap();
    fs::write(node.target(), theirs).unwrap();
    node.run("uninstall").assert(0, "another installer");
    assert!(is(&node, "theirs"));
}

/// Antrea's installer may write while the new plugin is tried, which takes seconds.
#[test]
fn what_another_installer_writes_during_the_trial_is_the_plugin_before() {
    let node = node();
    node.overwrite(&node.target(), &node.path("theirs"));
    node.install("one", &[]).assert(0, "installed");
    node.script("newer");
    let (two, newer, target) = (node.path("two"), node.path("newer"), node.target());
    let script = fs::read_to_string(&two).unwrap();
    let (from, to) = (newer.display(), target.display());
    let script = script.replacen('\n', &format!("\ncp {from} {to}.x && mv {to}.x {to}\n"), 1);
    fs::write(&two, script).unwrap();
    node.install("two", &[]).assert(0, "installed");
    assert!(is(&node, "two"));
    node.run("uninstall").assert(0, "is back");
    assert!(is(&node, "newer"));
}

/// Also where the agent's start rewrote it meanwhile.
#[test]
fn after_a_keepers_restore_a_rollback_gives_antreas_own_back() {
    let node = node();
    let keeper = node.keeper("one", &[]);
    node.overwrite(&node.target(), &node.path("theirs"));
    eventually(|| is(&node, "one"));
    node.run("rollback").assert(0, "rolled back");
    assert!(is(&node, "theirs"));
    assert_eq!(keeper.end(), Some(0));
    assert!(is(&node, "theirs"));
}

#[test]
fn uninstall_keeps_a_plugin_that_a_list_needs() {
    let node = node();
    let uninstall = |more: &[&str]| -> Answer {
        let mut tool = node.command("uninstall");
        tool.arg("--conf-dir").arg(node.path("net.d")).args(more).output().unwrap().into()
    };
    node.install("one", &[]).assert(0, "installed");
    let list = node.path("net.d/20-other.conflist");
    fs::write(&list, LIST).unwrap();
    uninstall(&[]).assert(1, "20-other.conflist names the plugin");
    assert!(is(&node, "one"));
    fs::write(&list, LIST.replace("\"antrea\"}]", "\"other\"}]")).unwrap();
    uninstall(&[]).assert(0, "uninstalled");
    assert!(!node.target().exists());

    // What stood there before may not work any more.
    fs::write(&list, LIST).unwrap();
    fs::write(node.target(), "#!/bin/sh\nexit 1\n").unwrap();
    node.install("one", &[]).assert(0, "installed");
    uninstall(&[]).assert(1, "--force");
    node.overwrite(&node.target(), &node.path("theirs"));
    uninstall(&[]).assert(0, "not changed");
    assert!(is(&node, "theirs"));
    node.install("one", &[]).assert(0, "installed");
    uninstall(&["--force"]).assert(0, "is back");
}

/// Multus leads to it from another folder, too.
#[test]
fn uninstall_keeps_a_plugin_that_multus_needs() {
    let node = node();
    node.install("one", &[]).assert(0, "installed");
    fs::create_dir(node.path("multus")).unwrap();
    let list = node.path("multus/antrea.conflist");
    fs::write(&list, LIST).unwrap();
    let multus =
        json!({"cniVersion": "0.3.1", "name": "m", "type": "multus", "clusterNetwork": list});
    fs::write(node.path("net.d/00-multus.conf"), multus.to_string()).unwrap();
    node.run("uninstall").assert(1, "antrea.conflist names the plugin");
}

#[test]
fn nothing_empty_or_cut_off_comes_back_in_the_place_of_the_original() {
    let node = node();
    node.overwrite(&node.target(), &node.path("theirs"));
    node.install("one", &[]).assert(0, "installed");
    let program = fs::read("/proc/self/exe").unwrap();
    for broken in [&b""[..], &program[..4], &program[..5000]] {
        fs::write(node.target(), broken).unwrap();
        node.install("one", &[]).assert(0, "installed");
    }
    node.run("uninstall").assert(0, "is back");
    assert!(is(&node, "theirs"));
}

#[test]
fn what_comes_back_is_the_same_file_as_before() {
    let node = node();
    node.overwrite(&node.target(), &node.path("theirs"));
    fs::set_permissions(node.target(), fs::Permissions::from_mode(0o711)).unwrap();
    let before = fs::metadata(node.target()).unwrap();
    node.install("one", &[]).assert(0, "installed");
    node.run("rollback").assert(0, "rolled back");
    let after = fs::metadata(node.target()).unwrap();
    let identity = |it: &fs::Metadata| (it.ino(), it.mode(), it.uid(), it.mtime(), it.mtime_nsec());
    assert_eq!(identity(&before), identity(&after));
    node.install("two", &[]).assert(0, "installed");
    node.run("uninstall").assert(0, "is back");
    assert_eq!(identity(&before), identity(&fs::metadata(node.target()).unwrap()));
}

#[test]
fn a_link_that_somebody_else_put_there_is_left_alone() {
    let node = node();
    node.install("one", &[]).assert(0, "installed");
    // To the very same bytes.
    fs::rename(node.target(), node.path("elsewhere")).unwrap();
    symlink(node.path("elsewhere"), node.target()).unwrap();
    node.run("uninstall").assert(0, "not changed");
    assert!(node.target().is_symlink());
}

#[test]
fn folders_that_are_made_have_the_same_mode_under_any_umask() {
    let node = node();
    let bin = node.path("opt/cni/bin");
    let mut shell = Command::new("sh");
    shell.args(["-c", "umask 0077; exec \"$@\"", "sh"]).arg(tool().get_program());
    shell.args(["install", "--from"]).arg(node.path("one")).arg("--bin-dir").arg(&bin);
    Answer::from(shell.output().unwrap()).assert(0, "installed");
    for folder in [&bin, &node.path("opt")] {
        assert_eq!(mode(folder), 0o755, "{}", folder.display());
    }
    assert_eq!(mode(&bin.join(".antrea.cnictl")), 0o700);
}

/// An install with --conf-dir tells the plugin of the folder, and the tool, too.
#[test]
fn the_folder_of_configurations_is_remembered() {
    let node = Node::new();
    fs::create_dir(node.path("net.d")).unwrap();
    fs::write(node.path("net.d/10-antrea.conflist"), LIST).unwrap();
    let conf_dir = node.path("net.d");
    node.install("one", &["--conf-dir", conf_dir.to_str().unwrap()]).assert(0, "installed");
    let plain = |command: &str| Answer::from(node.command(command).output().unwrap());
    plain("status").assert(0, "net.d/10-antrea.conflist");
    plain("uninstall").assert(1, "10-antrea.conflist names the plugin");
}

/// The version before knows no `confDir`: each ADD would end with code 7.
#[test]
fn a_keeper_leaves_the_settings_aside_that_a_rollback_put_there() {
    let node = Node::in_a_quiet_place();
    for version in ["two", "theirs"] {
        node.script(version);
    }
    let old = node.script("old");
    let text = fs::read_to_string(&old).unwrap();
    let refusal = r#"{"cniVersion":"1.0.0","code":7,"msg":"unknown setting confDir"}"#;
    let refuses = format!("case $(cat) in *confDir*) echo '{refusal}'; exit 1;; esac\necho");
    fs::write(&old, text.replacen("echo", &refuses, 1)).unwrap();
    node.install("old", &[]).assert(0, "installed");
    node.install("two", &["--set", "confDir=/x"]).assert(0, "installed");
    let keeper = node.keeper("two", &[]);
    node.run("rollback").assert(0, "rolled back");
    let [settings, aside] =
        ["bin/.antrea.json", "bin/.antrea.json.refused"].map(|it| node.path(it));
    // It kept the version before since then.
    node.overwrite(&node.target(), &node.path("theirs"));
    eventually(|| is(&node, "old"));
    assert_eq!(keeper.end(), Some(0));
    assert!(!settings.exists() && aside.exists());
}

#[test]
fn the_default_folder_of_lists_takes_the_place_of_another() {
    let node = node();
    let settings = || fs::read_to_string(node.path("bin/.antrea.json")).unwrap_or_default();
    node.install("one", &["--conf-dir", "/etc/cni/net.d"]).assert(0, "installed");
    assert_eq!(settings(), "", "nothing differs from the default");
    node.install("one", &["--conf-dir", "/x"]).assert(0, "installed");
    assert!(settings().contains("\"/x\""), "{}", settings());
    node.install("one", &["--conf-dir", "/etc/cni/net.d"]).assert(0, "installed");
    assert!(!settings().contains("confDir"), "{}", settings());
}

/// The settings of a person who wrote them before the first install are not ours to remove.
#[test]
fn settings_that_were_there_before_stay() {
    let node = Node::new();
    fs::create_dir(node.path("net.d")).unwrap();
    let file = node.path("bin/.antrea.json");
    let theirs = "{\"logLevel\": \"error\"}\n";
    for (set, edit, left) in [
        (&[][..], None, Some(theirs)),
        (&["--set", "waitForAgentSeconds=5"], None, Some(theirs)),
        (&["--set", "waitForAgentSeconds=5"], Some("{}"), Some("{}")),
    ] {
        fs::write(&file, theirs).unwrap();
        node.install("one", set).assert(0, "installed");
        node.install("two", &[]).assert(0, "installed");
        edit.iter().for_each(|text| fs::write(&file, text).unwrap());
        node.run("uninstall").assert(0, "uninstalled");
        assert_eq!(fs::read_to_string(&file).ok().as_deref(), left, "{set:?}");
        assert_eq!(node.files().len(), 1, "{:?}", node.files());
    }
    fs::remove_file(&file).unwrap();
    // Ours go, also where a person has removed them; what a person wrote since then stays.
    for edit in [None, Some(""), Some("{}")] {
        node.install("one", &["--set", "waitForAgentSeconds=5"]).assert(0, "installed");
        match edit {
            Some("") => fs::remove_file(&file).unwrap(),
            Some(text) => fs::write(&file, text).unwrap(),
            None => (),
        }
        node.run("uninstall").assert(0, "uninstalled");
        assert_eq!(file.exists(), edit == Some("{}"), "{edit:?}: {:?}", node.files());
    }
}

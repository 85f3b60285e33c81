// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Nodes on which something cannot be moved, run or written.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::{LIST, Staging, names};
use crate::support::{Answer, Node, eventually};

const NOT_A_PROGRAM: &str = "hello\n";

/// A container that ended would keep the agent's Pod from being ready.
#[test]
fn a_keeper_that_cannot_install_tries_again() {
    let staging = Staging::new();
    staging.installer("bin", "net.d");
    let mut tool = staging.node.command("install");
    tool.arg("--from").arg(staging.path("late")).args(["--best-effort", "--keep", "100ms"]);
    let mut keeper = tool.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut said = BufReader::new(keeper.stderr.take().unwrap()).lines();
    let warning = said.next().unwrap().unwrap();
    assert!(warning.contains("left as it is"), "{warning}");
    // Whole, as it is executable only then.
    let late = staging.node.script("next");
    fs::rename(late, staging.path("late")).unwrap();
    eventually(|| staging.read("bin/antrea") == staging.read("late"));
    kill(Pid::from_raw(keeper.id().cast_signed()), Signal::SIGTERM).unwrap();
    assert_eq!(keeper.wait().unwrap().code(), Some(0));
}

/// A node with `one`, and a keeper that cannot install `two` until the setting is corrected.
struct Retrying {
    node: Node,
    keeper: Child,
}

impl Retrying {
    fn new() -> Self {
        let node = Node::in_a_quiet_place();
        for version in ["one", "three", "theirs"] {
            node.script(version);
        }
        fs::copy(crate::support::plugin(), node.path("two")).unwrap();
        node.install("one", &[]).assert(0, "installed");
        fs::write(node.path("bin/.antrea.json"), r#"{"unknown": 1}"#).unwrap();
        let mut tool = node.command("install");
        tool.arg("--from").arg(node.path("two")).args(["--best-effort", "--keep", "100ms"]);
        let mut keeper = tool.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut said = BufReader::new(keeper.stderr.take().unwrap()).lines();
        let warning = said.next().unwrap().unwrap();
        assert!(warning.contains("left as it is"), "{warning}");
        Self { node, keeper }
    }

    fn is(&self, version: &str) -> bool {
        fs::read(self.node.target()).ok() == fs::read(self.node.path(version)).ok()
    }

    fn correct_the_setting(&self) {
        fs::write(self.node.path("bin/.antrea.json"), "{}").unwrap();
    }

    /// Another installer writes its plugin, and the keeper puts one in its place.
    fn restores(&self, version: &str) {
        self.node.overwrite(&self.node.target(), &self.node.path("theirs"));
        eventually(|| self.is(version));
    }

    fn says(&mut self, words: &str) {
        let mut said = BufReader::new(self.keeper.stdout.as_mut().unwrap()).lines();
        assert!(said.any(|line| line.unwrap().contains(words)));
    }

    fn end(mut self) {
        kill(Pid::from_raw(self.keeper.id().cast_signed()), Signal::SIGTERM).unwrap();
        assert_eq!(self.keeper.wait().unwrap().code(), Some(0));
    }
}

/// The plugin that was there is kept until then.
#[test]
fn a_keeper_whose_upgrade_failed_tries_it_again() {
    let retrying = Retrying::new();
    retrying.restores("one");
    retrying.correct_the_setting();
    eventually(|| retrying.is("two"));
    retrying.end();
}

#[test]
fn a_keeper_whose_upgrade_failed_leaves_what_a_person_did_since() {
    let retrying = Retrying::new();
    retrying.restores("one");
    retrying.node.install("three", &[]).assert(0, "installed");
    retrying.restores("three");
    retrying.correct_the_setting();
    retrying.restores("three");
    retrying.end();

    let mut retrying = Retrying::new();
    retrying.restores("one");
    retrying.node.run("uninstall").assert(0, "uninstalled");
    retrying.correct_the_setting();
    retrying.says("uninstalled meanwhile");
    assert!(retrying.is("theirs"));
    retrying.end();
}

/// A keeper waits for what may come late; what Antrea's installer staged does not wait for it.
#[test]
fn lists_are_moved_also_while_a_keeper_cannot_install() {
    let staging = Staging::new();
    staging.installer("staged/bin", "staged/conf");
    let mut tool = staging.tool("late", &["--best-effort", "--keep", "1h"]);
    let mut keeper = tool.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    eventually(|| staging.path(LIST).exists());
    staging.assert_is(LIST, "image/antrea-cni.conflist");
    kill(Pid::from_raw(keeper.id().cast_signed()), Signal::SIGTERM).unwrap();
    assert_eq!(keeper.wait().unwrap().code(), Some(0));
}

#[test]
fn a_staged_plugin_that_does_not_run_replaces_none_that_does() {
    let staging = Staging::new();
    staging.start("one").assert(0, "installed");
    fs::write(staging.path("staged/bin/antrea"), NOT_A_PROGRAM).unwrap();
    staging.ours("absent", &["--best-effort"]).assert(0, "left as it is");
    staging.assert_is("bin/antrea", "one");
    // Where nothing runs, it is there as Antrea's installer would have left it.
    fs::write(staging.path("bin/antrea"), "").unwrap();
    staging.ours("absent", &["--best-effort"]).assert(0, "does not run here");
    staging.assert_is("bin/antrea", "staged/bin/antrea");
}

#[test]
fn a_rollback_restores_no_plugin_that_does_not_run() {
    let staging = Staging::new();
    staging.installer("staged/bin", "staged/conf");
    fs::write(staging.path("staged/bin/antrea"), NOT_A_PROGRAM).unwrap();
    staging.ours("one", &[]).assert(0, "installed");
    staging.node.run("rollback").assert(1, "does not run");
    staging.assert_is("bin/antrea", "one");
}

#[test]
fn what_only_status_reads_fails_no_install() {
    let staging = Staging::new();
    staging.start("one").assert(0, "installed");
    let record = staging.path("bin/.antrea.cnictl/staged.json");
    fs::remove_file(&record).unwrap();
    fs::create_dir_all(record.join("x")).unwrap();
    staging.release("2");
    staging.start("one").assert(0, "is not recorded");
    staging.assert_moved("one");
}

#[test]
fn a_state_that_cannot_be_used_keeps_antreas_plugin_from_no_node() {
    let staging = Staging::new();
    fs::write(staging.path("bin/.antrea.cnictl"), "").unwrap();
    staging.start("one").assert(0, "Antrea's plugin is there");
    staging.assert_is("bin/antrea", "image/antrea");
    staging.assert_is("bin/portmap", "image/portmap");
}

#[test]
fn two_installs_at_once_wait_for_each_other() {
    let staging = Staging::new();
    for release in 2..10 {
        staging.release(&release.to_string());
        staging.installer("staged/bin", "staged/conf");
        let both = ["one", "one"].map(|ours| {
            let mut tool = staging.tool(ours, &[]);
            tool.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
        });
        for one in both {
            Answer::from(one.wait_with_output().unwrap()).assert(0, "");
        }
        staging.assert_moved("one");
    }
}

#[test]
fn nothing_that_a_killed_install_left_stays() {
    let staging = Staging::new();
    staging.start("one").assert(0, "installed");
    let left = [".settings-written.cnictl-a.tmp", ".staged.json.cnictl-b.tmp"];
    let folder = staging.path("bin/.antrea.cnictl");
    left.iter().for_each(|it| fs::write(folder.join(it), "").unwrap());
    staging.start("one").assert(0, "");
    assert!(left.iter().all(|it| !names(&folder).contains(*it)), "{:?}", names(&folder));
}

/// `rm -f`, as Antrea's installer has it, removes no folder.
#[test]
fn a_folder_in_the_place_of_the_older_list_stays() {
    let staging = Staging::new();
    fs::create_dir(staging.path("net.d/10-antrea.conf")).unwrap();
    fs::write(staging.path("net.d/10-antrea.conf/x"), "").unwrap();
    staging.start("one").assert(0, "installed");
    assert!(staging.path("net.d/10-antrea.conf/x").exists());
}

#[test]
fn the_folder_of_plugins_is_no_staging_folder() {
    let staging = Staging::new();
    staging.installer("bin", "staged/conf");
    let mut tool = staging.node.command("install");
    tool.arg("--from").arg(staging.path("one"));
    for (option, folder) in
        [("--staged-bin", "bin/."), ("--staged-conf", "staged/conf"), ("--host-conf", "net.d")]
    {
        tool.arg(option).arg(staging.path(folder));
    }
    Answer::from(tool.output().unwrap()).assert(1, "it is the folder of plugins itself");
    staging.assert_is("bin/antrea", "image/antrea");
}

#[test]
fn a_wrong_file_is_found_before_anything_is_moved() {
    let staging = Staging::new();
    staging.installer("staged/bin", "staged/conf");
    fs::write(staging.path("staged/conf/10-antrea.conflist"), "").unwrap();
    staging.ours("one", &[]).assert(1, "empty or cut off");
    assert_eq!(names(&staging.path("bin")), [].into());
}

/// Where an installer writes to the node again, what was staged is over.
#[test]
fn after_a_keeper_replaced_a_plugin_nothing_counts_as_staged() {
    let staging = Staging::of(Node::in_a_quiet_place());
    staging.node.script("theirs");
    staging.start("one").assert(0, "installed");
    let keeper = staging.node.keeper("one", &[]);
    staging.node.overwrite(&staging.node.target(), &staging.path("theirs"));
    let record = staging.path("bin/.antrea.cnictl/staged.json");
    eventually(|| !record.exists());
    assert_eq!(keeper.end(), Some(0));
}

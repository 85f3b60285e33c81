// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! A keeper beside the installers of others.

use std::fs::{self, File, FileTimes};
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, symlink};
use std::process::Command;
use std::time::{Duration, Instant, SystemTime};

use antrea_cni_agent::{Agent, Api, Options};
use nix::sys::signal::Signal;

use crate::support::{Keeper, Node, call, eventually, mode, set_mode};

/// The list of another CNI.
const CHAIN: &str = r#"{"cniVersion":"0.4.0","name":"aws-cni","plugins":[{"type":"aws-cni"}]}"#;

fn is(node: &Node, version: &str) -> bool {
    fs::read(node.target()).ok() == fs::read(node.path(version)).ok()
}

fn node() -> Node {
    let node = Node::new();
    for version in ["one", "two", "theirs"] {
        node.script(version);
    }
    node
}

#[test]
fn a_keeper_puts_the_plugin_and_its_mode_back_until_sigterm() {
    let node = node();
    let keeper = node.keeper("one", &[]);
    for _ in 0..5 {
        node.overwrite(&node.target(), &node.path("theirs"));
        eventually(|| is(&node, "one"));
        set_mode(&node.target(), 0o600);
        eventually(|| mode(&node.target()) == 0o755);
    }
    fs::remove_file(node.target()).unwrap();
    eventually(|| is(&node, "one"));
    assert_eq!(keeper.end(), Some(0));
    node.overwrite(&node.target(), &node.path("theirs"));
    assert!(is(&node, "theirs"));
    node.run("uninstall").assert(0, "not changed");
}

/// What a keeper restores is what was installed last, whichever keeper it is.
#[test]
fn of_two_keepers_the_one_that_installed_last_wins() {
    let node = node();
    let old = node.keeper("one", &[]);
    let new = node.keeper("two", &[]);
    for _ in 0..5 {
        node.overwrite(&node.target(), &node.path("theirs"));
        eventually(|| is(&node, "two"));
    }
    assert_eq!(new.end(), Some(0));
    node.overwrite(&node.target(), &node.path("theirs"));
    eventually(|| is(&node, "two"));
    node.install("one", &[]).assert(0, "installed");
    node.overwrite(&node.target(), &node.path("theirs"));
    eventually(|| is(&node, "one"));
    assert_eq!(old.end(), Some(0));
}

#[test]
fn folders_that_are_wiped_moved_or_switched_are_filled_again() {
    let node = Node::new();
    for version in ["one", "theirs"] {
        node.script(version);
    }
    // As k3s has it: a link to the folder of a release.
    let data = node.path("data");
    for release in ["a", "b"] {
        fs::create_dir_all(data.join(release).join("bin")).unwrap();
    }
    fs::remove_dir(node.path("bin")).unwrap();
    symlink("data/current/bin", node.path("bin")).unwrap();
    symlink("a", data.join("current")).unwrap();
    let keeper = node.keeper("one", &["--set", "logLevel=error"]);
    assert!(data.join("a/bin/antrea").exists());

    symlink("b", data.join("next")).unwrap();
    fs::rename(data.join("next"), data.join("current")).unwrap();
    eventually(|| data.join("b/bin/antrea").exists());
    let settings = data.join("b/bin/.antrea.json");
    eventually(|| settings.exists());
    fs::remove_file(&settings).unwrap();
    eventually(|| settings.exists());

    // The keeper may be faster than whoever wipes it.
    let _ = fs::remove_dir_all(data.join("b"));
    fs::create_dir_all(data.join("b/bin")).unwrap();
    eventually(|| is(&node, "one") && settings.exists());
    for entry in fs::read_dir(data.join("b/bin")).unwrap() {
        let path = entry.unwrap().path();
        let _ = fs::remove_dir_all(&path).or_else(|_| fs::remove_file(&path));
    }
    eventually(|| is(&node, "one") && settings.exists());

    fs::rename(data.join("b"), data.join("away")).unwrap();
    fs::create_dir_all(data.join("b/bin")).unwrap();
    eventually(|| is(&node, "one"));
    assert_eq!(keeper.end(), Some(0));
}

/// Also a keeper that could not see it when it happened.
#[test]
fn an_uninstall_or_rollback_stops_a_keeper_that_was_asleep() {
    let node = node();
    node.overwrite(&node.target(), &node.path("theirs"));
    let keeper = node.keeper("one", &[]);
    // Not while it holds the lock.
    asleep(&keeper, Duration::from_millis(100));
    keeper.signal(Signal::SIGSTOP);
    node.run("rollback").assert(0, "rolled back");
    keeper.signal(Signal::SIGCONT);
    assert_quiet(&node, &keeper);
    // Also after its restart, and as an init container.
    assert_eq!(keeper.end(), Some(0));
    let keeper = node.keeper("one", &[]);
    assert_quiet(&node, &keeper);
    node.install("one", &["--best-effort"]).assert(0, "was rolled back: not installed again");
    assert!(is(&node, "theirs"));
    node.run("status").assert(0, "in force: the previous plugin");

    // A person decides otherwise.
    node.install("one", &[]).assert(0, "installed");
    node.overwrite(&node.target(), &node.path("theirs"));
    eventually(|| is(&node, "one"));

    asleep(&keeper, Duration::from_millis(100));
    keeper.signal(Signal::SIGSTOP);
    node.run("uninstall").assert(0, "is back");
    keeper.signal(Signal::SIGCONT);
    assert_quiet(&node, &keeper);
    assert_eq!(node.files(), ["antrea".to_owned()].into());
    assert_eq!(keeper.end(), Some(0));
    assert!(is(&node, "theirs"));
}

/// The keeper looks again soon after it filled a wiped folder. It would find nothing installed.
#[test]
fn an_uninstall_right_after_an_install_of_the_keeper_is_seen() {
    let node = node();
    let keeper = node.keeper("one", &[]);
    fs::rename(node.path("bin"), node.path("away")).unwrap();
    fs::create_dir(node.path("bin")).unwrap();
    eventually(|| is(&node, "one"));
    node.run("uninstall").assert(0, "uninstalled");
    keeper.says("uninstalled meanwhile");
    assert_eq!(node.files(), [].into());
    assert_eq!(keeper.end(), Some(0));
}

#[test]
fn a_keeper_of_other_bytes_ends_a_rollback() {
    let node = node();
    node.install("one", &[]).assert(0, "installed");
    let keeper = node.keeper("two", &[]);
    node.run("rollback").assert(0, "rolled back");
    assert!(is(&node, "one"));
    // What was rolled back to is kept, too.
    node.overwrite(&node.target(), &node.path("theirs"));
    eventually(|| is(&node, "one"));
    assert_eq!(keeper.end(), Some(0));
    node.script("three");
    let keeper = node.keeper("three", &[]);
    assert!(is(&node, "three"));
    assert_eq!(keeper.end(), Some(0));
}

/// Touches what stands there, and waits until the keeper has looked at it.
fn assert_quiet(node: &Node, keeper: &Keeper) {
    let there = fs::read(node.target()).unwrap();
    let looked = || switches(keeper);
    for _ in 0..3 {
        let before = looked();
        fs::write(node.target(), &there).unwrap();
        let started = Instant::now();
        // One that has ended its work does not look any more.
        while looked() == before && started.elapsed().as_millis() < 300 {
            std::thread::yield_now();
        }
    }
    assert_eq!(fs::read(node.target()).unwrap(), there);
}

/// How often the threads of a process were woken.
fn switches(keeper: &Keeper) -> u64 {
    let tasks = fs::read_dir(format!("/proc/{}/task", keeper.pid())).unwrap().flatten();
    let statuses = tasks.filter_map(|task| fs::read_to_string(task.path().join("status")).ok());
    let count = |status: String| -> Option<u64> {
        let line = status.lines().find(|line| line.starts_with("voluntary_ctxt_switches"))?;
        line.split_whitespace().nth(1)?.parse().ok()
    };
    statuses.filter_map(count).sum()
}

/// What Antrea's own installers do at each start of the agent's Pod, 200 times. In encap
/// mode an init container writes plugin and list anew, neither in one step; with
/// `networkPolicyOnly` a container writes the plugin, and a copy of another CNI's list
/// with the plugin at its end.
#[test]
#[ignore = "takes long; make test-release runs it"]
fn after_200_restarts_of_the_agent_plugin_settings_and_log_are_there() {
    for chained in [false, true] {
        let node = Node::new();
        node.script("theirs");
        let (conf_dir, log) = (node.path("net.d"), node.path("log"));
        fs::create_dir(&conf_dir).unwrap();
        fs::write(conf_dir.join("10-aws.conflist"), CHAIN).unwrap();
        let file = if chained { "05-antrea.conflist" } else { "10-antrea.conflist" };
        let socket = format!("socket={}", node.path("cni.sock").display());
        let log_file = format!("logFile={}", log.display());
        let keeper = node.keeper("one", &["--set", &socket, "--set", &log_file]);
        let _agent = Agent::start(Options::new(node.path("cni.sock"), &[Api::V1BETA1])).unwrap();
        let mut foreign = Vec::new();
        for restart in 0..100 {
            let theirs = fs::read(node.path("theirs")).unwrap();
            let _ = fs::remove_file(node.target());
            let mut written = File::options()
                .write(true)
                .create(true)
                .truncate(true)
                .mode(0o755)
                .open(node.target())
                .unwrap();
            for piece in theirs.chunks(40) {
                written.write_all(piece).unwrap();
            }
            drop(written);
            let there_since = Instant::now();
            let list = if chained {
                CHAIN.replace("}]", r#"},{"type":"antrea"}]"#)
            } else {
                r#"{"cniVersion":"0.3.0","name":"antrea","plugins":[{"type":"antrea"}]}"#.to_owned()
            };
            fs::write(conf_dir.join(file), list).unwrap();
            eventually(|| is(&node, "one"));
            foreign.push(there_since.elapsed());
            if restart % 10 == 0 {
                let configuration = r#"{"cniVersion":"0.3.0","name":"antrea","type":"antrea"}"#;
                let answer = call(&node.target(), "ADD", &format!("c{restart}"), configuration);
                assert!(answer.status.success(), "{answer:?}");
            }
        }
        foreign.sort();
        let mode = if chained { "networkPolicyOnly" } else { "encap" };
        let (p50, most) = (foreign[foreign.len() / 2], foreign[foreign.len() - 1]);
        eprintln!(
            "{mode}: 100 restarts, another plugin in place for {p50:.1?} (p50), {most:.1?} at most"
        );
        assert_eq!(fs::read_to_string(&log).unwrap().lines().count(), 10);
        assert_eq!(keeper.end(), Some(0));
    }
}

#[test]
fn a_keeper_sleeps_while_nothing_happens() {
    let node = Node::in_a_quiet_place();
    node.script("one");
    let keeper = node.keeper("one", &[]);
    asleep(&keeper, Duration::from_secs(1));
    assert_eq!(keeper.end(), Some(0));
}

/// Waits until a keeper was not woken for a while: that it sleeps is what is seen.
fn asleep(keeper: &Keeper, during: Duration) {
    eventually(|| {
        let before = switches(keeper);
        std::thread::sleep(during);
        switches(keeper) == before
    });
}

/// Another installer has two seconds for it. What it wrote is what a rollback gives back.
#[test]
fn a_plugin_that_is_being_written_is_waited_for() {
    let node = Node::new();
    node.script("one");
    let program = fs::read("/bin/true").unwrap();
    let keeper = node.keeper("one", &[]);
    let is_ours = || fs::read(node.target()).ok() == fs::read(node.path("one")).ok();
    let mut written = File::options().write(true).truncate(true).open(node.target()).unwrap();
    let (first, rest) = program.split_at(program.len() / 2);
    written.write_all(first).unwrap();
    // It looks again and again at the file, which is half there, and never two seconds old.
    for _ in 0..5 {
        let now = SystemTime::now();
        written.set_times(FileTimes::new().set_accessed(now).set_modified(now)).unwrap();
        let before = switches(&keeper);
        eventually(|| switches(&keeper) > before + 4);
    }
    assert!(!is_ours(), "replaced while it was written");
    written.write_all(rest).unwrap();
    drop(written);
    eventually(is_ours);
    node.run("rollback").assert(0, "rolled back");
    assert_eq!(fs::read(node.target()).unwrap(), program);
    drop(keeper);
}

/// What is mounted over the folder of the plugins is a folder without the plugin.
#[test]
#[ignore = "needs root; make test-release runs it"]
fn a_mount_over_the_folder_is_told() {
    let node = Node::in_a_quiet_place();
    node.script("one");
    let mut script = Command::new("unshare");
    let text = r#"
        "$2" install --from "$3" --bin-dir "$1" --keep 1h & keeper=$!
        until "$2" status --bin-dir "$1" --conf-dir "$4" | grep -q 'keeper .*runs'; do :; done
        mount -t tmpfs tmpfs "$1" || exit 13
        n=0
        until [ -x "$1/antrea" ]; do n=$((n + 1)); [ $n -lt 20000 ] || exit 14; done
        kill $keeper; wait $keeper
    "#;
    script.args(["-m", "--propagation", "private", "sh", "-c", text, "sh"]).arg(node.path("bin"));
    script.arg(crate::support::tool().get_program()).arg(node.path("one")).arg(node.path("net.d"));
    let output = script.output().unwrap();
    assert!(output.status.success(), "{output:?}");
}

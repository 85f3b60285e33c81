// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! What only Linux has: links, scripts that are programs, renames without a gap, signals.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use antrea_cni_agent::{Agent, Api, Options};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::support::{Node, assert_mode, call, set_mode};

#[test]
fn another_mode_is_a_change() {
    let node = Node::new();
    node.install("one", &[]).assert(0, "antrea: installed");
    set_mode(&node.target(), 0o600);
    node.install("one", &[]).assert(0, "antrea: installed");
    assert_mode(&node.target(), 0o755);
}

#[test]
fn a_link_is_put_back_as_a_link() {
    let node = Node::new();
    symlink("/somewhere/antrea", node.target()).unwrap();
    node.install("one", &[]).assert(0, "installed");
    assert_eq!(node.installed(), "one");
    node.run("uninstall").assert(0, "is back");
    assert_eq!(fs::read_link(node.target()).unwrap(), Path::new("/somewhere/antrea"));
}

#[test]
fn what_does_not_run_is_not_installed() {
    let node = Node::new();
    node.install("one", &[]).assert(0, "installed");
    for (content, says) in [
        (&b"not a program"[..], "is it built for this machine?"),
        (b"#!/bin/sh\necho hello\n", "no CNI plugin"),
        (b"#!/bin/sh\nexit 1\n", "no CNI plugin"),
        (b"#!/nowhere/sh\n", "libraries that this node lacks"),
    ] {
        fs::write(node.path("broken"), content).unwrap();
        node.install("broken", &[]).assert(1, says);
        assert_eq!(node.installed(), "one");
    }
    let left = node.files();
    assert_eq!(left, ["antrea".to_owned(), ".antrea.cnictl".to_owned()].into(), "{left:?}");
}

/// 1,000 installs of the release binary while 8 callers run it without pause; 100 of
/// the debug one, which is ten times as large.
#[test]
#[ignore = "takes long; make test-release runs it"]
fn no_call_fails_while_the_plugin_is_replaced_again_and_again() {
    let installs = if std::env::var_os("ANTREA_CNI_PLUGIN").is_some() { 1000 } else { 100 };
    let node = Node::new();
    node.install("one", &[]).assert(0, "installed");
    let socket = node.path("cni.sock");
    let _agent = Agent::start(Options::new(&socket, &[Api::V1BETA1])).unwrap();
    let configuration = format!(
        r#"{{"cniVersion":"0.3.0","name":"antrea","type":"antrea","antreaCni":{{"socket":{socket:?}}}}}"#
    );
    let (done, calls) = (AtomicBool::new(false), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for caller in 0..8 {
            let (node, configuration) = (&node, &configuration);
            let (done, calls) = (&done, &calls);
            scope.spawn(move || {
                let container = format!("c{caller}");
                while !done.load(Ordering::Relaxed) {
                    for command in ["ADD", "DEL"] {
                        let answer = call(&node.target(), command, &container, configuration);
                        assert!(answer.status.success(), "{answer:?}");
                        calls.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
        for turn in 0..installs {
            let version = if turn % 2 == 0 { "two" } else { "one" };
            let answer = node.install(version, &[]);
            if answer.exit != 0 || turn == installs - 1 {
                done.store(true, Ordering::Relaxed);
            }
            answer.assert(0, "antrea: installed");
        }
    });
    let calls = calls.load(Ordering::Relaxed);
    assert!(calls > installs, "{calls}");
    eprintln!("{installs} installs during {calls} calls, none of which failed");
}

/// `kill -9` of the installer at 200 random moments.
#[test]
#[ignore = "takes long; make test-release runs it"]
fn an_installer_that_is_killed_leaves_a_whole_plugin_and_the_next_one_cleans_up() {
    let node = Node::new();
    fs::copy(node.path("two"), node.target()).unwrap();
    node.install("one", &[]).assert(0, "installed");
    let started = std::time::Instant::now();
    node.install("two", &[]).assert(0, "installed");
    let usual = started.elapsed();
    let mut finished = 0;
    for turn in 0..200 {
        let command = if turn % 5 == 4 { "rollback" } else { "install" };
        let mut tool = node.command(command);
        if command == "install" {
            tool.arg("--from").arg(node.path(if turn % 2 == 0 { "one" } else { "two" }));
        }
        let mut installer = tool.stdout(Stdio::null()).spawn().unwrap();
        // Not to wait for anything: this is the random moment.
        std::thread::sleep(usual.mul_f64(fastrand::f64() * 1.2));
        installer.kill().unwrap();
        finished += usize::from(installer.wait().unwrap().success());
        node.installed();
    }
    eprintln!("200 installers, {} of which were killed in the middle", 200 - finished);
    assert!(finished < 200, "all finished before they were killed");
    node.install("one", &[]).assert(0, "installed");
    assert_eq!(node.installed(), "one");
    assert_eq!(node.files(), ["antrea".to_owned(), ".antrea.cnictl".to_owned()].into());
    let kept: BTreeSet<_> = fs::read_dir(node.path("bin/.antrea.cnictl"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let known = ["before-install", "installed", "lock", "original"].map(str::to_owned);
    assert!(kept.is_subset(&known.into()), "{kept:?}");
    node.run("uninstall").assert(0, "is back");
    assert_eq!(node.installed(), "two");
}

#[test]
fn stay_ends_with_sigterm_after_it_is_done() {
    let node = Node::new();
    node.install("one", &[]).assert(0, "installed");
    let mut tool = node.command("uninstall");
    let mut child = tool.arg("--stay").stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.next().unwrap().unwrap().ends_with("uninstalled"));
    assert!(lines.next().unwrap().unwrap().contains("waiting for SIGTERM"));
    assert!(node.files().is_empty());
    kill(Pid::from_raw(child.id().cast_signed()), Signal::SIGTERM).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! A FIFO or a device in the place of a file: no command waits for it, and no keeper ends.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use nix::sys::stat::Mode;
use nix::unistd::mkfifo;

use crate::support::{Answer, Node, call, eventually};

const LIST: &str = r#"{"cniVersion":"0.3.0","name":"antrea","plugins":[
    {"type":"antrea","ipam":{"type":"host-local"}}]}"#;

fn fifo(path: &Path) {
    mkfifo(path, Mode::S_IRWXU).unwrap();
}

fn zero(path: &Path) {
    symlink("/dev/zero", path).unwrap();
}

#[test]
fn no_command_waits_for_a_file_that_is_none() {
    for make in [fifo, zero] {
        let node = Node::new();
        let net_d = node.path("net.d");
        fs::create_dir(&net_d).unwrap();
        fs::write(net_d.join("10-antrea.conflist"), LIST).unwrap();
        node.install("one", &[]).assert(0, "installed");
        make(&net_d.join("05-x.conflist"));
        let run = |command: &[&str]| -> Answer {
            let mut tool = node.command(command[0]);
            tool.arg("--conf-dir").arg(&net_d).args(&command[1..]).output().unwrap().into()
        };
        run(&["status"]).assert(1, "05-x.conflist: it is not a regular file");
        crate::support::run(["check-config", net_d.to_str().unwrap()])
            .assert(4, "it is not a regular file");
        run(&["owed"]).assert(0, "");
        run(&["settings"]).assert(0, "");
        run(&["uninstall"]).assert(1, "10-antrea.conflist names the plugin");
        let log = node.path("log");
        make(&log);
        let log = log.to_str().unwrap();
        for command in ["show", "summary"] {
            let arguments = ["log", command, "--file", log];
            crate::support::run(arguments).assert(1, "it is not a regular file");
        }
        make(&node.path("fleet.log"));
        let fleet = node.path("fleet.log");
        crate::support::run(["fleet", fleet.to_str().unwrap()]).assert(1, "regular file");
        make(&node.path("bin/.antrea.json"));
        run(&["status"]).assert(1, "");
    }
}

#[test]
fn a_keeper_keeps_beside_them() {
    let node = Node::new();
    let net_d = node.path("net.d");
    fs::create_dir(&net_d).unwrap();
    let (log, metrics) = (node.path("log"), node.path("antrea.prom"));
    fifo(&log);
    fifo(&net_d.join("05-x.conflist"));
    let set = format!("logFile={}", log.display());
    let [metrics, conf] = [&metrics, &net_d].map(|it| it.to_str().unwrap());
    let more =
        ["--set", &set, "--metrics", metrics, "--metrics-interval", "100ms", "--conf-dir", conf];
    node.install("one", &[]).assert(0, "installed");
    fifo(&node.path("bin/.antrea.cnictl/counters.json"));
    let keeper = node.keeper("one", &more);
    eventually(|| Path::new(metrics).exists());
    fs::remove_file(node.target()).unwrap();
    eventually(|| node.target().exists());
    let answer = call(&node.target(), "VERSION", "", "");
    assert!(answer.status.success(), "{answer:?}");
    // Settings that it refuses do not keep it away where there is none: it does DEL.
    fs::write(node.path("bin/.antrea.json"), "{bad").unwrap();
    fs::remove_file(node.target()).unwrap();
    eventually(|| node.target().exists());
    assert_eq!(keeper.end(), Some(0));
}

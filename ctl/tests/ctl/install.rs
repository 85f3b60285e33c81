use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use antrea_cni_agent::{Agent, Api, Options};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::support::{Answer, Node, call, mode, run};

#[test]
fn install_is_whole_executable_and_skipped_when_identical() {
    let node = Node::new();
    node.install("one", &[]).assert(0, "antrea: installed");
    assert_eq!((node.installed(), mode(&node.target())), ("one", 0o755));
    node.install("one", &[]).assert(0, "is installed already");
    fs::set_permissions(node.target(), fs::Permissions::from_mode(0o600)).unwrap();
    node.install("one", &[]).assert(0, "antrea: installed");
    assert_eq!(mode(&node.target()), 0o755);
}

#[test]
fn uninstall_restores_what_was_there_before_the_first_install() {
    let node = Node::new();
    fs::write(node.target(), "#!/bin/sh\n").unwrap();
    fs::set_permissions(node.target(), fs::Permissions::from_mode(0o711)).unwrap();
    node.install("one", &[]).assert(0, "installed");
    node.install("two", &[]).assert(0, "installed");
    node.run("uninstall").assert(0, "what was there before is back");
    assert_eq!(fs::read(node.target()).unwrap(), b"#!/bin/sh\n");
    assert_eq!(mode(&node.target()), 0o711);
    node.run("uninstall").assert(0, "nothing was installed here");
    assert_eq!(node.files(), ["antrea".to_owned()].into());
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
    node.run("uninstall").assert(0, "left alone");
    assert_eq!(fs::read(node.target()).unwrap(), b"theirs");
}

#[test]
fn a_link_is_put_back_as_a_link() {
    let node = Node::new();
    std::os::unix::fs::symlink("/somewhere/antrea", node.target()).unwrap();
    node.install("one", &[]).assert(0, "installed");
    assert_eq!(node.installed(), "one");
    node.run("uninstall").assert(0, "is back");
    assert_eq!(fs::read_link(node.target()).unwrap(), Path::new("/somewhere/antrea"));
}

#[test]
fn rollback_goes_one_version_back_once() {
    let node = Node::new();
    node.run("rollback").assert(0, "nothing was installed here");
    node.install("one", &[]).assert(0, "installed");
    node.run("rollback").assert(0, "no version before");
    node.install("two", &[]).assert(0, "installed");
    node.run("rollback").assert(0, "rolled back");
    assert_eq!(node.installed(), "one");
    node.run("rollback").assert(0, "no version before");
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
    node.run("rollback").assert(0, "no version before");
    node.install("two", &[]).assert(0, "installed");
    // One that changes nothing does not count.
    node.install("two", &[]).assert(0, "is installed already");
    node.run("rollback").assert(0, "rolled back");
    assert_eq!(fs::read(node.target()).unwrap(), b"theirs");
    node.run("rollback").assert(0, "no version before");
    node.run("uninstall").assert(0, "left alone");
    assert_eq!(fs::read(node.target()).unwrap(), b"theirs");
    assert_eq!(node.files(), ["antrea".to_owned()].into());
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

#[test]
fn wrong_places_are_named() {
    let node = Node::new();
    for name in ["../antrea", "", "a/b", ".."] {
        node.install("one", &["--name", name]).assert(2, "not a file name");
    }
    node.install("nothing", &[]).assert(1, "cannot read");
    let file = node.path("one");
    let answer = run(["install", "--from", file.to_str().unwrap(), "--bin-dir", "/proc/nothing"]);
    answer.assert(1, "cannot create /proc/nothing");
}

/// 1,000 installs of the release binary while 8 callers run it without pause; 100 of
/// the debug one, which is ten times as large.
#[test]
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

#[test]
fn a_conflist_is_checked_first_and_written_last() {
    let node = Node::new();
    let bad =
        node.conflist(r#"{"cniVersion":"9.0.0","name":"antrea","plugins":[{"type":"antrea"}]}"#);
    let conf_dir = node.path("net.d");
    let conf_dir = conf_dir.to_str().unwrap();
    let answer = node.install("one", &["--conflist", &bad, "--conf-dir", conf_dir]);
    answer.assert(1, "the plugin would refuse");
    assert!(!node.target().exists() && !Path::new(conf_dir).exists());

    let good =
        node.conflist(r#"{"cniVersion":"1.1.0","name":"antrea","plugins":[{"type":"antrea"}]}"#);
    node.install("one", &["--conflist", &good, "--conf-dir", conf_dir])
        .assert(0, "10-antrea.conflist: installed");
    let written = node.path("net.d/10-antrea.conflist");
    assert_eq!((fs::read(&written).unwrap(), mode(&written)), (fs::read(good).unwrap(), 0o644));
    node.run("uninstall").assert(0, "10-antrea.conflist: uninstalled");
    assert!(!written.exists() && node.files().is_empty());
}

#[test]
fn the_conflist_waits_for_an_agent_that_can_wire_pods() {
    let node = Node::new();
    let socket = node.path("cni.sock");
    let conflist = node.conflist(&format!(
        r#"{{"cniVersion":"1.1.0","name":"antrea","plugins":[{{"type":"antrea","antreaCni":{{"socket":{socket:?}}}}}]}}"#
    ));
    let conf_dir = node.path("net.d");
    let conf_dir = conf_dir.to_str().unwrap();
    let arguments =
        |limit| ["--conflist", &conflist, "--conf-dir", conf_dir, "--wait-for-agent", limit];
    node.install("one", &arguments("1s")).assert(3, "No agent listens");
    let written = node.path("net.d/10-antrea.conflist");
    assert_eq!((node.installed(), written.exists()), ("one", false));

    let mut waiting = node.command("install");
    waiting.arg("--from").arg(node.path("one")).args(arguments("60s"));
    let waiting = waiting.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let _agent = Agent::start(Options::new(&socket, &[Api::V1BETA1])).unwrap();
    let answer = Answer::from(waiting.wait_with_output().unwrap());
    answer.assert(0, "10-antrea.conflist: installed");
    assert!(written.exists());
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

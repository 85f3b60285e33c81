// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! The tool as an init container: it never keeps an agent from starting, and ends when it
//! is told to.

use std::fs::{self, File};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;
use std::process::{Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::sys::stat::Mode;
use nix::unistd::{Pid, geteuid, mkfifo};

use antrea_cni_test_support::skipped;

use crate::support::{Answer, Node, eventually, tool};

/// A whole program for no machine that this runs on.
fn of_another_machine(path: &Path) {
    let mut program = fs::read("/proc/self/exe").unwrap();
    // e_machine: the Motorola 68000.
    program.splice(18..20, [4, 0]);
    fs::write(path, program).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn what_cannot_be_installed_leaves_a_plugin_that_works() {
    let node = Node::new();
    node.script("theirs");
    of_another_machine(&node.path("foreign"));
    let install = || node.install("foreign", &["--best-effort"]);
    install().assert(1, "is it built for this machine?");
    assert!(node.files().is_empty(), "{:?}", node.files());
    for broken in ["", "#!/bin/sh\nexit 1\n"] {
        fs::write(node.target(), broken).unwrap();
        install().assert(1, "is it built for this machine?");
    }
    // One for another machine does not work either.
    of_another_machine(&node.target());
    install().assert(1, "is it built for this machine?");

    node.overwrite(&node.target(), &node.path("theirs"));
    install().assert(0, "left as it is");
    node.install("nothing", &["--best-effort"]).assert(0, "left as it is");
    node.install("foreign", &[]).assert(1, "is it built for this machine?");
    assert_eq!(fs::read(node.target()).unwrap(), fs::read(node.path("theirs")).unwrap());
    assert_eq!(node.files(), ["antrea".to_owned()].into());
}

/// Root without the capability, on a folder of another user, as Kubespray makes it.
#[test]
fn root_without_the_capability_is_told_which_one() {
    let has_setpriv = Command::new("setpriv").arg("--version").output().is_ok();
    if !geteuid().is_root() || !has_setpriv {
        skipped("dropping a capability needs root and setpriv");
        return;
    }
    let node = Node::new();
    node.script("one");
    node.script("theirs");
    fs::set_permissions(node.path(""), fs::Permissions::from_mode(0o755)).unwrap();
    chown(node.path("bin"), Some(4242), Some(4242)).unwrap();
    let install = |more: &[&str]| -> Answer {
        let mut setpriv = Command::new("setpriv");
        setpriv.arg("--bounding-set=-dac_override").arg(tool().get_program());
        setpriv.arg("install").arg("--from").arg(node.path("one"));
        setpriv.arg("--bin-dir").arg(node.path("bin")).args(more);
        setpriv.output().unwrap().into()
    };
    install(&[]).assert(2, "capability DAC_OVERRIDE");
    install(&["--best-effort"]).assert(2, "capability DAC_OVERRIDE");
    node.overwrite(&node.target(), &node.path("theirs"));
    install(&["--best-effort"]).assert(0, "left as it is");
}

/// Where nothing may be run, a whole program is taken for one that works.
#[test]
fn on_a_file_system_without_programs_a_whole_one_is_left() {
    if !geteuid().is_root() {
        skipped("mounting needs root");
        return;
    }
    let node = Node::new();
    let bin = node.path("bin");
    let mut mount = Command::new("unshare");
    let script = r#"
        mount -t tmpfs -o noexec,mode=755 tmpfs "$1"
        "$2" install --best-effort --from "$3" --bin-dir "$1" && exit 10
        cp "$3" "$1/antrea"
        "$2" install --best-effort --from "$3" --bin-dir "$1" || exit 11
        head -c 5000 "$3" >"$1/antrea"
        "$2" install --best-effort --from "$3" --bin-dir "$1" && exit 12
        mount -o remount,exec "$1"
        cp "$3" "$1/antrea"
        mount -o remount,ro "$1"
        "$2" install --best-effort --from "$3" --bin-dir "$1" || exit 13
    "#;
    mount.args(["-m", "--propagation", "private", "sh", "-c", script, "sh"]).arg(bin);
    mount.arg(tool().get_program()).arg(node.path("one"));
    Answer::from(mount.output().unwrap()).assert(0, "left as it is");
}

#[test]
fn sigterm_ends_it_wherever_it_waits() {
    let node = Node::new();
    node.script("one");
    node.install("one", &[]).assert(0, "installed");
    let fifo = node.path("fifo");
    mkfifo(&fifo, Mode::S_IRWXU).unwrap();
    let fifo = fifo.to_str().unwrap();
    let one = node.path("one").to_str().unwrap().to_owned();
    let ended = |arguments: &[&str]| {
        let mut tool = node.command(arguments[0]);
        tool.args(&arguments[1..]).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = tool.spawn().unwrap();
        eventually(|| catches_sigterm(child.id()));
        kill(Pid::from_raw(child.id().cast_signed()), Signal::SIGTERM).unwrap();
        child.wait().unwrap().code()
    };
    assert_eq!(ended(&["install", "--from", fifo]), Some(1));
    let lock = File::options().write(true).open(node.path("bin/.antrea.cnictl/lock")).unwrap();
    lock.lock().unwrap();
    for command in [&["install", "--from", &*one][..], &["rollback"], &["uninstall"]] {
        assert_eq!(ended(command), Some(1));
    }
}

fn catches_sigterm(pid: u32) -> bool {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
    let mask = mask.and_then(|it| u64::from_str_radix(it.trim(), 16).ok());
    mask.is_some_and(|it| it & 1 << (Signal::SIGTERM as i32 - 1) != 0)
}

/// A process 1 has no default action for signals.
#[test]
fn sigterm_ends_also_the_first_process_of_a_container() {
    if !geteuid().is_root() {
        skipped("a process namespace needs root");
        return;
    }
    let node = Node::new();
    let fifo = node.path("fifo");
    mkfifo(&fifo, Mode::S_IRWXU).unwrap();
    let mut unshare = Command::new("unshare");
    unshare.args(["--pid", "--fork", "--kill-child"]).arg(tool().get_program());
    unshare.args(["install", "--from"]).arg(&fifo).arg("--bin-dir").arg(node.path("bin"));
    let mut child = unshare.stderr(Stdio::null()).spawn().unwrap();
    let first = || -> Option<u32> {
        let path = format!("/proc/{0}/task/{0}/children", child.id());
        fs::read_to_string(path).ok()?.split_whitespace().next()?.parse().ok()
    };
    eventually(|| first().is_some_and(catches_sigterm));
    let pid = Pid::from_raw(first().unwrap().cast_signed());
    kill(pid, Signal::SIGTERM).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(1));
}

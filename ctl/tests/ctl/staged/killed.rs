// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! A start of an agent's Pod that is killed leaves whole files.

use std::fs;
use std::process::Command;

use antrea_cni_test_support::skipped;

use super::{LIST, OLDER_LIST, PROGRAMS, Staging, names};
use crate::kill::CHANGES;
use crate::support::mode;

/// SIGKILL before each system call that changes a file: of a first start, where Antrea's own
/// installer wrote before, and of an upgrade of Antrea and of ours.
#[test]
#[ignore = "takes long; make test-release runs it"]
fn a_start_that_is_killed_leaves_whole_files_and_the_next_one_finishes() {
    if !Command::new("strace").arg("--version").output().is_ok_and(|it| it.status.success()) {
        skipped("kills at each system call need strace");
        return;
    }
    let first = || {
        let staging = Staging::new();
        staging.installer("bin", "net.d");
        fs::write(staging.path(OLDER_LIST), "older").unwrap();
        Killed { staging, ours: "one", was: "image-1/antrea" }
    };
    let upgrade = || {
        let staging = Staging::new();
        staging.start("one").assert(0, "installed");
        Killed { staging, ours: "two", was: "one" }
    };
    let points: Vec<usize> = std::thread::scope(|scope| {
        let threads =
            [scope.spawn(|| first().at_each_step()), scope.spawn(|| upgrade().at_each_step())];
        threads.into_iter().map(|it| it.join().unwrap()).collect()
    });
    eprintln!("starts that were killed at {points:?} points");
    assert!(points.iter().all(|it| *it > 40), "{points:?}");
}

struct Killed {
    staging: Staging,
    ours: &'static str,
    /// What is in the place of the plugin before
    was: &'static str,
}

impl Killed {
    fn at_each_step(&self) -> usize {
        let staging = &self.staging;
        self.copy("image", "image-1");
        staging.release("2");
        for folder in ["bin", "net.d"] {
            self.copy(folder, &format!("{folder}-1"));
        }
        staging.installer("staged/bin", "staged/conf");
        let of_call = |call: &&str| (1..).find(|point| self.at(call, *point)).unwrap() - 1;
        CHANGES.iter().map(of_call).sum()
    }

    fn copy(&self, from: &str, to: &str) {
        let _ = fs::remove_dir_all(self.staging.path(to));
        let paths = [from, to].map(|it| self.staging.path(it));
        assert!(Command::new("cp").arg("-a").args(paths).status().unwrap().success());
    }

    /// Kills the start at a system call. Whether it came to its end before that.
    fn at(&self, call: &str, point: usize) -> bool {
        let staging = &self.staging;
        self.copy("bin-1", "bin");
        self.copy("net.d-1", "net.d");
        let tool = staging.tool(self.ours, &["--best-effort"]);
        let inject = format!("inject={call}:error=EIO:signal=KILL:when={point}");
        let mut strace = Command::new("strace");
        strace.args(["-f", "-qq", "-o", "/dev/null", "-e", &inject]);
        let done = strace.arg(tool.get_program()).args(tool.get_args()).output().unwrap();
        let context = format!("killed at {call} {point}: {done:?}");

        let is = |name: &str, one: &str| {
            fs::read(staging.path(name)).ok() == fs::read(staging.path(one)).ok()
        };
        // strace counts the calls of each process by itself, and ends the trial of ours, too.
        let is_moved = is("bin/antrea", self.ours) || is("bin/antrea", "image/antrea");
        assert!(is("bin/antrea", self.was) || is_moved, "{context}");
        for program in ["bandwidth", "loopback", "portmap"] {
            let [name, old, new] =
                ["bin", "image-1", "image"].map(|folder| format!("{folder}/{program}"));
            assert!(is(&name, &old) || is(&name, &new), "{program}, {context}");
        }
        for program in PROGRAMS {
            assert_eq!(mode(&staging.path(&format!("bin/{program}"))), 0o755, "{context}");
        }
        let lists = ["image-1", "image"].map(|it| format!("{it}/antrea-cni.conflist"));
        assert!(lists.iter().any(|it| is(LIST, it)), "{context}");
        // A runtime that reads the folder now takes a list.
        if is(LIST, &lists[1]) {
            assert!(is("bin/portmap", "image/portmap") && is_moved, "{context}");
        }

        let again = staging.ours(self.ours, &["--best-effort"]);
        assert_eq!(again.exit, 0, "{context}: {again:?}");
        staging.assert_moved(self.ours);
        let last = staging.node.run("uninstall");
        assert_eq!(last.exit, 0, "{context}: {last:?}");
        assert!(is("bin/antrea", "image/antrea"), "{context}: {last:?}");
        assert_eq!(names(&staging.path("bin")), PROGRAMS.map(str::to_owned).into(), "{context}");
        done.status.success() && !String::from_utf8_lossy(&done.stderr).contains("warning")
    }
}

// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! SIGKILL before each system call that changes a file, in each command that does.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use antrea_cni_test_support::skipped;

use crate::support::{Answer, Node, mode, tool};

/// strace counts each of them by itself.
pub(crate) const CHANGES: [&str; 23] = [
    "open",
    "openat",
    "write",
    "pwrite64",
    "ftruncate",
    "fchmod",
    "fchmodat",
    "chmod",
    "chown",
    "fchownat",
    "utimensat",
    "mkdir",
    "mkdirat",
    "link",
    "linkat",
    "symlink",
    "symlinkat",
    "rename",
    "renameat",
    "renameat2",
    "unlink",
    "unlinkat",
    "rmdir",
];

struct Operation {
    name: &'static str,
    /// What was installed before it, one after another
    installed: &'static [&'static str],
    arguments: &'static [&'static str],
    before: &'static str,
    after: &'static str,
}

const OPERATIONS: &[Operation] = &[
    Operation {
        name: "first install",
        installed: &[],
        arguments: &["install", "--from", "one"],
        before: "theirs",
        after: "one",
    },
    Operation {
        name: "upgrade",
        installed: &["one"],
        arguments: &["install", "--from", "two", "--set", "logLevel=error"],
        before: "one",
        after: "two",
    },
    Operation {
        name: "rollback",
        installed: &["one", "two"],
        arguments: &["rollback"],
        before: "two",
        after: "one",
    },
    Operation {
        name: "rollback of the first",
        installed: &["one"],
        arguments: &["rollback"],
        before: "one",
        after: "theirs",
    },
    Operation {
        name: "uninstall",
        installed: &["one", "two"],
        arguments: &["uninstall"],
        before: "two",
        after: "theirs",
    },
];

#[test]
#[ignore = "takes long; make test-release runs it"]
fn a_command_that_is_killed_leaves_the_state_before_or_after_it() {
    if !Command::new("strace").arg("--version").output().is_ok_and(|it| it.status.success()) {
        skipped("kills at each system call need strace");
        return;
    }
    let points = |operation: &Operation| {
        let bench = Bench::new(operation);
        let of_call = |call: &str| (1..).find(|point| bench.kill_at(call, *point)).unwrap() - 1;
        let points: usize = CHANGES.iter().map(|call| of_call(call)).sum();
        eprintln!("{}: killed at {points} points", operation.name);
        assert!(points > 15, "{}: {points}", operation.name);
        points
    };
    let all: usize = std::thread::scope(|scope| {
        let threads: Vec<_> = OPERATIONS.iter().map(|it| scope.spawn(move || points(it))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    eprintln!("{all} points in all");
}

struct Bench<'a> {
    operation: &'a Operation,
    node: Node,
}

impl<'a> Bench<'a> {
    fn new(operation: &'a Operation) -> Self {
        let node = Node::new();
        for version in ["one", "two", "theirs"] {
            node.script(version);
        }
        fs::create_dir_all(node.path("work/bin")).unwrap();
        let bench = Self { operation, node };
        fs::copy(bench.node.path("theirs"), bench.plugin()).unwrap();
        for version in operation.installed {
            bench.run(&["install", "--from", version]).assert(0, "installed");
        }
        bench.copy("work", "before");
        bench
    }

    fn plugin(&self) -> PathBuf {
        self.node.path("work/bin/antrea")
    }

    fn copy(&self, from: &str, to: &str) {
        let _ = fs::remove_dir_all(self.node.path(to));
        let (from, to) = (self.node.path(from), self.node.path(to));
        assert!(Command::new("cp").arg("-a").args([from, to]).status().unwrap().success());
    }

    fn tool(&self, under: &[&str], arguments: &[&str]) -> Command {
        let tool = tool().get_program().to_owned();
        let words: Vec<_> = under.iter().map(Into::into).chain([tool]).collect();
        let (program, rest) = words.split_first().unwrap();
        let mut command = Command::new(program);
        command.args(rest).args(arguments).current_dir(self.node.path(""));
        command.args(["--bin-dir", "work/bin"]).stdin(Stdio::null());
        command
    }

    fn run(&self, arguments: &[&str]) -> Answer {
        self.tool(&[], arguments).output().unwrap().into()
    }

    fn is(&self, version: &str) -> bool {
        fs::read(self.plugin()).ok() == fs::read(self.node.path(version)).ok()
    }

    /// Kills the operation at a system call. Whether it came to its end before that.
    fn kill_at(&self, call: &str, point: usize) -> bool {
        let Operation { name, arguments, before, after, .. } = self.operation;
        self.copy("before", "work");
        let inject = format!("inject={call}:error=EIO:signal=KILL:when={point}");
        let under = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", &inject];
        let done = self.tool(&under, arguments).output().unwrap();
        let context = format!("{name}, killed at {call} {point}: {done:?}");

        assert!(self.is(before) || self.is(after), "{context}");
        assert_eq!(mode(&self.plugin()) & 0o111, 0o111, "{context}");

        let again = self.run(arguments);
        assert_eq!(again.exit, 0, "{context}: {again:?}");
        assert!(self.is(after), "{context}: {again:?}");
        let last = self.run(&["uninstall"]);
        assert_eq!(last.exit, 0, "{context}: {last:?}");
        assert!(self.is("theirs"), "{context}: {last:?}");
        let left = |folder: &str| names(&self.node.path(folder));
        assert_eq!(left("work/bin"), ["antrea".to_owned()].into(), "{context}");
        done.status.success()
    }
}

fn names(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

//! SIGKILL before each system call that changes a file, in each command that does.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use antrea_cni_test_support::skipped;

use crate::support::{Answer, Node, mode, tool};

/// strace counts each of them by itself.
const CHANGES: [&str; 23] = [
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

const THEIRS: &str = r#"{"cniVersion":"0.3.0","name":"antrea","plugins":[{"type":"antrea"}]}"#;
const OLD: &str = r#"{"cniVersion":"1.0.0","name":"antrea","plugins":[{"type":"antrea"}]}"#;
const NEW: &str = r#"{"cniVersion":"1.1.0","name":"antrea","plugins":[{"type":"antrea"}]}"#;

/// A plugin by name, and a list.
type Pair = (&'static str, &'static str);

struct Operation {
    name: &'static str,
    /// What was installed before it, one after another
    installed: &'static [Pair],
    arguments: &'static [&'static str],
    before: Pair,
    after: Pair,
}

const OPERATIONS: &[Operation] = &[
    Operation {
        name: "first install",
        installed: &[],
        arguments: &["install", "--from", "one", "--conflist", "old/10-antrea.conflist"],
        before: ("theirs", THEIRS),
        after: ("one", OLD),
    },
    Operation {
        name: "upgrade",
        installed: &[("one", "old")],
        arguments: &[
            "install",
            "--from",
            "two",
            "--conflist",
            "new/10-antrea.conflist",
            "--set",
            "logLevel=error",
        ],
        before: ("one", OLD),
        after: ("two", NEW),
    },
    Operation {
        name: "rollback",
        installed: &[("one", "old"), ("two", "new")],
        arguments: &["rollback"],
        before: ("two", NEW),
        after: ("one", OLD),
    },
    Operation {
        name: "rollback of the first",
        installed: &[("one", "old")],
        arguments: &["rollback"],
        before: ("one", OLD),
        after: ("theirs", THEIRS),
    },
    Operation {
        name: "uninstall",
        installed: &[("one", "old"), ("two", "new")],
        arguments: &["uninstall"],
        before: ("two", NEW),
        after: ("theirs", THEIRS),
    },
];

#[test]
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
        assert!(points > 20, "{}: {points}", operation.name);
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
        fs::create_dir_all(node.path("work/net.d")).unwrap();
        for (folder, list) in [("old", OLD), ("new", NEW)] {
            fs::create_dir(node.path(folder)).unwrap();
            fs::write(node.path(folder).join("10-antrea.conflist"), list).unwrap();
        }
        let bench = Self { operation, node };
        fs::copy(bench.node.path("theirs"), bench.plugin()).unwrap();
        fs::write(bench.list(), THEIRS).unwrap();
        for (version, list) in operation.installed {
            let list = format!("{list}/10-antrea.conflist");
            bench.run(&["install", "--from", version, "--conflist", &list]).assert(0, "installed");
        }
        bench.copy("work", "before");
        bench
    }

    fn plugin(&self) -> PathBuf {
        self.node.path("work/bin/antrea")
    }

    fn list(&self) -> PathBuf {
        self.node.path("work/net.d/10-antrea.conflist")
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
        command.args(["--bin-dir", "work/bin", "--conf-dir", "work/net.d"]).stdin(Stdio::null());
        command
    }

    fn run(&self, arguments: &[&str]) -> Answer {
        self.tool(&[], arguments).output().unwrap().into()
    }

    fn is(&self, (plugin, list): Pair) -> (bool, bool) {
        let plugin = fs::read(self.plugin()).ok() == fs::read(self.node.path(plugin)).ok();
        (plugin, fs::read_to_string(self.list()).is_ok_and(|it| it == list))
    }

    /// Kills the operation at a system call. Whether it came to its end before that.
    fn kill_at(&self, call: &str, point: usize) -> bool {
        let Operation { name, arguments, before, after, .. } = self.operation;
        self.copy("before", "work");
        let inject = format!("inject={call}:error=EIO:signal=KILL:when={point}");
        let under = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", &inject];
        let done = self.tool(&under, arguments).output().unwrap();
        let context = format!("{name}, killed at {call} {point}: {done:?}");

        let (was, is) = (self.is(*before), self.is(*after));
        assert!((was.0 || is.0) && (was.1 || is.1), "{context}");
        assert_eq!(mode(&self.plugin()) & 0o111, 0o111, "{context}");

        let again = self.run(arguments);
        assert_eq!(again.exit, 0, "{context}: {again:?}");
        assert_eq!(self.is(*after), (true, true), "{context}: {again:?}");
        let last = self.run(&["uninstall"]);
        assert_eq!(last.exit, 0, "{context}: {last:?}");
        assert_eq!(self.is(("theirs", THEIRS)), (true, true), "{context}: {last:?}");
        let left = |folder: &str| names(&self.node.path(folder));
        assert_eq!(left("work/bin"), ["antrea".to_owned()].into(), "{context}");
        assert_eq!(left("work/net.d"), ["10-antrea.conflist".to_owned()].into(), "{context}");
        done.status.success()
    }
}

fn names(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

//! Running the tool and the plugin.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader, Lines, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use tempfile::TempDir;

/// The tool under test: the one that cargo built, or any other that
/// `ANTREA_CNICTL` names.
pub(crate) fn tool() -> Command {
    let built = || PathBuf::from(env!("CARGO_BIN_EXE_antrea-cnictl"));
    Command::new(std::env::var_os("ANTREA_CNICTL").map_or_else(built, PathBuf::from))
}

/// The plugin: the one that cargo put beside the tool, or any other that
/// `ANTREA_CNI_PLUGIN` names.
pub(crate) fn plugin() -> PathBuf {
    let built = || Path::new(env!("CARGO_BIN_EXE_antrea-cnictl")).with_file_name("antrea-cni");
    let plugin = std::env::var_os("ANTREA_CNI_PLUGIN").map_or_else(built, PathBuf::from);
    assert!(plugin.exists(), "run cargo build first: there is no {}", plugin.display());
    plugin
}

/// What the tool answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) exit: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|_| panic!("{self:?}"))
    }

    #[track_caller]
    pub(crate) fn assert(&self, exit: i32, says: &str) {
        let text = format!("{}{}", self.out, self.err);
        assert!(self.exit == exit && text.contains(says), "{exit} {says:?}: {self:?}");
    }
}

impl From<Output> for Answer {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let exit = output.status.code().unwrap_or(-1);
        Self { exit, out: text(output.stdout), err: text(output.stderr) }
    }
}

pub(crate) fn run<S: AsRef<std::ffi::OsStr>>(arguments: impl IntoIterator<Item = S>) -> Answer {
    let mut command = tool();
    command.args(arguments).stdin(Stdio::null());
    command.output().unwrap().into()
}

/// Calls a plugin as a runtime does.
pub(crate) fn call(plugin: &Path, command: &str, container: &str, configuration: &str) -> Output {
    let mut child = Command::new(plugin)
        .env_clear()
        .env("CNI_COMMAND", command)
        .env("CNI_CONTAINERID", container)
        .env("CNI_NETNS", "/var/run/netns/x")
        .env("CNI_IFNAME", "eth0")
        .env("CNI_ARGS", "K8S_POD_NAMESPACE=shop;K8S_POD_NAME=web-0")
        .env("CNI_PATH", "/opt/cni/bin")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{}: {error}", plugin.display()));
    // A plugin that refuses the call does not read its input.
    let _ = child.stdin.take().unwrap().write_all(configuration.as_bytes());
    child.wait_with_output().unwrap()
}

/// A folder of CNI plugins, and two versions of ours to install there.
pub(crate) struct Node {
    folder: TempDir,
}

impl Node {
    pub(crate) fn new() -> Self {
        Self::of(tempfile::tempdir().unwrap())
    }

    /// Where nothing but this test changes anything on the way.
    pub(crate) fn in_a_quiet_place() -> Self {
        Self::of(tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap())
    }

    fn of(folder: TempDir) -> Self {
        let node = Self { folder };
        fs::create_dir(node.path("bin")).unwrap();
        let plugin = fs::read(plugin()).unwrap();
        for version in ["one", "two"] {
            // What follows the last section of a program is nobody's.
            fs::write(node.path(version), [&plugin, version.as_bytes()].concat()).unwrap();
            fs::set_permissions(node.path(version), fs::Permissions::from_mode(0o755)).unwrap();
        }
        node
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn target(&self) -> PathBuf {
        self.path("bin/antrea")
    }

    pub(crate) fn command(&self, command: &str) -> Command {
        let mut tool = tool();
        tool.arg(command).arg("--bin-dir").arg(self.path("bin"));
        tool
    }

    pub(crate) fn run(&self, command: &str) -> Answer {
        self.command(command).output().unwrap().into()
    }

    pub(crate) fn install(&self, version: &str, more: &[&str]) -> Answer {
        let mut tool = self.command("install");
        tool.arg("--from").arg(self.path(version)).args(more).output().unwrap().into()
    }

    /// Which version is in place; it has to work.
    pub(crate) fn installed(&self) -> &'static str {
        let there = fs::read(self.target()).unwrap();
        let found = ["one", "two"].into_iter().find(|it| fs::read(self.path(it)).unwrap() == there);
        let version = found.expect("a whole version");
        let answer = call(&self.target(), "VERSION", "", "");
        assert!(answer.status.success(), "{answer:?}");
        version
    }

    pub(crate) fn files(&self) -> BTreeSet<String> {
        let entries = fs::read_dir(self.path("bin")).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    /// A small plugin that answers VERSION and does nothing else.
    pub(crate) fn script(&self, version: &str) -> PathBuf {
        let path = self.path(version);
        let answer = r#"{"cniVersion":"1.0.0","supportedVersions":["1.0.0"]}"#;
        fs::write(&path, format!("#!/bin/sh\n# {version}\necho '{answer}'\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    /// What another installer does: away with it, then a new one, written in place.
    pub(crate) fn overwrite(&self, target: &Path, with: &Path) {
        let _ = fs::remove_file(target);
        fs::copy(with, target).unwrap();
    }

    /// A keeper, once it has installed.
    pub(crate) fn keeper(&self, version: &str, more: &[&str]) -> Keeper {
        let mut tool = self.command("install");
        tool.arg("--from").arg(self.path(version)).args(["--keep", "1h"]).args(more);
        let mut child = tool.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let first = lines.next().unwrap().unwrap();
        assert!(first.contains("installed") || first.contains("rolled back"), "{first}");
        // It watches as soon as it says that it lives.
        let is_alive = || self.run("status").out.contains("lives");
        let keeper = Keeper { child, _lines: lines };
        eventually(is_alive);
        keeper
    }

    /// A list to install.
    pub(crate) fn conflist(&self, json: &str) -> String {
        let path = self.path("10-antrea.conflist");
        fs::write(&path, json).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

pub(crate) fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

/// A process that keeps an installation; it ends with its test.
pub(crate) struct Keeper {
    child: Child,
    _lines: Lines<BufReader<ChildStdout>>,
}

impl Keeper {
    pub(crate) fn pid(&self) -> Pid {
        Pid::from_raw(self.child.id().cast_signed())
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill(self.pid(), signal).unwrap();
    }

    /// Asks it to end, and gives its exit status.
    pub(crate) fn end(mut self) -> Option<i32> {
        self.signal(Signal::SIGTERM);
        self.child.wait().unwrap().code()
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits until something holds that will.
#[track_caller]
pub(crate) fn eventually(what: impl Fn() -> bool) {
    let started = Instant::now();
    while !what() {
        assert!(started.elapsed() < Duration::from_secs(60), "never happened");
        std::thread::yield_now();
    }
}

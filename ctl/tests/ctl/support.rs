// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Running the tool and the plugin.

#[cfg(unix)]
mod linux;

use std::collections::BTreeSet;
use std::env::consts::EXE_SUFFIX;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

#[cfg(unix)]
pub(crate) use self::linux::{Keeper, eventually, mode};

/// The tool under test: the one that cargo built, or any other that
/// `ANTREA_CNICTL` names.
pub(crate) fn tool() -> Command {
    let built = || PathBuf::from(env!("CARGO_BIN_EXE_antrea-cnictl"));
    Command::new(std::env::var_os("ANTREA_CNICTL").map_or_else(built, PathBuf::from))
}

/// Longest wait for what a loaded machine does late.
pub(crate) const LONG: Duration = Duration::from_secs(60);

/// The lines that a process writes, each within [`LONG`].
pub(crate) struct Lines(Receiver<String>);

impl Lines {
    pub(crate) fn of(stream: Option<impl Read + Send + 'static>) -> Self {
        let (sender, lines) = channel();
        let stream = BufReader::new(stream.unwrap());
        std::thread::spawn(move || {
            stream.lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
        });
        Self(lines)
    }

    #[track_caller]
    pub(crate) fn next(&self) -> String {
        self.0.recv_timeout(LONG).expect("it writes no further line")
    }
}

/// The plugin: the one that cargo put beside the tool, or any other that
/// `ANTREA_CNI_PLUGIN` names.
pub(crate) fn plugin() -> PathBuf {
    let built = || {
        let tool = Path::new(env!("CARGO_BIN_EXE_antrea-cnictl"));
        tool.with_file_name(format!("antrea-cni{EXE_SUFFIX}"))
    };
    let plugin = std::env::var_os("ANTREA_CNI_PLUGIN").map_or_else(built, PathBuf::from);
    assert!(plugin.exists(), "run cargo build first: there is no {}", plugin.display());
    plugin
}

/// The file name of the plugin that is installed.
#[cfg(unix)]
pub(crate) const PLUGIN: &str = "antrea";
#[cfg(windows)]
pub(crate) const PLUGIN: &str = "antrea.exe";

/// What an install says of the plugin.
#[cfg(unix)]
pub(crate) const INSTALLED: &str = "antrea: installed";
#[cfg(windows)]
pub(crate) const INSTALLED: &str = "antrea.exe: installed";

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

/// A plugin as a runtime starts it.
pub(crate) fn cni(plugin: &Path, command: &str, container: &str) -> Command {
    let mut program = Command::new(plugin);
    program
        .env_clear()
        .env("CNI_COMMAND", command)
        .env("CNI_CONTAINERID", container)
        .env("CNI_NETNS", "/var/run/netns/x")
        .env("CNI_IFNAME", "eth0")
        .env("CNI_ARGS", "K8S_POD_NAMESPACE=shop;K8S_POD_NAME=web-0")
        .env("CNI_PATH", "/opt/cni/bin")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    program
}

/// Calls a plugin as a runtime does.
pub(crate) fn call(plugin: &Path, command: &str, container: &str, configuration: &str) -> Output {
    let mut child = cni(plugin, command, container)
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

    fn of(folder: TempDir) -> Self {
        let node = Self { folder };
        fs::create_dir(node.path("bin")).unwrap();
        let plugin = fs::read(plugin()).unwrap();
        for version in ["one", "two"] {
            // What follows the last section of a program is nobody's.
            fs::write(node.path(version), [&plugin, version.as_bytes()].concat()).unwrap();
            set_mode(&node.path(version), 0o755);
        }
        node
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn target(&self) -> PathBuf {
        self.path("bin").join(PLUGIN)
    }

    /// Where the agent of this node listens.
    pub(crate) fn socket(&self) -> PathBuf {
        socket(self.folder.path())
    }

    pub(crate) fn command(&self, command: &str) -> Command {
        let mut tool = tool();
        tool.arg(command).arg("--bin-dir").arg(self.path("bin"));
        tool
    }

    /// Runs a command on this node, with its folder of configurations.
    pub(crate) fn run(&self, command: &str) -> Answer {
        let mut tool = self.command(command);
        tool.arg("--conf-dir").arg(self.path("net.d")).output().unwrap().into()
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

    /// What another installer does: away with it, then a new one, written in place.
    pub(crate) fn overwrite(&self, target: &Path, with: &Path) {
        let _ = fs::remove_file(target);
        fs::copy(with, target).unwrap();
    }
}

/// A name for an agent's socket, or its pipe, that is this folder's alone.
pub(crate) fn socket(folder: &Path) -> PathBuf {
    match cfg!(windows) {
        true => Path::new(r"\\.\pipe").join(folder.file_name().unwrap()),
        false => folder.join("cni.sock"),
    }
}

#[cfg(unix)]
pub(crate) fn set_mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// There are none.
#[cfg(windows)]
pub(crate) fn set_mode(_: &Path, _: u32) {}

#[track_caller]
pub(crate) fn assert_mode(path: &Path, expected: u32) {
    #[cfg(unix)]
    assert_eq!(mode(path), expected, "{}", path.display());
    let _ = (path, expected);
}

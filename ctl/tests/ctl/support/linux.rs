// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! What only the tests on Linux use: keepers, small plugins, modes.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use antrea_cni_test_support::write_script;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::{LONG, Lines, Node};

impl Node {
    /// Where nothing but this test changes anything on the way.
    pub(crate) fn in_a_quiet_place() -> Self {
        Self::of(tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap())
    }

    /// A small plugin that answers VERSION and does nothing else.
    pub(crate) fn script(&self, version: &str) -> PathBuf {
        let path = self.path(version);
        let answer = r#"{"cniVersion":"1.0.0","supportedVersions":["1.0.0"]}"#;
        write_script(&path, &format!("#!/bin/sh\n# {version}\necho '{answer}'\n"));
        path
    }

    /// A keeper, once it has installed.
    pub(crate) fn keeper(&self, version: &str, more: &[&str]) -> Keeper {
        let mut tool = self.command("install");
        tool.arg("--from").arg(self.path(version)).args(["--keep", "1h"]).args(more);
        let mut child = tool.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let lines = Lines::of(child.stdout.take());
        let first = lines.next();
        assert!(first.contains("installed") || first.contains("rolled back"), "{first}");
        // It watches as soon as it says that it lives.
        let is_alive = || self.run("status").out.contains("runs");
        let keeper = Keeper { child, lines };
        eventually(is_alive);
        keeper
    }
}

/// A process that keeps an installation; it ends with its test.
pub(crate) struct Keeper {
    child: Child,
    /// What it says, line by line
    lines: Lines,
}

impl Keeper {
    pub(crate) fn pid(&self) -> Pid {
        Pid::from_raw(self.child.id().cast_signed())
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill(self.pid(), signal).unwrap();
    }

    /// Waits until it says that.
    #[track_caller]
    pub(crate) fn says(&self, words: &str) {
        while !self.lines.next().contains(words) {}
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

pub(crate) fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

/// Waits until something holds that will. The pause leaves the processor to what is waited for.
#[track_caller]
pub(crate) fn eventually(what: impl Fn() -> bool) {
    let started = Instant::now();
    while !what() {
        assert!(started.elapsed() < LONG, "never happened");
        std::thread::sleep(Duration::from_millis(1));
    }
}

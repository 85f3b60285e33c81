// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! What the tests share: the plugin as a process, an agent behind a socket, an agent
//! made of raw frames, and programs that run a table of cases.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test that cannot go on has failed"
)]

mod call;
mod cases;
#[cfg(unix)]
pub mod frames;
mod node;
mod pages;

use std::env::consts::EXE_SUFFIX;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use antrea_cni_agent::{Action, Api, path};
use serde_json::Value;

pub use self::call::{Answer, Call, Running, Stdin};
pub use self::cases::{Case, binary_under_test, run_cases, skipped};
pub use self::node::TestNode;
pub use self::pages::check_file;

/// The plugin under test: the one that cargo built, or any other that
/// `ANTREA_CNI_PLUGIN` names, such as the release binary.
pub fn plugin() -> PathBuf {
    binary_under_test().unwrap_or_else(|| {
        // target/debug/deps/it-0123456789abcdef
        let test = std::env::current_exe().unwrap();
        let plugin = test.ancestors().nth(2).unwrap().join(format!("antrea-cni{EXE_SUFFIX}"));
        assert!(plugin.exists(), "{} is not built", plugin.display());
        plugin
    })
}

/// Leaves a socket on which nobody listens. A neighbour that starts a program has a copy of the
/// listener for a moment.
#[cfg(unix)]
pub fn leave_dead_socket(path: impl AsRef<Path>) {
    use std::os::unix::net::{UnixListener, UnixStream};
    drop(UnixListener::bind(&path).unwrap());
    eventually("nobody listens", || UnixStream::connect(&path).is_err());
}

/// Copies a program, by another process: a file that is open for writing here, while another thread
/// starts a program, cannot be run ("text file busy").
pub fn copy_program(from: impl AsRef<Path>, to: impl AsRef<Path>) {
    let (from, to) = (from.as_ref(), to.as_ref());
    let copied = match cfg!(windows) {
        true => std::fs::copy(from, to).is_ok(),
        false => Command::new("cp").args([from, to]).status().unwrap().success(),
    };
    assert!(copied, "cp {} {}", from.display(), to.display());
}

/// Writes a script that can be run, by another process, as [`copy_program`] does.
pub fn write_script(path: impl AsRef<Path>, text: &str) {
    let mut shell = Command::new("sh");
    shell.args(["-c", r#"printf %s "$1" >"$0" && chmod 755 "$0""#]).arg(path.as_ref()).arg(text);
    assert!(shell.status().unwrap().success(), "{}", path.as_ref().display());
}

/// The paths that a command is asked under, from the newest API down to `api`.
pub fn walk_to(api: &Api, action: Action) -> Vec<String> {
    let newer = Api::ALL.iter().take_while(|newer| *newer != api);
    let paths = newer.chain([api]).map(|api| path(api, action));
    paths.filter(|path| !path.is_empty()).collect()
}

/// Puts the settings for a test into a configuration, as its first member, and
/// leaves every other byte alone.
pub fn with_settings(stdin: &[u8], settings: &Value) -> Vec<u8> {
    let Some(open) = stdin.iter().position(|byte| *byte == b'{') else { return stdin.to_vec() };
    let (head, tail) = stdin.split_at(open + 1);
    let empty = tail.trim_ascii_start().starts_with(b"}");
    let member = format!("\"antreaCni\":{settings}{}", if empty { "" } else { "," });
    [head, member.as_bytes(), tail].concat()
}

/// Waits until `condition` holds; a test that it never does fails. The pause leaves the processor to
/// what is waited for.
pub fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !condition() {
        assert!(Instant::now() < deadline, "never: {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

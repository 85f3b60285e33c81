//! Running the tool and the plugin.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

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

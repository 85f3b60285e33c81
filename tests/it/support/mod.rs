//! Running the plugin as a runtime does.

pub(crate) mod frames;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use antrea_cni_agent::{Agent, Api, Options};
use serde_json::Value;
use tempfile::TempDir;

/// The plugin under test: the one that cargo built, or any other that
/// `ANTREA_CNI_PLUGIN` names, such as the release binary.
pub(crate) fn plugin() -> PathBuf {
    std::env::var_os("ANTREA_CNI_PLUGIN")
        .map_or_else(|| PathBuf::from(env!("CARGO_BIN_EXE_antrea-cni")), PathBuf::from)
}

/// What standard input of the plugin is.
#[derive(Clone, Debug)]
pub(crate) enum Stdin {
    Bytes(Vec<u8>),
    /// In pieces of a few bytes
    Dribble(Vec<u8>),
    Directory,
}

/// A call of the plugin.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) env: BTreeMap<String, std::ffi::OsString>,
    pub(crate) stdin: Stdin,
}

impl Call {
    /// An ordinary call, with the variables that a runtime sets for it.
    pub(crate) fn new(command: &str, stdin: impl Into<Vec<u8>>) -> Self {
        let env = [
            ("CNI_COMMAND", command),
            ("CNI_CONTAINERID", "c0ffee"),
            ("CNI_NETNS", "/var/run/netns/x"),
            ("CNI_IFNAME", "eth0"),
            ("CNI_ARGS", "IgnoreUnknown=1;K8S_POD_NAME=web-0"),
            ("CNI_PATH", "/opt/cni/bin"),
        ];
        let env = env.map(|(name, value)| (name.to_owned(), value.into()));
        Self { env: env.into(), stdin: Stdin::Bytes(stdin.into()) }
    }

    pub(crate) fn env(mut self, name: &str, value: impl Into<std::ffi::OsString>) -> Self {
        self.env.insert(name.to_owned(), value.into());
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.env.remove(name);
        self
    }

    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(plugin());
        command.env_clear().envs(&self.env);
        command
    }

    /// Starts the plugin and hands it standard input.
    pub(crate) fn spawn(&self) -> Running {
        let started = Instant::now();
        let mut command = self.command();
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = match &self.stdin {
            Stdin::Directory => {
                command.stdin(File::open("/").unwrap()).spawn().expect("the plugin starts")
            }
            Stdin::Bytes(_) | Stdin::Dribble(_) => {
                command.stdin(Stdio::piped()).spawn().expect("the plugin starts")
            }
        };
        if let (Some(mut pipe), Stdin::Bytes(bytes) | Stdin::Dribble(bytes)) =
            (child.stdin.take(), &self.stdin)
        {
            let step = if matches!(self.stdin, Stdin::Dribble(_)) { 7919 } else { bytes.len() };
            let bytes = bytes.clone();
            std::thread::spawn(move || {
                for piece in bytes.chunks(step.max(1)) {
                    // A plugin that refuses the call does not read its input.
                    let _ = pipe.write_all(piece);
                }
            });
        }
        Running { child, started }
    }

    pub(crate) fn run(&self) -> Answer {
        self.spawn().wait()
    }
}

pub(crate) struct Running {
    pub(crate) child: Child,
    started: Instant,
}

impl Running {
    pub(crate) fn wait(mut self) -> Answer {
        let mut stderr = self.child.stderr.take().unwrap();
        let errors = std::thread::spawn(move || {
            let mut text = Vec::new();
            stderr.read_to_end(&mut text).map(|_| String::from_utf8_lossy(&text).into_owned())
        });
        let mut stdout = Vec::new();
        self.child.stdout.take().unwrap().read_to_end(&mut stdout).unwrap();
        let status = self.child.wait().unwrap();
        let stderr = errors.join().unwrap().unwrap();
        Answer { status, stdout, stderr, elapsed: self.started.elapsed() }
    }
}

/// What the plugin answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
    pub(crate) elapsed: Duration,
}

impl Answer {
    /// The one document on standard output, or nothing. Anything else, a
    /// signal, or a panic is a failure of the test.
    pub(crate) fn document(&self) -> Option<Value> {
        assert_eq!(self.status.signal(), None, "{self:?}");
        assert!(!self.stderr.contains("panicked"), "{self:?}");
        // Both are JSON, but not to serde_json.
        let text = String::from_utf8_lossy(&self.stdout);
        let text = text.replace("\\ud800", "?").replace("1e400", "1e40");
        (!text.is_empty())
            .then(|| serde_json::from_str(&text).unwrap_or_else(|_| panic!("{self:?}")))
    }

    pub(crate) fn exit(&self) -> i32 {
        self.status.code().unwrap_or(-1)
    }

    /// The code of the error document, which there has to be.
    pub(crate) fn code(&self) -> u64 {
        let document = self.document().unwrap_or_else(|| panic!("no error: {self:?}"));
        assert_eq!(self.exit(), 1, "{self:?}");
        assert!(document["msg"].is_string(), "{self:?}");
        document["code"].as_u64().unwrap_or_else(|| panic!("no code: {self:?}"))
    }

    pub(crate) fn text(&self) -> String {
        let document = self.document().unwrap_or_default();
        let part = |key| document.get(key).and_then(Value::as_str).unwrap_or_default();
        format!("{}; {}", part("msg"), part("details"))
    }

    /// Success with nothing on standard output.
    pub(crate) fn assert_silent_success(&self) {
        assert_eq!((self.exit(), self.document()), (0, None), "{self:?}");
    }
}

/// A folder for a socket, and an agent in it that may come later.
pub(crate) struct Place {
    folder: TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self { folder: TempDir::new().unwrap() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.path("cni.sock")
    }

    pub(crate) fn agent(&self, apis: &[Api]) -> Agent {
        Agent::start(Options::new(self.socket(), apis)).unwrap()
    }

    pub(crate) fn scripted(&self, apis: &[Api], script: Value) -> Agent {
        let script = serde_json::from_value(script).unwrap();
        Agent::start(Options { script, ..Options::new(self.socket(), apis) }).unwrap()
    }

    /// A configuration for the agent at this place.
    pub(crate) fn configuration(&self, cni_version: &str, settings: Value) -> String {
        let mut settings = settings;
        settings["socket"] = self.socket().to_str().into();
        serde_json::json!({
            "cniVersion": cni_version, "name": "antrea", "type": "antrea",
            "ipam": {"type": "host-local"}, "antreaCni": settings,
        })
        .to_string()
    }

    /// A call for the agent at this place.
    pub(crate) fn call(&self, command: &str, cni_version: &str) -> Call {
        self.call_with(command, cni_version, serde_json::json!({"waitForAgentSeconds": 0}))
    }

    pub(crate) fn call_with(&self, command: &str, cni_version: &str, settings: Value) -> Call {
        Call::new(command, self.configuration(cni_version, settings))
    }
}

/// Puts the settings for a test into a configuration, as its first member, and
/// leaves every other byte alone.
pub(crate) fn with_settings(stdin: &[u8], settings: &Value) -> Vec<u8> {
    let Some(open) = stdin.iter().position(|byte| *byte == b'{') else { return stdin.to_vec() };
    let (head, tail) = stdin.split_at(open + 1);
    let empty = tail.trim_ascii_start().starts_with(b"}");
    let member = format!("\"antreaCni\":{settings}{}", if empty { "" } else { "," });
    [head, member.as_bytes(), tail].concat()
}

/// Waits until `condition` holds; a test that it never does fails.
pub(crate) fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !condition() {
        assert!(Instant::now() < deadline, "never: {what}");
        std::thread::yield_now();
    }
}

/// An agent in a process of its own, which can be killed: this test binary,
/// started once more for [`agent_process`].
pub(crate) struct AgentProcess {
    pub(crate) child: Child,
    pub(crate) journal: PathBuf,
}

impl AgentProcess {
    pub(crate) fn start(options: &Options, journal: &Path) -> Self {
        let options = Options { journal: Some(journal.to_owned()), ..options.clone() };
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "support::agent_process", "--nocapture"])
            .env("ANTREA_CNI_TEST_AGENT", serde_json::to_string(&options).unwrap())
            .stdout(Stdio::null())
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        eventually("the agent serves", || {
            std::os::unix::net::UnixStream::connect(&options.socket).is_ok()
        });
        Self { child, journal: journal.to_owned() }
    }

    /// The events of the journal so far.
    pub(crate) fn events(&self, event: &str) -> Vec<Value> {
        let text = std::fs::read_to_string(&self.journal).unwrap_or_default();
        text.lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok())
            .filter(|entry| entry["event"] == event)
            .collect()
    }

    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for AgentProcess {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Not a test of its own: the life of an [`AgentProcess`], which ends with the
/// test that started it.
#[test]
fn agent_process() {
    let Some(options) = std::env::var_os("ANTREA_CNI_TEST_AGENT") else { return };
    let options: Options = serde_json::from_str(options.to_str().unwrap()).unwrap();
    let _agent = Agent::start(options).unwrap();
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
}

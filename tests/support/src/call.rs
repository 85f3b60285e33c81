// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Calling the plugin as a runtime does.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::File;
use std::io::{Read, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::plugin;

/// What standard input of the plugin is.
#[derive(Clone, Debug)]
pub enum Stdin {
    Bytes(Vec<u8>),
    /// In pieces of a few bytes
    Dribble(Vec<u8>),
    Directory,
}

/// A call of the plugin.
#[derive(Clone, Debug)]
pub struct Call {
    pub env: BTreeMap<String, OsString>,
    pub stdin: Stdin,
}

impl Call {
    /// An ordinary call, with the variables that a runtime sets for it.
    pub fn new(command: &str, stdin: impl Into<Vec<u8>>) -> Self {
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

    pub fn env(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.env.insert(name.to_owned(), value.into());
        self
    }

    pub fn without(mut self, name: &str) -> Self {
        self.env.remove(name);
        self
    }

    pub fn command(&self) -> Command {
        let mut command = Command::new(plugin());
        command.env_clear().envs(&self.env);
        // Programs of Windows do not start without it.
        command.envs(std::env::var_os("SystemRoot").map(|folder| ("SystemRoot", folder)));
        command
    }

    /// Starts the plugin and hands it standard input.
    pub fn spawn(&self) -> Running {
        self.start_as(self.command())
    }

    /// Starts another command with this call's standard input.
    pub fn start_as(&self, mut command: Command) -> Running {
        let started = Instant::now();
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = match &self.stdin {
            Stdin::Directory => {
                let folder: Stdio = match cfg!(windows) {
                    // A folder cannot be opened for reading there.
                    true => Stdio::null(),
                    false => File::open("/").unwrap().into(),
                };
                start(command.stdin(folder))
            }
            Stdin::Bytes(_) | Stdin::Dribble(_) => start(command.stdin(Stdio::piped())),
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

    pub fn run(&self) -> Answer {
        self.spawn().wait()
    }

    /// Runs another command with this call's standard input.
    pub fn run_as(&self, command: Command) -> Answer {
        self.start_as(command).wait()
    }
}

/// Starts a command. Wine on a busy machine may fail to create a process with
/// ERROR_INTERNAL_ERROR, which says nothing about the program.
fn start(command: &mut Command) -> Child {
    const ERROR_INTERNAL_ERROR: i32 = 1359;
    for _ in 0..5 {
        match command.spawn() {
            Err(error) if cfg!(windows) && error.raw_os_error() == Some(ERROR_INTERNAL_ERROR) => {}
            child => return child.expect("the plugin starts"),
        }
    }
    command.spawn().expect("the plugin starts")
}

pub struct Running {
    pub child: Child,
    started: Instant,
}

impl Running {
    #[cfg(unix)]
    pub fn has_ended(&self) -> bool {
        // A zombie still has its number.
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()));
        !stat.is_ok_and(|stat| !stat.contains(") Z "))
    }

    pub fn wait(mut self) -> Answer {
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
pub struct Answer {
    pub status: ExitStatus,
    pub stdout: Vec<u8>,
    pub stderr: String,
    pub elapsed: Duration,
}

impl Answer {
    /// The one document on standard output, or nothing. Anything else, a
    /// signal, or a panic is a failure of the test.
    pub fn document(&self) -> Option<Value> {
        #[cfg(unix)]
        assert_eq!(std::os::unix::process::ExitStatusExt::signal(&self.status), None, "{self:?}");
        assert!(!self.stderr.contains("panicked"), "{self:?}");
        // Both are JSON, but not to serde_json.
        let text = String::from_utf8_lossy(&self.stdout);
        let text = text.replace("\\ud800", "?").replace("1e400", "1e40");
        (!text.is_empty())
            .then(|| serde_json::from_str(&text).unwrap_or_else(|_| panic!("{self:?}")))
    }

    pub fn exit(&self) -> i32 {
        self.status.code().unwrap_or(-1)
    }

    /// The code of the error document, which there has to be.
    pub fn code(&self) -> u64 {
        let document = self.document().unwrap_or_else(|| panic!("no error: {self:?}"));
        assert_eq!(self.exit(), 1, "{self:?}");
        assert!(document["msg"].is_string(), "{self:?}");
        document["code"].as_u64().unwrap_or_else(|| panic!("no code: {self:?}"))
    }

    pub fn text(&self) -> String {
        let document = self.document().unwrap_or_default();
        let part = |key| document.get(key).and_then(Value::as_str).unwrap_or_default();
        format!("{}; {}", part("msg"), part("details"))
    }

    /// Success with nothing on standard output.
    pub fn assert_silent_success(&self) {
        assert_eq!((self.exit(), self.document()), (0, None), "{self:?}");
    }
}

// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! The release binary where nothing is as it should be: `make test-release`.
//!
//! Each case is a call in surroundings that a broken node or somebody who means
//! harm could make. It has to end by its deadline with the answer in the table, and
//! never by a signal of its own making. `UPDATE=1` writes `docs/contributing/surroundings.md`.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test program")]

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use antrea_cni_agent::{Agent, Api, Options};
use antrea_cni_test_support::{Case, binary_under_test, check_file, run_cases};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use tempfile::TempDir;

/// Nothing here takes longer, but for the deadline of standard input.
const LIMIT: Duration = Duration::from_secs(30);

/// What a case has to end with.
enum Expected {
    /// Exit status 0 and the agent's result
    Result,
    /// Exit status 1 and an error document with this code
    Code(u64),
    /// This exit status and nothing on standard output
    Silent(i32),
    /// Death of this signal, which somebody sent, and nothing on standard output
    Signal(Signal),
}
use Expected::{Code, Result as Done, Silent};

/// How a case ended.
struct Ended {
    status: ExitStatus,
    stdout: Vec<u8>,
    stderr: String,
}

type Run = fn(&Bench) -> Ended;

const CASES: &[(&str, Expected, Run)] = &[
    ("nothing is wrong", Done, |p| p.shell(r#"exec "$0""#)),
    ("standard input closed", Code(6), |p| p.shell(r#"exec "$0" <&-"#)),
    ("standard input is a folder", Code(5), |p| p.shell(r#"exec "$0" </"#)),
    ("standard input never ends", Code(7), |p| p.shell(r#"exec "$0" </dev/zero"#)),
    ("standard input is never closed (STATUS, 1 s)", Code(5), |p| {
        let mut command = p.command("STATUS", r#"exec "$0""#);
        let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
        let pipe = child.stdin.take();
        let ended = end(child);
        drop(pipe);
        ended
    }),
    ("1 MiB on standard input", Done, |p| {
        let name = "x".repeat((1 << 20) - 200);
        p.with_stdin(&p.configuration(&json!({"padding": name})))
    }),
    ("a byte more than 1 MiB", Code(7), |p| p.with_stdin(&" ".repeat((1 << 20) + 1))),
    ("standard output closed", Silent(1), |p| p.shell(r#"exec "$0" >&-"#)),
    ("standard output is a full device", Silent(1), |p| p.shell(r#"exec "$0" >/dev/full"#)),
    ("standard output is a closed pipe", Silent(1), |p| {
        let mut child = p.command("ADD", r#"exec "$0""#).spawn().unwrap();
        drop(child.stdout.take());
        end(child)
    }),
    ("standard error closed", Done, |p| p.shell(r#"exec "$0" 2>&-"#)),
    ("all three closed", Silent(1), |p| p.shell(r#"exec "$0" <&- >&- 2>&-"#)),
    ("no file may be opened (RLIMIT_NOFILE 3)", Code(999), |p| {
        p.shell(r#"ulimit -n 3; exec "$0""#)
    }),
    ("one file may be opened (RLIMIT_NOFILE 4)", Done, |p| p.shell(r#"ulimit -n 4; exec "$0""#)),
    ("RLIMIT_NOFILE 6", Done, |p| p.shell(r#"ulimit -n 6; exec "$0""#)),
    ("RLIMIT_NOFILE 8", Done, |p| p.shell(r#"ulimit -n 8; exec "$0""#)),
    ("RLIMIT_AS 32 MiB", Done, |p| p.shell(r#"ulimit -v 32768; exec "$0""#)),
    ("RLIMIT_STACK 256 KiB", Done, |p| p.shell(r#"ulimit -s 256; exec "$0""#)),
    ("RLIMIT_FSIZE 0, and a log", Done, |p| p.shell(r#"ulimit -f 0; exec "$0""#)),
    ("a 4 MiB reply", Done, |p| {
        p.set(json!({"ADD": {"reply": format!(r#"{{"x":"{}"}}"#, "y".repeat((4 << 20) - 64))}}));
        p.shell(r#"exec "$0""#)
    }),
    ("an environment of 128 KiB", Done, |p| {
        let long = "z".repeat(1024);
        let mut command = p.command("ADD", r#"exec "$0""#);
        command.envs((0..126).map(|index| (format!("V{index}"), &long)));
        end(command.spawn().unwrap())
    }),
    ("proxies, RUST_BACKTRACE, LD_PRELOAD, a locale", Done, |p| {
        // For the plugin, not for the shell.
        let script = r#"export LD_PRELOAD=/nowhere/evil.so; exec "$0""#;
        let mut command = p.command("ADD", script);
        for name in ["http_proxy", "HTTPS_PROXY", "ALL_PROXY", "grpc_proxy"] {
            command.env(name, "http://203.0.113.1:1");
        }
        command.env("RUST_BACKTRACE", "full").env("RUST_LOG", "trace").env("LC_ALL", "tr_TR.UTF-8");
        command.env("MALLOC_OPTIONS", "X");
        end(command.spawn().unwrap())
    }),
    ("variables that are not UTF-8", Done, |p| {
        let bad = std::os::unix::ffi::OsStrExt::from_bytes(b"\xff\xfe");
        let bad: &std::ffi::OsStr = bad;
        end(p.command("ADD", r#"exec "$0""#).env("LANG", bad).env("X", bad).spawn().unwrap())
    }),
    ("an empty root: no /proc, /dev, /etc", Done, Bench::in_empty_root),
    ("another user, whose agent is root's", Done, |p| p.as_user(0)),
    ("another user, and a folder that is closed to it", Code(11), |p| p.as_user(0o700)),
    ("the working directory is deleted", Done, |p| {
        p.shell(r#"d=$(mktemp -d); cd "$d"; rmdir "$d"; exec "$0""#)
    }),
    ("the parent dies", Done, |p| {
        p.set(json!({"ADD": {"delayMs": 300}}));
        // The shell is gone before the agent answers.
        p.shell(r#"exec 3<"$STDIN"; "$0" <&3 & exit 0"#)
    }),
    ("SIGTERM while the agent works", Expected::Signal(Signal::SIGTERM), |p| {
        p.signal(Signal::SIGTERM)
    }),
    ("SIGHUP while the agent works", Expected::Signal(Signal::SIGHUP), |p| {
        p.signal(Signal::SIGHUP)
    }),
    ("SIGPIPE is not ignored", Silent(1), |p| {
        let mut child = p.command("ADD", r#"trap - PIPE; exec "$0""#).spawn().unwrap();
        drop(child.stdout.take());
        end(child)
    }),
    ("SIGCHLD, SIGALRM and SIGUSR1 are ignored", Done, |p| {
        p.shell(r#"trap "" CHLD ALRM USR1; exec "$0""#)
    }),
    ("the clock is stepped while an agent is waited for", Done, Bench::with_stepped_clock),
    ("no agent, DEL without a network namespace", Silent(0), |p| {
        p.stop_agent();
        end(p.command("DEL", r#"exec "$0""#).env("CNI_NETNS", "").spawn().unwrap())
    }),
    ("a folder instead of the socket", Code(11), |p| {
        p.stop_agent();
        fs::create_dir(p.socket()).unwrap();
        p.shell(r#"exec "$0""#)
    }),
    ("the socket is a link that leads to itself", Code(11), |p| {
        p.stop_agent();
        std::os::unix::fs::symlink(p.socket(), p.socket()).unwrap();
        p.shell(r#"exec "$0""#)
    }),
    ("the socket is a link into a folder of everybody's", Code(5), |p| {
        let open = p.path("open");
        fs::create_dir(&open).unwrap();
        chmod(&open, 0o1777);
        fs::rename(p.socket(), open.join("s")).unwrap();
        std::os::unix::fs::symlink(open.join("s"), p.socket()).unwrap();
        p.shell(r#"exec "$0""#)
    }),
    ("the socket is a link into a folder of root's", Done, |p| {
        fs::rename(p.socket(), p.path("s")).unwrap();
        std::os::unix::fs::symlink(p.path("s"), p.socket()).unwrap();
        p.shell(r#"exec "$0""#)
    }),
];

fn main() -> ExitCode {
    run_cases(Some(1), cases, page)
}

fn cases() -> Vec<Case> {
    let Some(plugin) = binary_under_test() else {
        let why = "they are the release binary's: `make test-release`";
        return vec![Case::skipped("surroundings", why)];
    };
    if !nix::unistd::geteuid().is_root() {
        return vec![Case::skipped("surroundings", "they need root")];
    }
    let case = |(name, expected, run): &'static (&str, Expected, Run)| {
        if name.contains("clock") && std::env::var_os("STEP_CLOCK").is_none() {
            return Case::skipped(*name, "STEP_CLOCK=1 steps this machine's");
        }
        let plugin = plugin.clone();
        Case::new(*name, move || {
            let started = Instant::now();
            run(&Bench::new(&plugin)).check(expected)?;
            let elapsed = started.elapsed();
            if elapsed < LIMIT { Ok(()) } else { Err(format!("took {elapsed:.1?}")) }
        })
    };
    CASES.iter().map(case).collect()
}

/// Compares `docs/contributing/surroundings.md` with the table, or writes it.
fn page() -> Result<(), String> {
    let mut page = String::from(
        "# Hostile surroundings\n\n\
         What the release binary answers where nothing is as it should be. Written by\n\
         `UPDATE=1 make test-release` (as root); `tests/surroundings.rs` has the cases. Each ends by its\n\
         deadline; none ends by a signal but those that it was sent.\n\n\
         | surroundings of an ADD | exit status | standard output |\n| --- | --- | --- |\n",
    );
    for (name, expected, _) in CASES {
        let _ = writeln!(page, "| {name} | {} |", expected.text());
    }
    check_file("docs/contributing/surroundings.md", &page)
}

impl Expected {
    fn text(&self) -> String {
        match self {
            Done => "0 | the result".to_owned(),
            Code(code) => format!("1 | error {code}"),
            Silent(status) => format!("{status} | nothing"),
            Self::Signal(signal) => format!("{signal} | nothing"),
        }
    }
}

impl Ended {
    fn check(&self, expected: &Expected) -> Result<(), String> {
        let document: Value = serde_json::from_slice(&self.stdout).unwrap_or_default();
        let holds = self.stderr.is_empty()
            && match expected {
                Done => self.status.success() && document.is_object() && document["code"].is_null(),
                Code(code) => self.status.code() == Some(1) && document["code"] == *code,
                Silent(status) => self.status.code() == Some(*status) && self.stdout.is_empty(),
                Expected::Signal(signal) => {
                    self.status.signal() == Some(*signal as i32) && self.stdout.is_empty()
                }
            };
        if holds {
            return Ok(());
        }
        let stdout = String::from_utf8_lossy(&self.stdout);
        let stdout: String = stdout.chars().take(300).collect();
        Err(format!("{:?} {stdout} {}", self.status, self.stderr))
    }
}

/// A plugin, an agent, and a folder for both.
struct Bench {
    plugin: PathBuf,
    folder: TempDir,
    agent: std::cell::RefCell<Option<Agent>>,
}

impl Bench {
    fn new(plugin: &Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        chmod(folder.path(), 0o755);
        let place = Self { plugin: plugin.to_owned(), folder, agent: None.into() };
        place.set(json!({}));
        fs::write(place.path("stdin"), place.configuration(&json!({}))).unwrap();
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn socket(&self) -> PathBuf {
        self.path("cni.sock")
    }

    /// Starts an agent that does as the script says.
    fn set(&self, script: Value) {
        self.stop_agent();
        let script = serde_json::from_value(script).unwrap();
        let options = Options { script, ..Options::new(self.socket(), &[Api::V1BETA1]) };
        *self.agent.borrow_mut() = Some(Agent::start(options).unwrap());
    }

    fn stop_agent(&self) {
        drop(self.agent.borrow_mut().take());
        let _ = fs::remove_file(self.socket());
    }

    fn configuration(&self, more: &Value) -> String {
        let mut configuration = json!({
            "cniVersion": "1.1.0", "name": "antrea", "type": "antrea",
            "antreaCni": {"socket": self.socket(), "waitForAgentSeconds": 5, "logFile": self.path("log")},
        });
        for (name, value) in more.as_object().unwrap() {
            configuration[name] = value.clone();
        }
        configuration.to_string()
    }

    /// A call by way of a shell, whose `$0` is the plugin.
    fn command(&self, command: &str, script: &str) -> Command {
        let mut shell = Command::new("/bin/sh");
        shell
            .args(["-c", script])
            .arg(&self.plugin)
            .env_clear()
            .envs([("CNI_COMMAND", command), ("CNI_CONTAINERID", "c0ffee"), ("CNI_IFNAME", "eth0")])
            .envs([("CNI_NETNS", "/var/run/netns/x"), ("CNI_PATH", "/opt/cni/bin")])
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .env("STDIN", self.path("stdin"))
            .stdin(File::open(self.path("stdin")).unwrap())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        shell
    }

    fn shell(&self, script: &str) -> Ended {
        end(self.command("ADD", script).spawn().unwrap())
    }

    fn with_stdin(&self, stdin: &str) -> Ended {
        fs::write(self.path("stdin"), stdin).unwrap();
        self.shell(r#"exec "$0""#)
    }

    fn in_empty_root(&self) -> Ended {
        let root = self.path("root");
        fs::create_dir_all(root.join("run")).unwrap();
        fs::copy(&self.plugin, root.join("plugin")).unwrap();
        let options = Options::new(root.join("run/s"), &[Api::V1BETA1]);
        let _agent = Agent::start(options).unwrap();
        let configuration = self.configuration(&json!({"antreaCni": {"socket": "/run/s"}}));
        fs::write(self.path("stdin"), configuration).unwrap();
        let script = format!("exec chroot {} /plugin", root.display());
        self.shell(&script)
    }

    /// As nobody, with the plugin's folder in this mode if there is one.
    fn as_user(&self, mode: u32) -> Ended {
        fs::copy(&self.plugin, self.path("plugin")).unwrap();
        chmod(&self.socket(), 0o666);
        let stdin = File::open(self.path("stdin")).unwrap();
        let mut command = self.command("ADD", "");
        if mode != 0 {
            fs::create_dir(self.path("closed")).unwrap();
            fs::rename(self.socket(), self.path("closed/s")).unwrap();
            let configuration = self.configuration(&json!({
                "antreaCni": {"socket": self.path("closed/s"), "waitForAgentSeconds": 0}
            }));
            fs::write(self.path("stdin"), configuration).unwrap();
            chmod(&self.path("closed"), mode);
        }
        let mut direct = Command::new(self.path("plugin"));
        direct
            .env_clear()
            .envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        direct.stdin(if mode == 0 { stdin } else { File::open(self.path("stdin")).unwrap() });
        command = direct;
        command.uid(65534).gid(65534).stdout(Stdio::piped()).stderr(Stdio::piped());
        end(command.spawn().unwrap())
    }

    /// Sends a signal when the agent has the call.
    fn signal(&self, signal: Signal) -> Ended {
        self.set(json!({"ADD": {"hang": true}}));
        let child = self.command("ADD", r#"exec "$0""#).spawn().unwrap();
        let has_call = || {
            let agent = self.agent.borrow();
            agent.as_ref().is_some_and(|agent| agent.calls().iter().any(|call| call.served))
        };
        while !has_call() {
            std::thread::yield_now();
        }
        kill(Pid::from_raw(child.id().cast_signed()), signal).unwrap();
        end(child)
    }

    fn with_stepped_clock(&self) -> Ended {
        self.stop_agent();
        let child = self.command("ADD", r#"exec "$0""#).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(300));
        for step in ["+1 hour", "-1 hour"] {
            let text = format!("now {step}");
            assert!(Command::new("date").args(["--set", &text]).output().unwrap().status.success());
            std::thread::sleep(Duration::from_millis(100));
        }
        self.set(json!({}));
        end(child)
    }
}

/// Waits for the end, but not for ever.
fn end(mut child: Child) -> Ended {
    let pid = Pid::from_raw(child.id().cast_signed());
    let (done, ended) = std::sync::mpsc::channel::<()>();
    let watch = std::thread::spawn(move || {
        if ended.recv_timeout(LIMIT).is_err() {
            let _ = kill(pid, Signal::SIGKILL);
        }
    });
    let (mut stdout, mut stderr) = (Vec::new(), String::new());
    if let Some(mut pipe) = child.stdout.take() {
        pipe.read_to_end(&mut stdout).unwrap();
    }
    if let Some(mut pipe) = child.stderr.take() {
        pipe.read_to_string(&mut stderr).unwrap();
    }
    let status = child.wait().unwrap();
    let _ = done.send(());
    watch.join().unwrap();
    std::io::stdout().flush().unwrap();
    Ended { status, stdout, stderr }
}

fn chmod(path: &Path, mode: u32) {
    fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
}

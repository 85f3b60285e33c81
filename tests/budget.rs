// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! What a call may cost at most, counted and never timed: `benches/budget.toml`.
//!
//! The agent answers with one write to a complete request, so that a call is the
//! same every time: instructions (callgrind), system calls by name and memory that
//! was asked of the kernel (strace), page faults, threads, and the size of the file.
//! The budget is the release binary's: `make test-release`, or any that
//! `ANTREA_CNI_PLUGIN` names.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test program"
)]

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use nix::sys::resource::{UsageWho, getrusage};
use serde::Deserialize;
use tempfile::TempDir;

use antrea_cni_test_support::frames::{Connection, END_STREAM, kind};
use antrea_cni_test_support::{Case, binary_under_test, run_cases};

/// `benches/budget.toml`. A call is a command, or one with [`NODE_SETTINGS`].
#[derive(Deserialize)]
struct Budget {
    /// Size of the file
    bytes: u64,
    call: BTreeMap<String, Cost>,
}

/// What one call costs, or may cost at most.
#[derive(Deserialize)]
struct Cost {
    /// Instructions in user space
    instructions: u64,
    page_faults: u64,
    /// Anonymous memory that was mapped, without the stack
    heap_bytes: u64,
    threads: u64,
    /// System calls by name
    system_calls: BTreeMap<String, u64>,
}

fn main() -> ExitCode {
    run_cases(Some(1), cases, || Ok(()))
}

/// One for the file, and one for each command.
fn cases() -> Vec<Case> {
    let Some(plugin) = binary_under_test() else {
        let why = "it is the release binary's: `make test-release` checks it";
        return vec![Case::skipped("budget", why)];
    };
    for tool in ["strace", "valgrind"] {
        if !Command::new(tool).arg("--version").output().is_ok_and(|it| it.status.success()) {
            return vec![Case::skipped("budget", &format!("install {tool}"))];
        }
    }
    let budget: Budget = toml::from_str(include_str!("../benches/budget.toml")).unwrap();
    let file = plugin.clone();
    let file = Case::new("bytes of the file", move || {
        let mut table = Table::default();
        table.row("bytes", std::fs::metadata(file).unwrap().len(), budget.bytes);
        table.verdict()
    });
    let calls = budget.call.into_iter().map(|(command, most)| {
        let plugin = plugin.clone();
        Case::new(format!("cost of {command}"), move || {
            let seen = Bench::new(&plugin, command.ends_with(BY_FALLBACK)).measure(&command);
            let mut table = Table::default();
            table.row("instructions", seen.instructions, most.instructions);
            table.row("page faults", seen.page_faults, most.page_faults);
            table.row("heap bytes", seen.heap_bytes, most.heap_bytes);
            table.row("threads", seen.threads, most.threads);
            for (name, count) in &seen.system_calls {
                let most = most.system_calls.get(name).copied().unwrap_or_default();
                table.row(name, *count, most);
            }
            let all = |cost: &Cost| cost.system_calls.values().sum();
            table.row("system calls", all(&seen), all(&most));
            println!("{command}\n{}", table.rows.join("\n"));
            table.verdict()
        })
    });
    std::iter::once(file).chain(calls).collect()
}

/// The plugin, and an agent that answers every call alike.
struct Bench {
    folder: TempDir,
}

/// As a person would write them. A log is a cost of its own.
const SETTINGS: &str = r#"{
  "addTimeoutSeconds": 100,
  "waitForAgentSeconds": 20,
  "delWhenAgentDown": "succeed",
  "logLevel": "error",
  "requireRootAgent": true
}"#;

/// What a row of the budget adds to a command: a file of the node with [`SETTINGS`].
const NODE_SETTINGS: &str = " with the node's settings";

/// What a row adds to a command: the agent has the second-newest API, and not the
/// first.
const BY_FALLBACK: &str = " by fallback";

impl Bench {
    fn new(plugin: &Path, by_fallback: bool) -> Self {
        // The C library reads the program's path byte by byte: `TMPDIR` must not count.
        let folder = tempfile::tempdir_in("/tmp").unwrap();
        let socket = folder.path().join("cni.sock");
        let configuration = format!(
            r#"{{"antreaCni":{{"socket":{socket:?}}},"cniVersion":"1.0.0","ipam":{{"type":"host-local"}},"name":"antrea","type":"antrea"}}"#
        );
        std::fs::write(folder.path().join("stdin"), configuration).unwrap();
        std::fs::write(folder.path().join("netns"), "").unwrap();
        // The agent was seen before: what a call adds to that is one system call.
        std::fs::write(folder.path().join("cni.sock.ready"), "").unwrap();
        std::fs::copy(plugin, folder.path().join("antrea")).unwrap();
        let listener = UnixListener::bind(socket).unwrap();
        std::thread::spawn(move || {
            let replies = replies(by_fallback).unwrap();
            for stream in listener.incoming() {
                answer(stream.unwrap(), &replies);
            }
        });
        Self { folder }
    }

    fn measure(&self, row: &str) -> Cost {
        let command = row.split(' ').next().unwrap();
        if row.ends_with(NODE_SETTINGS) {
            let path = self.path(".antrea.json");
            std::fs::write(&path, SETTINGS).unwrap();
            std::fs::set_permissions(path, PermissionsExt::from_mode(0o644)).unwrap();
        }
        let (trace, counts) = (self.path("trace"), self.path("callgrind"));
        self.run(command, &["strace", "-f", "-qq", "-o", &trace]);
        let callgrind = format!("--callgrind-out-file={counts}");
        self.run(command, &["valgrind", "-q", "--tool=callgrind", &callgrind]);
        let calls = Calls::read(&std::fs::read_to_string(trace).unwrap());
        let counts = std::fs::read_to_string(counts).unwrap();
        let total = counts.lines().find_map(|line| line.strip_prefix("totals: ")).unwrap();
        let before = faults();
        self.run(command, &[]);
        Cost {
            instructions: total.trim().parse().unwrap(),
            page_faults: faults() - before,
            heap_bytes: calls.heap_bytes,
            threads: calls.threads,
            system_calls: calls.by_name,
        }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    /// A pipe with the configuration, closed at its other end, as a runtime's soon is.
    fn stdin(&self) -> std::io::PipeReader {
        let (reader, mut writer) = std::io::pipe().unwrap();
        writer.write_all(&std::fs::read(self.path("stdin")).unwrap()).unwrap();
        reader
    }

    /// The call, under another program if there is one.
    fn run(&self, command: &str, under: &[&str]) {
        let plugin = self.path("antrea");
        let words: Vec<_> = under.iter().copied().chain([&*plugin]).collect();
        let output = Command::new(words[0])
            .args(&words[1..])
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("CNI_COMMAND", command)
            .env(
                "CNI_CONTAINERID",
                "0f2e4d6c8ba1f2e4d6c8ba1f2e4d6c8ba10f2e4d6c8ba1f2e4d6c8ba1f2e4d6c",
            )
            .env("CNI_NETNS", self.path("netns"))
            .env("CNI_IFNAME", "eth0")
            .env("CNI_ARGS", "IgnoreUnknown=1;K8S_POD_NAMESPACE=shop;K8S_POD_NAME=web-0")
            .env("CNI_PATH", "/opt/cni/bin")
            .stdin(self.stdin())
            .stderr(Stdio::inherit())
            .output()
            .unwrap();
        assert!(output.status.success(), "{command}: {output:?}");
    }
}

/// Page faults of all that was waited for.
fn faults() -> u64 {
    let used = getrusage(UsageWho::RUSAGE_CHILDREN).unwrap();
    u64::try_from(used.minor_page_faults() + used.major_page_faults()).unwrap()
}

/// Whole replies, from the connection's start to the last one's trailers.
fn replies(by_fallback: bool) -> Option<Vec<Vec<u8>>> {
    const ACK: u8 = 1;
    let mut replies = Vec::new();
    if by_fallback {
        replies.push(written(|connection| {
            connection.frame(kind::SETTINGS, 0, 0, &[])?;
            connection.frame(kind::SETTINGS, ACK, 0, &[])?;
            connection.trailers_only(1, "12", b"unknown service")
        })?);
    }
    let stream = if by_fallback { 3 } else { 1 };
    replies.push(written(|connection| {
        if !by_fallback {
            connection.frame(kind::SETTINGS, 0, 0, &[])?;
            connection.frame(kind::SETTINGS, ACK, 0, &[])?;
        }
        connection.head(stream)?;
        let result = br#"{"cniVersion":"1.0.0","interfaces":[{"name":"eth0","sandbox":"/var/run/netns/x"}],"ips":[{"address":"10.10.0.2/24","gateway":"10.10.0.1","interface":0}],"routes":[{"dst":"0.0.0.0/0"}]}"#;
        let mut message = vec![1 << 3 | 2];
        let length = u8::try_from(result.len() & 127).unwrap();
        message.extend([length | 128, u8::try_from(result.len() >> 7).unwrap()]);
        message.extend(result);
        connection.message(stream, 0, message.len(), &message)?;
        connection.trailers(stream, "0")
    })?);
    Some(replies)
}

/// The bytes that are written to a connection.
fn written(write: impl FnOnce(&mut Connection) -> Option<()>) -> Option<Vec<u8>> {
    let (ours, mut theirs) = UnixStream::pair().unwrap();
    write(&mut Connection::over(ours))?;
    let mut bytes = Vec::new();
    theirs.read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

/// Reads each request to its end, and writes its reply at once.
fn answer(mut stream: UnixStream, replies: &[Vec<u8>]) -> Option<()> {
    stream.read_exact(&mut [0; 24]).ok()?;
    for reply in replies {
        loop {
            let mut head = [0; 9];
            stream.read_exact(&mut head).ok()?;
            let length =
                usize::from(head[0]) << 16 | usize::from(head[1]) << 8 | usize::from(head[2]);
            stream.read_exact(&mut vec![0; length]).ok()?;
            if head[3] == kind::DATA && head[4] & END_STREAM != 0 {
                break;
            }
        }
        stream.write_all(reply).ok()?;
    }
    // Until the plugin is done with it.
    stream.read_to_end(&mut Vec::new()).ok().map(drop)
}

/// What strace saw.
#[derive(Default)]
struct Calls {
    by_name: BTreeMap<String, u64>,
    heap_bytes: u64,
    threads: u64,
}

impl Calls {
    /// Lines like `123 mmap(NULL, 65536, …, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = 0x…`.
    fn read(trace: &str) -> Self {
        let mut calls = Self::default();
        let mut processes = std::collections::BTreeSet::new();
        for line in trace.lines() {
            let (process, call) = line.split_once(' ').unwrap();
            processes.insert(process);
            let Some((name, arguments)) = call.trim_start().split_once('(') else { continue };
            *calls.by_name.entry(name.to_owned()).or_default() += 1;
            if name == "mmap" && arguments.contains("MAP_ANONYMOUS") && !arguments.contains("STACK")
            {
                let size = arguments.split(", ").nth(1).unwrap();
                calls.heap_bytes += size.parse::<u64>().unwrap();
            }
        }
        calls.threads = processes.len() as u64;
        calls
    }
}

/// What was seen beside what is allowed.
#[derive(Default)]
struct Table {
    rows: Vec<String>,
    is_over: bool,
}

impl Table {
    fn row(&mut self, what: &str, seen: u64, most: u64) {
        let verdict = if seen <= most { "" } else { "  <-- over the budget" };
        self.rows.push(format!("{what:<16} {seen:>9} of {most:>9}{verdict}"));
        self.is_over |= seen > most;
    }

    fn verdict(self) -> Result<(), String> {
        if self.is_over { Err(self.rows.join("\n")) } else { Ok(()) }
    }
}

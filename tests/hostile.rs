// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Agents that answer as no agent should: `cargo test --test hostile`.
//!
//! Each kind is an ADD against raw HTTP/2 frames: the code that it has to end
//! with, never past its deadline, one document or nothing, and no memory to
//! speak of. All run at once; the slow ones take the deadline of 35 s.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test program")]

use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use antrea_cni_test_support::frames::{Connection, END_STREAM, RawAgent, kind};
use antrea_cni_test_support::{Case, binary_under_test, plugin, run_cases};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use serde_json::{Value, json};

/// `addTimeoutSeconds`, the shortest there is.
const DEADLINE: Duration = Duration::from_secs(35);
/// For a process to start and end on a busy machine.
const SLACK: Duration = Duration::from_secs(10);
/// Resident memory that no kind may make the plugin use.
const MAX_RESIDENT_KIB: i64 = 16 << 10;

/// Time on the processor in milliseconds that no kind may cost.
const MAX_BUSY_MS: i64 = 200;

/// `CniCmdResponse` with the result `{}`.
const REPLY: &[u8] = b"\x0a\x02{}";

type Serve = fn(&mut Connection) -> Option<()>;

/// A kind of agent, the code that an ADD ends with (0 for success), and what it
/// does.
const KINDS: &[(&str, u64, Serve)] = &[
    ("accepts and says nothing", 11, |c| c.drain()),
    ("closes at once", 11, |_| None),
    ("closes after its SETTINGS", 11, |c| c.handshake()),
    ("closes after the request", 11, |c| request(c).map(|_| ())),
    ("half a frame, then closes", 11, |c| {
        request(c)?;
        c.stream.write_all(&[0, 0, 10, 1, 4]).ok()
    }),
    ("half a frame, then nothing", 11, |c| {
        request(c)?;
        c.stream.write_all(&[0, 0, 10, 1, 4]).ok()?;
        c.drain()
    }),
    ("garbage instead of HTTP/2", 11, |c| {
        c.stream.write_all(&[0xa5; 4096]).ok()?;
        c.drain()
    }),
    ("zeros instead of HTTP/2", 11, |c| {
        c.stream.write_all(&[0; 65536]).ok()?;
        c.drain()
    }),
    ("an HTTP/1.1 reply", 11, |c| {
        c.stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}").ok()?;
        c.drain()
    }),
    // Never taken: made again until the deadline.
    ("GOAWAY before the request", 11, |c| {
        c.handshake()?;
        goaway(c, 0, 0)?;
        c.drain()
    }),
    ("GOAWAY that refuses the request", 11, |c| {
        request(c)?;
        goaway(c, 0, 0)?;
        c.drain()
    }),
    ("GOAWAY with an error", 11, |c| {
        request(c)?;
        goaway(c, 1, 11)?;
        c.drain()
    }),
    // The client ends these connections itself, with a GOAWAY of its own.
    ("DATA on stream 0", 11, |c| broken(c, kind::DATA, 0, b"x")),
    ("SETTINGS of five bytes", 11, |c| broken(c, kind::SETTINGS, 0, b"xxxxx")),
    ("HEADERS on a stream of the server's", 11, |c| broken(c, kind::HEADERS, 2, &[0x88])),
    ("WINDOW_UPDATE of nothing", 11, |c| broken(c, 8, 0, &[0; 4])),
    ("GOAWAY, then the reply", 0, |c| {
        let stream = request(c)?;
        goaway(c, stream, 0)?;
        reply(c, stream)
    }),
    ("the reply, then GOAWAY", 0, |c| {
        let stream = request(c)?;
        reply(c, stream)?;
        goaway(c, stream, 0)
    }),
    ("RST_STREAM NO_ERROR", 201, |c| reset(c, 0)),
    ("RST_STREAM PROTOCOL_ERROR", 201, |c| reset(c, 1)),
    ("RST_STREAM INTERNAL_ERROR", 201, |c| reset(c, 2)),
    ("RST_STREAM FLOW_CONTROL_ERROR", 201, |c| reset(c, 3)),
    ("RST_STREAM SETTINGS_TIMEOUT", 201, |c| reset(c, 4)),
    ("RST_STREAM STREAM_CLOSED", 201, |c| reset(c, 5)),
    ("RST_STREAM FRAME_SIZE_ERROR", 201, |c| reset(c, 6)),
    ("RST_STREAM REFUSED_STREAM", 11, |c| reset(c, 7)),
    ("RST_STREAM CANCEL", 201, |c| reset(c, 8)),
    ("RST_STREAM COMPRESSION_ERROR", 201, |c| reset(c, 9)),
    ("RST_STREAM CONNECT_ERROR", 201, |c| reset(c, 10)),
    ("RST_STREAM ENHANCE_YOUR_CALM", 201, |c| reset(c, 11)),
    ("RST_STREAM INADEQUATE_SECURITY", 201, |c| reset(c, 12)),
    ("RST_STREAM HTTP_1_1_REQUIRED", 201, |c| reset(c, 13)),
    ("RST_STREAM with an unknown code", 201, |c| reset(c, 0xdead_beef)),
    ("RST_STREAM in the middle of a message", 201, |c| {
        let stream = request(c)?;
        c.head(stream)?;
        c.message(stream, 0, 100, b"half")?;
        c.frame(kind::RST_STREAM, 0, stream, &8u32.to_be_bytes())?;
        c.drain()
    }),
    ("closes in the middle of a message", 11, |c| {
        let stream = request(c)?;
        c.head(stream)?;
        c.message(stream, 0, 100, b"half")
    }),
    ("HTTP 404", 201, |c| http_status(c, b"404")),
    ("HTTP 502", 201, |c| http_status(c, b"502")),
    ("HTTP 503", 201, |c| http_status(c, b"503")),
    ("HTTP 200 without a grpc-status", 201, |c| http_status(c, b"200")),
    ("wrong content-type", 201, |c| {
        let stream = request(c)?;
        let head: [(&str, &[u8]); 2] = [(":status", b"200"), ("content-type", b"text/html")];
        c.headers(stream, 0, &head)?;
        c.message(stream, 0, REPLY.len(), REPLY)?;
        c.trailers(stream, "0")?;
        c.drain()
    }),
    ("compressed flag without an encoding", 201, |c| message(c, 1, REPLY.len(), REPLY)),
    ("trailers only, INTERNAL", 201, |c| {
        let stream = request(c)?;
        c.trailers_only(stream, "13", b"broken")?;
        c.drain()
    }),
    ("trailers only, OK", 201, |c| {
        let stream = request(c)?;
        c.trailers_only(stream, "0", b"")?;
        c.drain()
    }),
    ("a status that is no number", 201, |c| {
        let stream = request(c)?;
        c.trailers_only(stream, "twelve", b"")?;
        c.drain()
    }),
    ("two messages: the first counts", 0, |c| {
        let stream = request(c)?;
        c.head(stream)?;
        c.message(stream, 0, REPLY.len(), REPLY)?;
        c.message(stream, 0, REPLY.len(), REPLY)?;
        c.trailers(stream, "0")?;
        c.drain()
    }),
    ("a message longer than declared", 201, |c| message(c, 0, 2, REPLY)),
    ("a message shorter than declared", 201, |c| message(c, 0, 40, REPLY)),
    ("a message that claims 4 GiB", 201, |c| message(c, 0, u32::MAX as usize, REPLY)),
    ("a message that claims 5 MiB", 201, |c| message(c, 0, 5 << 20, &[0; 32 << 10])),
    ("more than the window allows", 11, |c| {
        let stream = request(c)?;
        c.head(stream)?;
        c.message(stream, 0, 1 << 20, &vec![0; 1 << 20])?;
        c.drain()
    }),
    ("one byte a write", 0, |c| {
        let stream = request(c)?;
        let frames = recorded(stream);
        for byte in frames {
            c.stream.write_all(&[byte]).ok()?;
        }
        c.drain()
    }),
    ("one byte a second", 11, |c| {
        let stream = request(c)?;
        for byte in recorded(stream) {
            c.stream.write_all(&[byte]).ok()?;
            std::thread::sleep(Duration::from_secs(1));
        }
        c.drain()
    }),
    ("protobuf garbage", 201, |c| message(c, 0, 6, b"\xff\xff\xff\xff\xff\xff")),
    ("unknown fields", 0, |c| {
        let bytes = b"\x0a\x02{}\x9a\x06\x03abc\xa0\x06\x07";
        message(c, 0, bytes.len(), bytes)
    }),
    ("an unknown error code", 4242, |c| {
        let bytes = b"\x12\x06\x08\x92\x21\x12\x01m";
        message(c, 0, bytes.len(), bytes)
    }),
    ("a text that is not UTF-8", 201, |c| message(c, 0, 5, b"\x12\x03\x12\x01\xff")),
    ("100 KB of grpc-message, percent-encoded", 201, |c| status_text(c, &b"%41".repeat(33_334))),
    ("100 KB of grpc-message, not UTF-8", 201, |c| status_text(c, &b"%ff".repeat(33_334))),
    ("endless SETTINGS", 201, |c| flood(c, kind::SETTINGS, &[])),
    ("endless PING", 201, |c| {
        request(c)?;
        let mut answers = c.stream.try_clone().ok()?;
        std::thread::spawn(move || std::io::copy(&mut answers, &mut std::io::sink()));
        loop {
            c.frame(6, 0, 0, &[0; 8])?;
        }
    }),
    // Its answers fill up, so that nothing more is read.
    ("endless PING, and a socket that is shut down but stays", 11, |c| {
        request(c)?;
        while c.frame(6, 0, 0, &[0; 8]).is_some() && !is_full(c) {}
        c.stream.shutdown(std::net::Shutdown::Both).ok()?;
        std::thread::sleep(DEADLINE);
        None
    }),
    ("endless RST_STREAM", 11, |c| {
        let stream = request(c)?;
        loop {
            c.frame(kind::RST_STREAM, 0, stream + 2, &8u32.to_be_bytes())?;
        }
    }),
    ("endless PRIORITY", 201, |c| {
        let stream = request(c)?;
        loop {
            c.frame(2, 0, stream + 2, &[0, 0, 0, 0, 1])?;
        }
    }),
    ("endless informational heads", 201, |c| {
        let stream = request(c)?;
        loop {
            c.headers(stream, 0, &[(":status", b"103")])?;
        }
    }),
    ("endless WINDOW_UPDATE", 201, |c| flood(c, 8, &[0, 0, 0, 1])),
    ("endless frames of an unknown type", 201, |c| flood(c, 0xfa, &[0; 64])),
    ("an endless header block", 11, |c| {
        let stream = request(c)?;
        c.frame(kind::HEADERS, 0, stream, &[0; 8192])?;
        loop {
            c.frame(9, 0, stream, &[0; 8192])?;
        }
    }),
    ("endless messages", 11, |c| {
        let stream = request(c)?;
        c.head(stream)?;
        loop {
            c.message(stream, 0, REPLY.len(), REPLY)?;
        }
    }),
    ("endless empty DATA", 11, |c| {
        let stream = request(c)?;
        c.head(stream)?;
        loop {
            c.frame(kind::DATA, 0, stream, &[])?;
        }
    }),
    ("PUSH_PROMISE", 11, |c| {
        let stream = request(c)?;
        c.frame(5, 4, stream, &[0, 0, 0, 2, 0x82])?;
        c.drain()
    }),
    ("DATA on a stream that nobody opened", 11, |c| {
        request(c)?;
        c.frame(kind::DATA, 0, 99, b"x")?;
        c.drain()
    }),
    ("a window of zero", 11, |c| {
        c.stream.read_exact(&mut [0; 24]).ok()?;
        c.frame(kind::SETTINGS, 0, 0, &[0, 4, 0, 0, 0, 0])?;
        c.drain()
    }),
    ("the reply after the deadline", 11, |c| {
        let stream = request(c)?;
        std::thread::sleep(DEADLINE + Duration::from_secs(1));
        reply(c, stream)
    }),
    // The agent's own fault: the API's rules allow UNIMPLEMENTED only before
    // any effect, so this one does the work once for each API.
    ("UNIMPLEMENTED after an effect", 202, |c| {
        c.handshake()?;
        loop {
            let stream = c.request()?;
            c.trailers_only(stream, "12", b"done, but I say no")?;
        }
    }),
];

/// How many requests an ADD sends at most: one, unless the agent provably did not take it,
/// or has none of our APIs.
fn requests(name: &str) -> usize {
    match name {
        "GOAWAY before the request"
        | "GOAWAY that refuses the request"
        | "RST_STREAM REFUSED_STREAM" => usize::MAX,
        "UNIMPLEMENTED after an effect" => antrea_cni_agent::Api::ALL.len(),
        _ => 1,
    }
}

fn request(c: &mut Connection) -> Option<u32> {
    c.handshake()?;
    c.request()
}

fn reply(c: &mut Connection, stream: u32) -> Option<()> {
    c.head(stream)?;
    c.message(stream, 0, REPLY.len(), REPLY)?;
    c.trailers(stream, "0")
}

fn message(c: &mut Connection, flag: u8, claims: usize, bytes: &[u8]) -> Option<()> {
    let stream = request(c)?;
    c.head(stream)?;
    c.message(stream, flag, claims, bytes)?;
    c.trailers(stream, "0")?;
    c.drain()
}

fn goaway(c: &mut Connection, last: u32, reason: u32) -> Option<()> {
    c.frame(kind::GOAWAY, 0, 0, &[last.to_be_bytes(), reason.to_be_bytes()].concat())
}

/// A frame that no server may send.
fn broken(c: &mut Connection, kind: u8, stream: u32, payload: &[u8]) -> Option<()> {
    request(c)?;
    c.frame(kind, 4 * u8::from(kind == kind::HEADERS), stream, payload)?;
    c.drain()
}

fn reset(c: &mut Connection, reason: u32) -> Option<()> {
    let stream = request(c)?;
    c.frame(kind::RST_STREAM, 0, stream, &reason.to_be_bytes())?;
    c.drain()
}

fn http_status(c: &mut Connection, status: &[u8]) -> Option<()> {
    let stream = request(c)?;
    let head: [(&str, &[u8]); 2] = [(":status", status), ("content-type", b"application/grpc")];
    c.headers(stream, END_STREAM, &head)?;
    c.drain()
}

fn status_text(c: &mut Connection, text: &[u8]) -> Option<()> {
    let stream = request(c)?;
    c.trailers_only(stream, "13", text)?;
    c.drain()
}

/// The same frame until the client has had enough, or the deadline ends it.
fn flood(c: &mut Connection, kind: u8, payload: &[u8]) -> Option<()> {
    request(c)?;
    // Nobody reads what the client sends back, so its answers fill up too.
    loop {
        c.frame(kind, 0, 0, payload)?;
    }
}

/// The bytes of an ordinary reply.
fn recorded(stream: u32) -> Vec<u8> {
    let (mut near, far) = std::os::unix::net::UnixStream::pair().unwrap();
    let mut connection = Connection::over(far);
    reply(&mut connection, stream).unwrap();
    drop(connection);
    let mut bytes = Vec::new();
    near.read_to_end(&mut bytes).unwrap();
    bytes
}

/// What the message of a code says, one of these.
fn words(code: u64) -> &'static [&'static str] {
    match code {
        11 => &[
            "went away during the call: try again when its Pod on this node is running",
            "did not answer in time: look at its log on this node, then try again",
            "does not take calls now: wait until its Pod on this node is running, then try again",
        ],
        201 => &[
            "gave no valid answer: look at its log on this node",
            "cannot be decoded: look at its log on this node",
            "antrea-agent answered ",
        ],
        202 => &["serves none of the API versions of this plugin"],
        _ => &["m"],
    }
}

/// Variable that makes this program a launcher: the file for the peak of
/// resident memory.
const PEAK: &str = "HOSTILE_PEAK";
/// Variable that names the plugin to launch.
const PLUGIN: &str = "HOSTILE_PLUGIN";

/// Whether nothing more fits into the socket.
fn is_full(c: &Connection) -> bool {
    let mut fds = [PollFd::new(c.stream.as_fd(), PollFlags::POLLOUT)];
    poll(&mut fds, PollTimeout::ZERO) == Ok(0)
}

/// Runs the plugin and writes down its peak of resident memory in KiB and its time
/// on the processor in milliseconds. The
/// kernel counts what a process was before it became another program, so the
/// plugin must not be started by the large process that this test is.
fn launch(peak: &std::ffi::OsStr) -> ExitCode {
    let plugin = std::env::var_os(PLUGIN).unwrap();
    let status = Command::new(plugin).env_remove(PEAK).env_remove(PLUGIN).status().unwrap();
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).unwrap();
    let milliseconds = [usage.user_time(), usage.system_time()].map(|it| it.num_milliseconds());
    let used = format!("{} {}", usage.max_rss(), milliseconds.iter().sum::<i64>());
    std::fs::write(peak, used).unwrap();
    ExitCode::from(u8::try_from(status.code().unwrap_or(99)).unwrap_or(99))
}

/// Runs an ADD against one kind.
fn run(name: &str, expected: u64, serve: Serve) -> Result<(), String> {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("cni.sock");
    let agent = RawAgent::start(&socket, serve);
    let configuration = json!({
        "cniVersion": "0.4.0", "name": "antrea", "type": "antrea",
        "antreaCni": {"socket": socket, "addTimeoutSeconds": DEADLINE.as_secs(), "confDir": "/nowhere"},
    });
    let started = Instant::now();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .env_clear()
        .env(PEAK, folder.path().join("peak"))
        .env(PLUGIN, plugin())
        .envs([("CNI_COMMAND", "ADD"), ("CNI_CONTAINERID", "c0ffee"), ("CNI_IFNAME", "eth0")])
        .envs([("CNI_NETNS", "/var/run/netns/x"), ("CNI_PATH", "/opt/cni/bin")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(configuration.to_string().as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let elapsed = started.elapsed();
    let document: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    let code = document["code"].as_u64().unwrap_or(0);
    let stderr = String::from_utf8_lossy(&output.stderr);
    let message = document["msg"].as_str().unwrap_or_default();
    let used = std::fs::read_to_string(folder.path().join("peak")).unwrap_or_default();
    let mut used = used.split(' ').map(|it| it.parse().unwrap_or(i64::MAX));
    let (resident, busy) = (used.next().unwrap_or(i64::MAX), used.next().unwrap_or(i64::MAX));
    // The debug build takes ten times as long for the same work, and so does an emulator.
    let is_emulated = std::env::var_os("ANTREA_CNI_EMULATED").is_some();
    let is_fast = binary_under_test().is_some() && !is_emulated;
    let most = if is_fast { MAX_BUSY_MS } else { 10 * MAX_BUSY_MS };
    let checks = [
        (output.status.signal().is_none() && stderr.is_empty(), "crashed"),
        (document.is_object(), "not one document"),
        (code == expected, "wrong code"),
        (output.status.code() == Some(i32::from(expected != 0)), "wrong exit status"),
        (code == 0 || words(code).iter().any(|words| message.contains(words)), "wrong words"),
        (elapsed < DEADLINE + SLACK, "past its deadline"),
        (resident <= MAX_RESIDENT_KIB, "too much memory"),
        (busy <= most, "too busy"),
        (agent.requests() <= requests(name), "too many requests"),
    ];
    match checks.into_iter().find(|(holds, _)| !holds) {
        Some((_, what)) => Err(format!(
            "{what}: {document} {:?} {stderr}, {resident} KiB, {busy} ms, {} requests",
            output.status,
            agent.requests()
        )),
        None => Ok(()),
    }
}

fn main() -> ExitCode {
    if let Some(peak) = std::env::var_os(PEAK) {
        return launch(&peak);
    }
    // All at once: the slow ones wait.
    let case = |(name, code, serve): &(&'static str, u64, Serve)| {
        let (name, code, serve) = (*name, *code, *serve);
        Case::new(name, move || run(name, code, serve))
    };
    run_cases(Some(KINDS.len()), || KINDS.iter().map(case).collect(), || Ok(()))
}

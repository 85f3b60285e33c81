// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Clients of the endpoint that mean harm: what they cost the keeper, and whether it still works.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use nix::sys::resource::{Resource, getrlimit, setrlimit};

use super::{Served, descriptors_of, status_of};
use crate::support::eventually;

/// Connections at once.
const CLIENTS: usize = 1000;

/// What the keeper may need for all of them, in kB.
const MAX_MEMORY: u64 = 2048;

/// Connections, files, pipes and inotify.
const MAX_DESCRIPTORS: usize = 200;

/// How long Prometheus waits for an answer where nobody changed that.
const SCRAPE_TIMEOUT: Duration = Duration::from_secs(10);

/// What clients do. Returns the connections that they hold open, and what became of what they sent.
type Attack = fn(SocketAddr) -> (Vec<TcpStream>, String);

const ATTACKS: &[(&str, Attack)] = &[
    ("1,000 connections that say nothing", |it| many(it, b"")),
    ("1,000 half requests", |it| many(it, b"GET /metrics HTTP/1.1\r\nhost: no")),
    ("1,000 readers that never read", |it| many(it, METRICS)),
    ("1,000 questions for /readyz", |it| many(it, b"GET /readyz HTTP/1.1\r\nhost: node\r\n\r\n")),
    ("1,000 times a body of 1 GB announced", |it| many(it, LARGE)),
    ("1,000 times a NUL", |it| many(it, b"\0")),
    ("1,000 TLS handshakes", |it| many(it, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")),
    ("a body of 1 GB", |it| endless(it, LARGE, &[b'x'; 1 << 20], 1 << 10)),
    ("a body of 1 GB in chunks", |it| {
        endless(it, CHUNKED, &[b"100000\r\n", &[b'x'; 1 << 20][..], b"\r\n"].concat(), 1 << 10)
    }),
    ("a header of 1 MB", |it| endless(it, b"GET /metrics HTTP/1.1\r\nx: ", &[b'x'; 1 << 20], 1)),
    ("100,000 headers", |it| endless(it, b"GET /metrics HTTP/1.1\r\n", b"x: y\r\n", 100_000)),
    ("a path of 1 MB", |it| endless(it, b"GET /", &[b'x'; 1 << 20], 1)),
    ("100,000 requests on one connection", |it| endless(it, b"", METRICS, 100_000)),
];

const METRICS: &[u8] = b"GET /metrics HTTP/1.1\r\nhost: node\r\n\r\n";

const LARGE: &[u8] = b"GET /metrics HTTP/1.1\r\nhost: node\r\ncontent-length: 1073741824\r\n\r\n";

const CHUNKED: &[u8] = b"POST /livez HTTP/1.1\r\nhost: node\r\ntransfer-encoding: chunked\r\n\r\n";

/// Opens connections, says the same on each, and reads nothing.
fn many(address: SocketAddr, text: &[u8]) -> (Vec<TcpStream>, String) {
    let connect = |_| {
        let mut stream = TcpStream::connect(address).unwrap();
        // The keeper may have closed it already.
        let _ = stream.write_all(text);
        stream
    };
    ((0..CLIENTS).map(connect).collect(), String::new())
}

/// Sends until the keeper takes no more.
fn endless(
    address: SocketAddr,
    head: &[u8],
    part: &[u8],
    times: usize,
) -> (Vec<TcpStream>, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    let mut sent = 0;
    let _ = stream.write_all(head);
    while sent < times && stream.write_all(part).is_ok() {
        sent += 1;
    }
    let mut replies = Vec::new();
    let _ = stream.read_to_end(&mut replies);
    let replies = String::from_utf8_lossy(&replies).matches("HTTP/1.1 ").count();
    assert!(replies <= 1, "{replies} replies on one connection");
    (vec![stream], format!(" ({sent} of {times} parts sent, {replies} replies)"))
}

#[test]
#[ignore = "takes long; make test-release runs it"]
fn hostile_clients_cost_the_keeper_little_and_keep_nobody_out() {
    // For the clients.
    let (may, most) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    setrlimit(Resource::RLIMIT_NOFILE, may.max(4096), most.max(4096)).unwrap();
    let served = Served::new();
    served.node.script("theirs");
    let keeper = served.keeper(&[]);
    eventually(|| served.get("/metrics").body.contains("antrea_cni_installed"));
    assert_eq!(served.get("/readyz").status, 503);
    let before = status_of(&keeper, "VmHWM");
    for (name, attack) in ATTACKS {
        let (open, sent) = attack(served.address);
        // With all of them still there, the keeper answers Prometheus and keeps the plugin.
        let asked = Instant::now();
        let reply = served.get("/metrics");
        let answered = asked.elapsed();
        assert!(reply.status == 200 && reply.body.ends_with("# EOF\n"), "{name}: {reply:?}");
        served.node.overwrite(&served.node.target(), &served.node.path("theirs"));
        let replaced = Instant::now();
        let is_kept =
            || fs::read(served.node.target()).ok() == fs::read(served.node.path("one")).ok();
        eventually(is_kept);
        let (memory, files) = (status_of(&keeper, "VmHWM"), descriptors_of(&keeper));
        eprintln!(
            "{name}{sent}: /metrics after {answered:.1?}, plugin back after {:.0?}, VmHWM {memory} kB \
             ({before} before), {files} descriptors",
            replaced.elapsed()
        );
        assert!(memory - before <= MAX_MEMORY && files <= MAX_DESCRIPTORS, "{name}");
        assert!(answered < SCRAPE_TIMEOUT, "{name}");
        drop(open);
    }
    // All that they took is given back.
    eventually(|| descriptors_of(&keeper) < 24);
    eprintln!(
        "at the end: VmRSS {} kB, {} descriptors",
        status_of(&keeper, "VmRSS"),
        descriptors_of(&keeper)
    );
    assert_eq!(keeper.end(), Some(0));
}

/// Who sends a byte now and then has no more time than others.
#[test]
fn a_slow_client_is_cut_off() {
    let served = Served::new();
    let _keeper = served.keeper(&[]);
    let mut stream = TcpStream::connect(served.address).unwrap();
    stream.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    eventually(|| {
        let is_taken = (&stream).write_all(b"G").is_ok();
        let read = (&stream).read(&mut [0]);
        let is_waiting = read.as_ref().is_err_and(|it| it.kind() == std::io::ErrorKind::WouldBlock);
        !(is_taken && is_waiting)
    });
    stream.set_read_timeout(None).unwrap();
    assert!(matches!(stream.read(&mut [0]), Ok(0) | Err(_)));
    assert_eq!(served.get("/livez").status, 200);
}

// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! What a keeper answers at its endpoint: a real keeper, a plain client.

mod cost;
mod hostile;
mod prometheus;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, Instant};

use antrea_cni_agent::{Agent, Options, servable};
use serde_json::json;

use crate::support::{Keeper, Node, call, eventually, set_mode};

/// A node with a list, whose keeper has an endpoint.
struct Served {
    node: Node,
    address: SocketAddr,
}

impl Served {
    fn new() -> Self {
        let served = Self { node: Node::in_a_quiet_place(), address: address() };
        fs::create_dir(served.node.path("net.d")).unwrap();
        served.write_list("10-antrea.conflist", "1.0.0", "antrea");
        served
    }

    fn write_list(&self, file: &str, version: &str, plugin: &str) {
        let settings = json!({"socket": self.node.socket(), "waitForAgentSeconds": 0});
        let plugin = json!({"type": plugin, "antreaCni": settings});
        let list = json!({"cniVersion": version, "name": "antrea", "plugins": [plugin]});
        fs::write(self.node.path("net.d").join(file), list.to_string()).unwrap();
    }

    fn keeper(&self, more: &[&str]) -> Keeper {
        self.keeper_of("one", more)
    }

    fn keeper_of(&self, version: &str, more: &[&str]) -> Keeper {
        let log = format!("logFile={}", self.node.path("log").display());
        let (net_d, address) = (self.node.path("net.d"), self.address.to_string());
        let own = ["--set", &*log, "--conf-dir", net_d.to_str().unwrap(), "--listen", &*address];
        self.node.keeper(version, &[&own, more].concat())
    }

    /// A keeper of a plugin that does this at STATUS, once the keeper runs.
    fn keeper_of_script(&self, status: &str) -> Keeper {
        let (script, running) = (self.node.path("script"), self.node.path("running"));
        let text = format!(
            "#!/bin/sh\nif [ $CNI_COMMAND = STATUS ] && [ -e {} ]; then {status}; exit; fi\n\
             echo '{{\"supportedVersions\":[\"1.1.0\"]}}'\n",
            running.display()
        );
        fs::write(&script, text).unwrap();
        set_mode(&script, 0o755);
        let keeper = self.keeper_of("script", &[]);
        File::create(running).unwrap();
        keeper
    }

    /// The container runtime makes an ADD.
    fn add(&self, container: &str) {
        let configuration = json!({
            "cniVersion": "1.0.0", "name": "antrea", "type": "antrea",
            "antreaCni": {"socket": self.node.socket(), "waitForAgentSeconds": 0},
        });
        call(&self.node.target(), "ADD", container, &configuration.to_string());
    }

    fn get(&self, path: &str) -> Reply {
        self.ask(&format!("GET {path} HTTP/1.1\r\nhost: node\r\n\r\n"))
    }

    /// Sends a request, and reads until the connection ends.
    fn ask(&self, request: &str) -> Reply {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        Reply::read(&mut stream)
    }

    /// Waits for an answer of `/readyz`, which holds for a second.
    fn until_ready_says(&self, status: u16, text: &str) {
        eventually(|| {
            let reply = self.get("/readyz");
            reply.status == status && reply.body.contains(text)
        });
    }
}

#[derive(Debug)]
struct Reply {
    status: u16,
    head: String,
    body: String,
}

impl Reply {
    fn read(stream: &mut TcpStream) -> Self {
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{text:?}"));
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Self { status, head: head.to_ascii_lowercase(), body: body.to_owned() }
    }
}

/// An address of this machine that no other test has.
fn address() -> SocketAddr {
    static NEXT: AtomicU8 = AtomicU8::new(1);
    let [.., high, low] = std::process::id().to_be_bytes();
    ([127, high, low, NEXT.fetch_add(1, Ordering::Relaxed)], 9109).into()
}

/// The samples in a text of metrics, but for the time when they were found. The two formats differ in
/// the order of samples and labels, and in how they write the bounds of a histogram.
fn samples(text: &str) -> BTreeMap<(String, BTreeSet<String>), f64> {
    let is_sample = |it: &&str| !it.starts_with('#') && !it.contains("metrics_timestamp");
    let samples = text.lines().filter(is_sample).map(|line| {
        let (series, value) = line.rsplit_once(' ').unwrap();
        let (name, labels) = series.trim_end_matches('}').split_once('{').unwrap();
        let labels = labels.replace(".0\"", "\"").split(',').map(str::to_owned).collect();
        ((name.to_owned(), labels), value.parse().unwrap())
    });
    samples.collect()
}

#[test]
fn metrics_are_openmetrics_and_those_of_the_textfile() {
    let served = Served::new();
    let textfile = served.node.path("antrea.prom");
    let to = textfile.to_str().unwrap();
    let _keeper = served.keeper(&["--metrics", to, "--metrics-interval", "200ms"]);
    served.add("c1");
    let counted =
        "\nantrea_cni_calls_total{plugin=\"antrea\",command=\"ADD\",api=\"none\",code=\"11\"} 1\n";
    eventually(|| served.get("/metrics").body.contains(counted));
    let reply = served.get("/metrics");
    let kind = "content-type: application/openmetrics-text; version=1.0.0; charset=utf-8";
    assert!(reply.status == 200 && reply.head.contains(kind), "{reply:?}");
    assert!(reply.body.contains("# TYPE antrea_cni_calls counter\n"), "{reply:?}");
    assert!(reply.body.ends_with("\n# EOF\n"), "{reply:?}");
    let file = fs::read_to_string(&textfile).unwrap();
    assert_eq!(samples(&reply.body), samples(&file));
    assert!(file.contains("# TYPE antrea_cni_calls_total counter\n"), "{file}");
}

/// Also without a file of metrics, and across a restart.
#[test]
fn calls_are_counted_for_the_endpoint_alone() {
    let served = Served::new();
    let counts = |calls: u32| {
        let line = format!(
            "antrea_cni_call_duration_seconds_count{{plugin=\"antrea\",command=\"ADD\"}} {calls}\n"
        );
        eventually(|| served.get("/metrics").body.contains(&line));
    };
    let keeper = served.keeper(&[]);
    served.add("c1");
    counts(1);
    assert_eq!(keeper.end(), Some(0));
    served.add("c2");
    let _keeper = served.keeper(&[]);
    counts(2);
}

#[test]
fn other_paths_and_methods_are_refused() {
    let served = Served::new();
    let _keeper = served.keeper(&[]);
    for (request, status, says) in [
        ("GET / HTTP/1.1", 404, "/metrics"),
        ("GET /metrics/ HTTP/1.1", 404, "/metrics"),
        ("GET /../etc/passwd HTTP/1.1", 404, "/metrics"),
        ("POST / HTTP/1.1", 404, "/metrics"),
        ("POST /metrics HTTP/1.1", 405, "GET"),
        ("DELETE /livez HTTP/1.1", 405, "GET"),
        ("GET /livez?verbose HTTP/1.0", 200, "ok\n"),
        ("HEAD /livez HTTP/1.1", 200, ""),
    ] {
        let reply = served.ask(&format!("{request}\r\nhost: node\r\n\r\n"));
        assert!(reply.status == status && reply.body.contains(says), "{request}: {reply:?}");
        assert_eq!(reply.head.contains("allow: get, head"), status == 405, "{reply:?}");
        assert!(!request.starts_with("HEAD") || reply.body.is_empty(), "{reply:?}");
    }
}

/// Whatever the list's version and the agent's API: STATUS has a cniVersion that has it.
#[test]
fn ready_is_what_the_plugin_says_to_the_nodes_list() {
    // An answer holds for a second: on nodes of their own, each waits for its own.
    std::thread::scope(|all| {
        for version in ["0.3.0", "1.1.0"] {
            all.spawn(move || ready_with_each_agent(version));
        }
    });
    let served = Served::new();
    let keeper = served.keeper(&[]);
    served.write_list("10-antrea.conflist", "9.0.0", "antrea");
    served.until_ready_says(503, "9.0.0");
    served.write_list("05-other.conflist", "1.0.0", "cilium-cni");
    served.until_ready_says(503, "05-other.conflist, which does not name antrea");
    fs::remove_dir_all(served.node.path("net.d")).unwrap();
    served.until_ready_says(503, "no network configuration is in ");
    // These were not calls of the runtime.
    assert!(!served.node.path("log").exists());
    assert_eq!(keeper.end(), Some(0));
}

fn ready_with_each_agent(version: &str) {
    let served = Served::new();
    let _keeper = served.keeper(&[]);
    served.write_list("10-antrea.conflist", version, "antrea");
    for api in servable() {
        served.until_ready_says(503, "code 50: ");
        let agent = Agent::start(Options::new(served.node.socket(), &[api])).unwrap();
        served.until_ready_says(200, "ok\n");
        drop(agent);
    }
    // These were not calls of the runtime.
    assert!(!served.node.path("log").exists());
}

#[test]
fn those_who_ask_at_once_share_one_answer() {
    let served = Served::new();
    let [starts, go] = ["starts", "go"].map(|name| served.node.path(name));
    let (count, wait) = (starts.display(), go.display());
    let _keeper = served
        .keeper_of_script(&format!("echo >>{count}; until [ -e {wait} ]; do sleep 0.01; done"));
    let first = Instant::now();
    let mut clients: Vec<_> = (0..20)
        .map(|_| {
            let mut stream = TcpStream::connect(served.address).unwrap();
            stream.write_all(b"GET /readyz HTTP/1.1\r\nhost: node\r\n\r\n").unwrap();
            stream
        })
        .collect();
    // A client that leaves does not end the question of the others.
    drop(clients.remove(0));
    eventually(|| starts.exists());
    File::create(&go).unwrap();
    for client in &mut clients {
        assert_eq!(Reply::read(client).status, 200);
    }
    let started = fs::read_to_string(&starts).unwrap().lines().count() as u64;
    assert!((1..=1 + first.elapsed().as_secs()).contains(&started), "{started} starts");
}

/// A plugin without an end is no answer for long.
#[test]
fn a_plugin_that_hangs_is_not_ready() {
    let served = Served::new();
    let _keeper = served.keeper_of_script("exec sleep 1000");
    let reply = served.get("/readyz");
    assert!(reply.status == 503 && reply.body.contains("no answer to STATUS within"), "{reply:?}");
}

#[test]
fn an_address_that_cannot_be_used_is_told_before_anything_is_installed() {
    let node = Node::new();
    let taken = TcpListener::bind(address()).unwrap();
    let in_use = taken.local_addr().unwrap().to_string();
    for (address, says) in [
        (&*in_use, "(name another port with --listen)"),
        ("192.0.2.1:9109", "(name an address of this machine with --listen)"),
    ] {
        let answer = node.install("one", &["--keep", "1h", "--listen", address]);
        answer.assert(1, &format!("cannot listen at {address}: "));
        answer.assert(1, says);
        assert!(node.files().is_empty());
    }
    node.install("one", &["--listen", &in_use]).assert(2, "--keep");
}

/// With --best-effort the plugin matters more, and the address may come.
#[test]
fn an_address_is_tried_again_if_effort_is_enough() {
    let served = Served::new();
    let taken = TcpListener::bind(served.address).unwrap();
    let keeper = served.keeper(&["--best-effort"]);
    assert!(served.node.target().exists());
    drop(taken);
    // A child of another test, before it runs its program, may listen a moment longer.
    let request = b"GET /livez HTTP/1.1\r\nhost: node\r\n\r\n";
    let is_answered = || -> io::Result<bool> {
        let (mut stream, mut text) = (TcpStream::connect(served.address)?, String::new());
        stream.write_all(request)?;
        stream.read_to_string(&mut text)?;
        Ok(text.starts_with("HTTP/1.1 200 "))
    };
    eventually(|| is_answered().is_ok_and(|it| it));
    assert_eq!(keeper.end(), Some(0));
}

/// A keeper with nothing to keep works, and says nothing of a plugin.
#[test]
fn nothing_is_said_of_a_plugin_that_was_uninstalled() {
    let served = Served::new();
    let _keeper = served.keeper(&[]);
    eventually(|| served.get("/metrics").body.contains("antrea_cni_installed"));
    fs::remove_file(served.node.path("net.d/10-antrea.conflist")).unwrap();
    served.node.run("uninstall").assert(0, "uninstalled");
    eventually(|| served.get("/metrics").body == "# EOF\n");
    assert_eq!(served.get("/livez").status, 200);
    served.until_ready_says(503, "no network configuration");
}

/// Another tool that never ends has the lock.
#[test]
#[ignore = "takes long; make test-release runs it"]
fn a_keeper_that_cannot_look_is_not_alive() {
    let served = Served::new();
    let keeper = served.keeper(&[]);
    let lock = served.node.path("bin/.antrea.cnictl/lock");
    let lock = File::options().write(true).open(lock).unwrap();
    lock.lock().unwrap();
    fs::remove_file(served.node.target()).unwrap();
    let started = Instant::now();
    let is_dead = || {
        let reply = served.get("/livez");
        reply.status == 503 && reply.body.contains("the keeper has not checked the plugin for ")
    };
    while !is_dead() {
        assert!(started.elapsed() < Duration::from_secs(120), "it is alive");
        std::thread::sleep(Duration::from_millis(500));
    }
    lock.unlock().unwrap();
    eventually(|| served.get("/livez").status == 200 && served.node.target().exists());
    assert_eq!(keeper.end(), Some(0));
}

/// A number in the file `status` of a process, such as `VmHWM` in kB.
fn status_of(keeper: &Keeper, key: &str) -> u64 {
    let text = fs::read_to_string(format!("/proc/{}/status", keeper.pid())).unwrap();
    let line = text.lines().find(|line| line.starts_with(&format!("{key}:"))).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

fn descriptors_of(keeper: &Keeper) -> usize {
    fs::read_dir(Path::new("/proc").join(keeper.pid().to_string()).join("fd")).unwrap().count()
}

/// The time that a process took of a processor.
fn processor_seconds(keeper: &Keeper) -> f64 {
    let text = fs::read_to_string(format!("/proc/{}/stat", keeper.pid())).unwrap();
    // utime and stime.
    let fields = text.rsplit_once(')').unwrap().1.split_whitespace().skip(11).take(2);
    let ticks: u32 = fields.map(|it| it.parse::<u32>().unwrap()).sum();
    // Each is 10 ms (USER_HZ).
    f64::from(ticks) / 100.0
}

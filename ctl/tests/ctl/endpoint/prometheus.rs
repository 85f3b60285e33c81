// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! A real Prometheus scrapes a real keeper, while a real plugin makes calls.

use std::env;
use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::MetadataExt;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use antrea_cni_agent::{Agent, Api, Options};
use antrea_cni_test_support::skipped;
use nix::sys::signal::Signal;
use serde_json::{Value, json};

use super::{Served, processor_seconds, status_of};
use crate::support::{call, eventually};

const RULES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/helm/rules.yaml");

/// ADDs a second that are aimed at.
const RATE: u32 = 100;

/// Seconds with that rate.
const SECONDS: u32 = 60;

/// Container runtimes that make them.
const CALLERS: u32 = 4;

/// So many bytes of log that it is rotated twice at least.
const LOG_MAX_BYTES: u32 = 2_000_000;

/// The second in which the keeper is killed.
const KILLED: u64 = 25;

/// Most part of a core that the keeper takes at that rate.
const MAX_BUSY: f64 = 0.01;

struct Prometheus {
    process: Child,
    at: Served,
}

impl Prometheus {
    /// Starts Prometheus with the rules that are shipped.
    fn start(target: SocketAddr) -> Self {
        let at = Served::new();
        let file = at.node.path("prometheus.yaml");
        let configuration = json!({
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": [RULES],
            "scrape_configs": [
                {"job_name": "antrea-cni", "static_configs": [{"targets": [target]}]},
            ],
        });
        fs::write(&file, configuration.to_string()).unwrap();
        let mut process = Command::new("prometheus");
        process.arg(format!("--config.file={}", file.display()));
        process.arg(format!("--storage.tsdb.path={}", at.node.path("data").display()));
        process.arg(format!("--web.listen-address={}", at.address));
        process.stdout(Stdio::null()).stderr(Stdio::null());
        Self { process: process.spawn().unwrap(), at }
    }

    /// An answer of Prometheus' own API, if there is one.
    fn api(&self, path: &str) -> Option<Value> {
        TcpStream::connect(self.at.address).ok()?;
        let request = format!("GET /api/v1/{path} HTTP/1.0\r\nhost: prometheus\r\n\r\n");
        serde_json::from_str(&self.at.ask(&request).body).ok()
    }

    /// The value of a query with one sample.
    fn query(&self, query: &str) -> Option<f64> {
        let query: String = query.bytes().map(|byte| format!("%{byte:02x}")).collect();
        let answer = self.api(&format!("query?query={query}"))?;
        answer.pointer("/data/result/0/value/1")?.as_str()?.parse().ok()
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
#[ignore = "takes long; make test-release runs it"]
fn prometheus_has_each_call_across_rotations_and_a_killed_keeper() {
    if Command::new("prometheus").arg("--version").output().is_err() {
        skipped("a scrape needs prometheus, a package of Debian");
        return;
    }
    let served = Served::new();
    let max_bytes = format!("logMaxBytes={LOG_MAX_BYTES}");
    let first = served.keeper(&["--set", &max_bytes]);
    let _agent = Agent::start(Options::new(served.node.socket(), &[Api::V1])).unwrap();
    let prometheus = Prometheus::start(served.address);
    eventually(|| prometheus.query("up") == Some(1.0));

    let (started, mut processor, mut logs) = (Instant::now(), 0.0, Vec::new());
    let keeper = thread::scope(|scope| {
        let mut keeper = first;
        let served = &served;
        let caller = |it| scope.spawn(move || make_calls(served, it));
        let callers: Vec<_> = (0..CALLERS).map(caller).collect();
        while callers.iter().any(|it| !it.is_finished()) {
            // A file that is gone leaves its number to a later one.
            let log = fs::metadata(served.node.path("log")).ok().map(|it| it.ino());
            logs.extend(log.filter(|_| log.as_ref() != logs.last()));
            if processor == 0.0 && started.elapsed().as_secs() >= KILLED {
                processor = processor_seconds(&keeper);
                keeper.signal(Signal::SIGKILL);
                drop(keeper);
                keeper = served.keeper(&["--set", &max_bytes]);
            }
            thread::sleep(Duration::from_millis(50));
        }
        keeper
    });
    let took = started.elapsed();
    processor += processor_seconds(&keeper);
    let (adds, rotations) = (f64::from(RATE * SECONDS), logs.len() - 1);
    let counted = |command: &str| {
        prometheus
            .query(&format!("sum(antrea_cni_calls_total{{command=\"{command}\",code=\"0\"}})"))
    };
    eventually(|| counted("ADD") >= Some(adds) && counted("DEL") >= Some(adds));
    eprintln!(
        "{adds} ADDs and as many DELs in {took:.1?}: {:.0} ADDs a second, {rotations} rotations; Prometheus has \
         {:?} and {:?}; the keeper took {processor:.2} s of a processor, VmHWM {} kB",
        adds / took.as_secs_f64(),
        counted("ADD"),
        counted("DEL"),
        status_of(&keeper, "VmHWM"),
    );
    assert_eq!((counted("ADD"), counted("DEL")), (Some(adds), Some(adds)));
    assert!(rotations >= 2, "{rotations} rotations");
    assert_eq!(prometheus.query("sum(antrea_cni_calls_total)"), Some(2.0 * adds));
    let series = "antrea_cni_call_duration_seconds_count";
    assert_eq!(prometheus.query(&format!("sum({series})")), Some(2.0 * adds));
    assert_eq!(prometheus.query(&format!("sum(resets({series}[1h]))")), Some(0.0));
    assert_eq!(prometheus.query("sum(antrea_cni_failed_calls_total)"), Some(0.0));
    // The budget is that of the shipped program.
    let is_shipped = env::var_os("ANTREA_CNICTL").is_some();
    assert!(
        !is_shipped || processor / took.as_secs_f64() <= MAX_BUSY,
        "{processor} s of a processor"
    );
    // The rules were read, and nothing is wrong here.
    let rules = prometheus.api("rules").unwrap();
    let rules = rules.pointer("/data/groups/0/rules").unwrap().as_array().unwrap();
    assert!(rules.len() >= 5 && rules.iter().all(|it| it["health"] == "ok"), "{rules:?}");
    assert_eq!(prometheus.query("count(ALERTS{alertstate=\"firing\"})"), None);
    assert_eq!(keeper.end(), Some(0));
}

/// Makes one caller's part of the ADDs, each at its time or as soon as it can, and their DELs.
fn make_calls(served: &Served, caller: u32) {
    let configuration = json!({
        "cniVersion": "1.0.0", "name": "antrea", "type": "antrea",
        "antreaCni": {"socket": served.node.socket()},
    });
    let (plugin, configuration) = (served.node.target(), configuration.to_string());
    let started = Instant::now();
    for turn in (caller..RATE * SECONDS).step_by(CALLERS as usize) {
        let due = started + Duration::from_secs(1) / RATE * turn;
        thread::sleep(due.saturating_duration_since(Instant::now()));
        for command in ["ADD", "DEL"] {
            let answer = call(&plugin, command, &format!("c{turn}"), &configuration);
            assert!(answer.status.success(), "{command}: {answer:?}");
        }
    }
}

/// The textfile has the types that node-exporter's own format has for them.
#[test]
fn node_exporter_takes_the_textfile() {
    let mut exporter = Command::new("prometheus-node-exporter");
    if exporter.arg("--version").output().is_err() {
        skipped("the textfile needs prometheus-node-exporter, a package of Debian");
        return;
    }
    let (served, at) = (Served::new(), Served::new());
    let folder = served.node.path("textfiles");
    fs::create_dir(&folder).unwrap();
    let textfile = folder.join("antrea.prom");
    let keeper = served.keeper(&["--metrics", textfile.to_str().unwrap()]);
    eventually(|| textfile.exists());
    let mut exporter = Command::new("prometheus-node-exporter");
    exporter.args(["--collector.disable-defaults", "--collector.textfile"]);
    exporter.arg(format!("--collector.textfile.directory={}", folder.display()));
    exporter.arg(format!("--web.listen-address={}", at.address));
    let mut exporter = exporter.stderr(Stdio::null()).spawn().unwrap();
    eventually(|| TcpStream::connect(at.address).is_ok());
    let said = at.ask("GET /metrics HTTP/1.0\r\nhost: exporter\r\n\r\n").body;
    exporter.kill().unwrap();
    exporter.wait().unwrap();
    for line in [
        "# TYPE antrea_cni_failed_calls_total counter",
        "# TYPE antrea_cni_call_duration_seconds histogram",
        "# TYPE antrea_cni_installed gauge",
        "antrea_cni_installed{plugin=\"antrea\"} 1",
        "node_textfile_scrape_error 0",
    ] {
        assert!(said.lines().any(|it| it == line), "{line}\n{said}");
    }
    assert_eq!(keeper.end(), Some(0));
}

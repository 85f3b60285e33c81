// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! What a keeper tells Prometheus: real calls of the plugin, counted by a real keeper, judged by
//! promtool.

mod alerts;
mod dashboard;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use antrea_cni_test_support::skipped;
use nix::sys::signal::Signal;
use serde_json::json;

use crate::support::{Keeper, Node, call, eventually};

const RULES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/helm/rules.yaml");

/// A node whose calls are logged and counted.
struct Watched {
    node: Node,
    name: &'static str,
    /// ADDs that were made
    adds: u64,
    /// Values of each series, a scrape a minute
    series: BTreeMap<String, BTreeMap<usize, String>>,
    minute: usize,
    /// Whether its keeper lives
    is_kept: bool,
    /// When the keeper wrote last, by promtool's clock
    written: usize,
}

impl Watched {
    fn new(name: &'static str) -> Self {
        let node = Node::in_a_quiet_place();
        fs::create_dir(node.path("net.d")).unwrap();
        let list = r#"{"cniVersion":"1.0.0","name":"antrea","plugins":[{"type":"antrea"}]}"#;
        fs::write(node.path("net.d/10-antrea.conflist"), list).unwrap();
        Self { node, name, adds: 0, series: BTreeMap::new(), minute: 0, is_kept: true, written: 0 }
    }

    fn log(&self) -> PathBuf {
        self.node.path("log")
    }

    fn textfile(&self) -> PathBuf {
        self.node.path("antrea.prom")
    }

    fn keeper(&self) -> Keeper {
        let [log, textfile, net_d] = [self.log(), self.textfile(), self.node.path("net.d")];
        let log = format!("logFile={}", log.display());
        let [textfile, net_d] = [&textfile, &net_d].map(|it| it.to_str().unwrap());
        let every = ["--metrics", textfile, "--metrics-interval", "200ms", "--conf-dir", net_d];
        let more = [&["--set", &*log, "--set", "logMaxBytes=65536"][..], &every].concat();
        self.node.keeper("one", &more)
    }

    /// The container runtime makes ADDs.
    fn add(&mut self, adds: u64) {
        let configuration = json!({
            "cniVersion": "1.0.0", "name": "antrea", "type": "antrea",
            "antreaCni": {"socket": self.node.socket(), "waitForAgentSeconds": 0},
        });
        for _ in 0..adds {
            self.adds += 1;
            let container = format!("c{}", self.adds);
            call(&self.node.target(), "ADD", &container, &configuration.to_string());
        }
    }

    /// A minute passes: the keeper has counted all calls, and is scraped.
    fn scrape(&mut self) {
        let counts = || self.total("antrea_cni_call_duration_seconds_count", "ADD");
        eventually(|| self.textfile().exists() && counts() == self.adds);
        self.scrape_as_it_is();
    }

    /// A sample that Prometheus or node-exporter adds to this minute.
    fn note(&mut self, name: &str, value: &str) {
        let series = format!("{name}{{instance=\"{}\"}}", self.name);
        self.series.entry(series).or_default().insert(self.minute, value.to_owned());
    }

    /// A minute passes in which the target did not answer: Prometheus ends what it had of it.
    fn miss(&mut self) {
        self.note("up", "0");
        for values in self.series.values_mut() {
            let last = self.minute.checked_sub(1).and_then(|it| values.get(&it));
            if last.is_some_and(|it| it != "stale") {
                values.entry(self.minute).or_insert_with(|| "stale".to_owned());
            }
        }
        self.minute += 1;
    }

    fn scrape_as_it_is(&mut self) {
        self.note("up", "1");
        let text = fs::read_to_string(self.textfile()).unwrap();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let (name, value) = line.rsplit_once(' ').unwrap();
            let name = name.replacen('{', &format!("{{instance=\"{}\",", self.name), 1);
            let mut value = value.to_owned();
            if name.starts_with("antrea_cni_metrics_timestamp") {
                // promtool's clock starts at 0, and a minute passes with each scrape.
                if self.is_kept {
                    self.written = self.minute * 60;
                }
                value = self.written.to_string();
            }
            self.series.entry(name).or_default().insert(self.minute, value);
        }
        self.minute += 1;
    }

    /// The sum of a metric's samples for a command.
    fn total(&self, metric: &str, command: &str) -> u64 {
        let text = fs::read_to_string(self.textfile()).unwrap_or_default();
        let samples = text.lines().filter(|line| {
            line.starts_with(&format!("{metric}{{"))
                && line.contains(&format!("command=\"{command}\""))
        });
        samples.map(|line| line.rsplit_once(' ').unwrap().1.parse::<u64>().unwrap()).sum()
    }

    /// The series as promtool reads them.
    fn input(&self, out: &mut String) {
        for (name, values) in &self.series {
            let value = |minute| values.get(&minute).map_or("_", |value| value);
            let values: Vec<_> = (0..self.minute).map(value).collect();
            let name = name.replace('\'', "''");
            writeln!(out, "      - series: '{name}'\n        values: '{}'", values.join(" "))
                .unwrap();
        }
    }
}

/// What an expression yields at a minute, as promtool prints samples; empty if it yields none.
fn query(nodes: &[&Watched], expression: &str, minute: usize) -> String {
    let folder = tempfile::tempdir().unwrap();
    let mut test = format!(
        "rule_files: [{RULES}]\nevaluation_interval: 1m\ntests:\n  - interval: 1m\n    input_series:\n"
    );
    nodes.iter().for_each(|node| node.input(&mut test));
    // Nothing is expected, so promtool says what there is.
    write!(
        test,
        "    promql_expr_test:\n      - expr: '{expression}'\n        eval_time: {minute}m\n        exp_samples: []\n"
    )
    .unwrap();
    let path = folder.path().join("test.yaml");
    fs::write(&path, test).unwrap();
    let said = Command::new("promtool").args(["test", "rules"]).arg(&path).output().unwrap();
    let text = String::from_utf8_lossy(&said.stderr).replace('\\', "");
    assert!(said.status.success() || text.contains("got:"), "{expression}: {said:?}");
    text.split_once("got:").map(|(_, samples)| samples.to_owned()).unwrap_or_default()
}

fn has_promtool() -> bool {
    let is_there = Command::new("promtool").arg("--version").output().is_ok();
    if !is_there {
        skipped("the alerts need promtool, of Debian's prometheus");
    }
    is_there
}

#[test]
fn a_keeper_writes_metrics() {
    let mut watched = Watched::new("n1");
    let keeper = watched.keeper();
    watched.add(1);
    watched.scrape();
    let text = fs::read_to_string(watched.textfile()).unwrap();
    for line in [
        format!("antrea_cni_info{{plugin=\"antrea\",version=\"{}\",", env!("CARGO_PKG_VERSION")),
        "antrea_cni_installed{plugin=\"antrea\"} 1".to_owned(),
        "antrea_cni_rolled_back{plugin=\"antrea\"} 0".to_owned(),
        "antrea_cni_conflist_leads_to_plugin{plugin=\"antrea\"} 1".to_owned(),
        "antrea_cni_owed_dels{plugin=\"antrea\"} 0".to_owned(),
        "# TYPE antrea_cni_calls_total counter".to_owned(),
        "antrea_cni_calls_total{plugin=\"antrea\",command=\"ADD\",api=\"none\",code=\"11\"} 1"
            .to_owned(),
        "antrea_cni_failed_calls_total{plugin=\"antrea\",command=\"ADD\"} 1".to_owned(),
        "antrea_cni_failed_calls_total{plugin=\"antrea\",command=\"DEL\"} 0".to_owned(),
        "antrea_cni_call_duration_seconds_bucket{plugin=\"antrea\",command=\"ADD\",le=\"+Inf\"} 1"
            .to_owned(),
        "antrea_cni_last_call_timestamp_seconds{plugin=\"antrea\"} 1".to_owned(),
        "antrea_cni_metrics_timestamp_seconds{plugin=\"antrea\"} 1".to_owned(),
    ] {
        assert!(text.lines().any(|it| it.starts_with(&line)), "{line}\n{text}");
    }
    let other = r#"{"cniVersion":"1.0.0","name":"x","plugins":[{"type":"cilium-cni"}]}"#;
    fs::write(watched.node.path("net.d/05-cilium.conflist"), other).unwrap();
    let says = |line: &str| fs::read_to_string(watched.textfile()).unwrap().contains(line);
    eventually(|| says("antrea_cni_conflist_leads_to_plugin{plugin=\"antrea\"} 0"));
    if Command::new("promtool").arg("--version").output().is_ok() {
        let mut check = Command::new("promtool");
        check.args(["check", "metrics"]).stdin(fs::File::open(watched.textfile()).unwrap());
        let said = check.output().unwrap();
        assert!(said.status.success(), "{said:?}");
    }
    // What a keeper said that ended is not true any more.
    assert_eq!(keeper.end(), Some(0));
    assert!(!watched.textfile().exists());
    let keeper = watched.keeper();
    eventually(|| watched.textfile().exists());
    fs::remove_dir_all(watched.node.path("net.d")).unwrap();
    watched.node.run("uninstall").assert(0, "");
    eventually(|| !watched.textfile().exists());
    drop(keeper);
}

/// Who takes the plugin away takes away what was said of it, and nothing else.
#[test]
fn what_a_killed_keeper_wrote_goes_with_the_plugin() {
    for command in ["rollback", "uninstall"] {
        let watched = Watched::new("n1");
        watched.node.script("theirs");
        fs::copy(watched.node.path("theirs"), watched.node.target()).unwrap();
        let keeper = watched.keeper();
        eventually(|| watched.textfile().exists());
        keeper.signal(Signal::SIGKILL);
        drop(keeper);
        assert!(watched.textfile().exists());
        watched.node.run(command).assert(0, "antrea: ");
        assert!(!watched.textfile().exists(), "{command}");
    }
    let watched = Watched::new("n1");
    let keeper = watched.keeper();
    eventually(|| watched.textfile().exists());
    keeper.signal(Signal::SIGKILL);
    drop(keeper);
    fs::write(watched.textfile(), "precious\n").unwrap();
    fs::remove_dir_all(watched.node.path("net.d")).unwrap();
    watched.node.run("uninstall").assert(0, "uninstalled");
    assert_eq!(fs::read_to_string(watched.textfile()).unwrap(), "precious\n");
}

/// A keeper that runs says that the plugin was rolled back.
#[test]
fn a_rollback_leaves_the_metrics_to_a_keeper_that_runs() {
    let watched = Watched::new("n1");
    watched.node.script("theirs");
    fs::copy(watched.node.path("theirs"), watched.node.target()).unwrap();
    let _keeper = watched.keeper();
    eventually(|| watched.textfile().exists());
    watched.node.run("rollback").assert(0, "rolled back");
    let text = || fs::read_to_string(watched.textfile()).unwrap();
    eventually(|| text().contains("antrea_cni_rolled_back{plugin=\"antrea\"} 1"));
}

/// What another program wrote is not replaced, and not removed.
#[test]
fn a_file_that_is_there_is_not_taken_for_metrics() {
    let node = Node::new();
    let path = node.path("precious.txt");
    fs::write(&path, "precious\n").unwrap();
    node.install("one", &["--keep", "1s", "--metrics", path.to_str().unwrap()])
        .assert(2, "has no metrics: name another");
    assert_eq!(fs::read_to_string(path).unwrap(), "precious\n");
}

/// Rotation by the plugin, by renaming and by copying, and a keeper that is killed: no call is
/// lost or counted twice.
#[test]
#[ignore = "takes long; make test-release runs it"]
fn each_call_is_counted_once() {
    let mut watched = Watched::new("n1");
    let mut keeper = watched.keeper();
    for turn in 0..12 {
        watched.add(40);
        watched.scrape();
        assert_eq!(watched.total("antrea_cni_calls_total", "ADD"), watched.adds);
        // At most one rotation until the keeper looks again: two would take lines with them.
        match turn % 5 {
            0 => fs::rename(watched.log(), watched.node.path("log.1")).unwrap(),
            1 => {
                fs::copy(watched.log(), watched.node.path("log.1")).unwrap();
                fs::write(watched.log(), "").unwrap();
            }
            // What was counted under one path is not counted under another, nor again later.
            3 => {
                fs::copy(watched.log(), watched.node.path("sav")).unwrap();
                fs::write(watched.log(), "").unwrap();
            }
            2 => {
                keeper.signal(Signal::SIGKILL);
                drop(keeper);
                watched.add(10);
                keeper = watched.keeper();
            }
            _ => fs::remove_file(watched.log()).unwrap(),
        }
    }
    watched.add(1);
    watched.scrape();
    assert_eq!(watched.total("antrea_cni_calls_total", "ADD"), watched.adds);
    // The plugin rotated it, too: each line has some 400 bytes.
    assert!(fs::metadata(watched.log()).unwrap().len() <= 65_536);
    drop(keeper);
}

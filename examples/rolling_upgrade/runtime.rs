// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! A model of kubelet and containerd: sandboxes that are tried again, two DELs
//! for each, STATUS every second.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{scope, sleep};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};

use crate::Arguments;
use crate::node::Node;
use crate::timetable::Timetable;

/// Kubelet tries a sandbox again after some 10 s. Here it is one, so that a run
/// without waiting ends; Pod starts of columns that lose sandboxes look better
/// for it than they are.
const SANDBOX_RETRY: Duration = Duration::from_secs(1);

/// How long after the last agent came a Pod may go on trying. Beside a plugin that does
/// not recover it would try for ever.
const LAST_TRIES: Duration = Duration::from_secs(60);

/// How often something is printed where there is no terminal for a bar.
const NEWS: Duration = Duration::from_secs(10);

/// How long past its deadline a call may take to start and end as a process.
const SLACK: Duration = Duration::from_secs(5);

/// What happened.
#[derive(Default)]
pub(crate) struct Outcome {
    pub(crate) calls: Vec<Call>,
    /// How long each Pod took from its first sandbox to running
    pub(crate) starts: Vec<Duration>,
    pub(crate) adds_failed: usize,
    pub(crate) dels_failed: usize,
    pub(crate) never_gone: usize,
}

/// A call of the plugin and its answer.
pub(crate) struct Call {
    pub(crate) command: &'static str,
    pub(crate) started: Instant,
    pub(crate) elapsed: Duration,
    pub(crate) in_time: bool,
    /// Exit status 0 or 1 and one JSON document or nothing
    pub(crate) is_proper: bool,
    pub(crate) success: bool,
    pub(crate) document: Value,
}

/// Puts Pods through the timetable.
pub(crate) fn run(
    arguments: &Arguments,
    timetable: &Timetable,
    node: &Node,
    plugin: &Path,
) -> Outcome {
    let outcome = Mutex::new(Outcome::default());
    let (next, done) = (AtomicUsize::new(0), AtomicBool::new(false));
    let bar = ProgressBar::new(arguments.pods as u64).with_style(
        ProgressStyle::with_template("{elapsed_precise} {wide_bar} {pos}/{len} Pods, {msg}")
            .unwrap(),
    );
    let end = Instant::now() + timetable.duration() + LAST_TRIES;
    let adds = Mutex::default();
    let runtime = Runtime { arguments, node, plugin, outcome: &outcome, adds, end };
    let first = node.start(&timetable.agents[0]);
    scope(|all| {
        let workers: Vec<_> = (0..arguments.concurrency)
            .map(|_| {
                all.spawn(|| {
                    while let number = next.fetch_add(1, Ordering::SeqCst)
                        && number < arguments.pods
                    {
                        runtime.pod(number);
                        bar.inc(1);
                        // Pods come as long as agents are replaced.
                        let share =
                            timetable.duration() / u32::try_from(arguments.pods).unwrap_or(1);
                        sleep(share * u32::try_from(arguments.concurrency / 2).unwrap_or(1));
                    }
                })
            })
            .collect();
        if bar.is_hidden() {
            all.spawn(|| {
                let mut told = Instant::now();
                while !done.load(Ordering::SeqCst) {
                    sleep(Duration::from_millis(100));
                    if told.elapsed() > NEWS {
                        let (pods, message) = (bar.position(), bar.message());
                        eprintln!("{pods} of {} Pods, {message}", arguments.pods);
                        told = Instant::now();
                    }
                }
            });
        }
        let status = all.spawn(|| {
            while !done.load(Ordering::SeqCst) {
                runtime.call("STATUS", "1.1.0", "", "", &Value::Null);
                sleep(Duration::from_secs(1));
            }
        });
        let (mut agent, mut adds) = (first, BTreeSet::new());
        for (number, generation) in timetable.agents.iter().enumerate().skip(1) {
            let before = &timetable.agents[number - 1];
            sleep(before.up);
            runtime.wait_for_the_end(&adds);
            node.stop(agent, before.is_killed);
            sleep(before.down);
            adds = runtime.adds();
            agent = node.start(generation);
            bar.set_message(format!("agent {} of {}", number + 1, timetable.agents.len()));
        }
        workers.into_iter().for_each(|worker| worker.join().unwrap());
        node.stop(agent, true);
        // For good: STATUS may say ready no longer than an ADD would wait.
        if !node.is_peer {
            sleep(Duration::from_secs(arguments.wait + 3));
        }
        done.store(true, Ordering::SeqCst);
        status.join().unwrap();
    });
    bar.finish_and_clear();
    outcome.into_inner().unwrap()
}

impl Timetable {
    fn duration(&self) -> Duration {
        self.agents.iter().map(|generation| generation.up + generation.down).sum()
    }
}

struct Runtime<'a> {
    arguments: &'a Arguments,
    node: &'a Node,
    plugin: &'a Path,
    outcome: &'a Mutex<Outcome>,
    adds: Mutex<BTreeSet<String>>,
    end: Instant,
}

impl Runtime<'_> {
    /// Returns the containers whose ADD is in flight.
    fn adds(&self) -> BTreeSet<String> {
        self.adds.lock().unwrap().clone()
    }

    /// Waits until these ADDs have ended, for 30 seconds at most. On a busy machine an agent's time
    /// may be over before it answers, and an ADD is sent to three agents at most.
    fn wait_for_the_end(&self, adds: &BTreeSet<String>) {
        let end = Instant::now() + Duration::from_secs(30);
        while !self.adds().is_disjoint(adds) && Instant::now() < end {
            sleep(Duration::from_millis(10));
        }
    }

    /// The life of a Pod.
    fn pod(&self, number: usize) {
        let version = ["0.3.0", "0.4.0", "1.0.0", "1.1.0"][number % 4];
        let born = Instant::now();
        let netns = self.node.netns();
        for sandbox in 0.. {
            let container = format!("pod-{number}-{sandbox}");
            self.adds.lock().unwrap().insert(container.clone());
            let (success, result) = self.call("ADD", version, &container, &netns, &Value::Null);
            self.adds.lock().unwrap().remove(&container);
            if success {
                self.outcome.lock().unwrap().starts.push(born.elapsed());
                if version != "0.3.0" {
                    self.call("CHECK", version, &container, &netns, &result);
                }
                self.delete(version, &container, &netns);
                return;
            }
            self.outcome.lock().unwrap().adds_failed += 1;
            self.delete(version, &container, &netns);
            if Instant::now() > self.end {
                return;
            }
            sleep(SANDBOX_RETRY);
        }
    }

    /// containerd sends DEL twice; kubelet tries again for as long as it fails.
    fn delete(&self, version: &str, container: &str, netns: &str) {
        for _ in 0..60 {
            let mut all = true;
            for netns in [netns, ""] {
                let (success, _) = self.call("DEL", version, container, netns, &Value::Null);
                all &= success;
                self.outcome.lock().unwrap().dels_failed += usize::from(!success);
                if !success {
                    break;
                }
            }
            if all {
                return;
            }
            if Instant::now() > self.end {
                break;
            }
            sleep(SANDBOX_RETRY);
        }
        self.outcome.lock().unwrap().never_gone += 1;
    }

    /// Runs the plugin; gives whether it succeeded and the document.
    fn call(
        &self,
        command: &'static str,
        version: &str,
        container: &str,
        netns: &str,
        prev_result: &Value,
    ) -> (bool, Value) {
        let mut configuration = json!({
            "cniVersion": version, "name": "antrea", "type": "antrea", "ipam": {"type": "host-local"},
        });
        if !self.node.is_peer {
            configuration["antreaCni"] =
                json!({"socket": self.node.socket, "waitForAgentSeconds": self.arguments.wait});
        }
        if !prev_result.is_null() {
            configuration["prevResult"] = prev_result.clone();
        }
        let started = Instant::now();
        let mut child = Command::new(self.plugin)
            .env_clear()
            .envs([("CNI_COMMAND", command), ("CNI_CONTAINERID", container), ("CNI_NETNS", netns)])
            .envs([("CNI_IFNAME", "eth0"), ("CNI_PATH", "/opt/cni/bin")])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let _ = child.stdin.take().unwrap().write_all(configuration.to_string().as_bytes());
        let output = child.wait_with_output().unwrap();
        let document = serde_json::from_slice(&output.stdout);
        let deadline = match command {
            "ADD" => 90,
            "STATUS" => 1,
            _ => 45,
        };
        let elapsed = started.elapsed();
        let call = Call {
            command,
            started,
            elapsed,
            in_time: elapsed < Duration::from_secs(deadline) + SLACK,
            is_proper: matches!(output.status.code(), Some(0 | 1))
                && (output.stdout.is_empty() || document.is_ok()),
            success: output.status.success(),
            document: document.unwrap_or_default(),
        };
        let answer = (call.success, call.document.clone());
        self.outcome.lock().unwrap().calls.push(call);
        answer
    }
}

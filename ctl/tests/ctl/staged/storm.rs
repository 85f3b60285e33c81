// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Programs that are started while the Pods of agents restart.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::Staging;
use crate::support::{Node, cni};

/// 1,000 starts of the plugin and of portmap, as a container runtime makes them, while the Pod
/// of an agent is restarted at least 20 times. Every second time it is of another release.
#[test]
#[ignore = "takes long; make test-release runs it"]
fn each_start_of_a_program_finds_a_whole_one_while_agents_restart() {
    let staging = Bench::new();
    let (starts, restarts) = staging.measure(|release| {
        staging.0.start(release).assert(0, "");
    });
    eprintln!("staged, {restarts} restarts of an agent: {starts:?}");
    assert!(starts.values().all(|it| it.failed.is_empty()), "{starts:?}");

    let beside = Bench::new();
    beside.0.installer("bin", "net.d");
    let keeper = beside.0.node.keeper("one", &[]);
    let again = AtomicUsize::new(0);
    let (starts, restarts) = beside.measure(|_| {
        // `install` ends with "File exists" if the keeper was faster. A kubelet starts it again.
        loop {
            let ran = beside.0.installer_that_may_fail("bin", "net.d");
            if ran.status.success() {
                break;
            }
            assert!(String::from_utf8_lossy(&ran.stderr).contains("File exists"), "{ran:?}");
            again.fetch_add(1, Ordering::Relaxed);
        }
    });
    let again = again.into_inner();
    eprintln!("beside, {restarts} restarts, {again} installers failed: {starts:?}");
    assert_eq!(keeper.end(), Some(0));
}

struct Bench(Staging);

impl Bench {
    const STARTS: usize = 1000;

    fn new() -> Self {
        let bench = Self(Staging::of(Node::new()));
        let staging = &bench.0;
        // Programs as large as those of Antrea.
        let mut plugin = fs::read(crate::support::plugin()).unwrap();
        plugin.resize(plugin.len().max(10 << 20), 0);
        for name in ["one", "two", "image/antrea", "image/portmap"] {
            fs::write(staging.path(name), [&plugin, name.as_bytes()].concat()).unwrap();
        }
        staging.start("one").assert(0, "");
        bench
    }

    /// Starts programs while `restart` runs again and again, at least 20 times. Returns what the
    /// starts of each program came to, and the number of restarts.
    fn measure(&self, restart: impl Fn(&str)) -> (BTreeMap<&'static str, Starts>, usize) {
        let (made, ended) = ([AtomicUsize::new(0), AtomicUsize::new(0)], AtomicBool::new(false));
        std::thread::scope(|scope| {
            let starter = |program, made| {
                let ended = &ended;
                let path = self.0.path(&format!("bin/{program}"));
                scope.spawn(move || (program, Starts::make(&path, made, ended)))
            };
            let starters = [starter("antrea", &made[0]), starter("portmap", &made[1])];
            let mut restarts = 0;
            let is_enough = || made.iter().all(|it| it.load(Ordering::Relaxed) >= Self::STARTS);
            let worked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                while !is_enough() || restarts < 20 {
                    restarts += 1;
                    if restarts % 2 == 0 {
                        let portmap = self.0.path("image/portmap");
                        let mut program = fs::read(&portmap).unwrap();
                        program.push(b'.');
                        fs::write(portmap, program).unwrap();
                    }
                    restart(if restarts % 4 < 2 { "one" } else { "two" });
                }
            }));
            ended.store(true, Ordering::Relaxed);
            let starts = starters.map(|it| it.join().unwrap()).into();
            if let Err(panic) = worked {
                std::panic::resume_unwind(panic);
            }
            (starts, restarts)
        })
    }
}

/// What starts of a program came to.
#[derive(Debug, Default)]
struct Starts {
    made: usize,
    /// How many failed, by their errors
    failed: BTreeMap<String, usize>,
}

impl Starts {
    /// One each 2 ms, as one that fails takes less time than one that does not.
    const PACE: Duration = Duration::from_millis(2);

    fn make(program: &Path, made: &AtomicUsize, ended: &AtomicBool) -> Self {
        let mut starts = Self::default();
        let mut due = Instant::now();
        while !ended.load(Ordering::Relaxed) {
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
            due += Self::PACE;
            if let Some(why) = start(program) {
                *starts.failed.entry(why).or_default() += 1;
            }
            starts.made = made.fetch_add(1, Ordering::Relaxed) + 1;
        }
        starts
    }
}

/// Starts a program. Returns why that failed.
fn start(program: &Path) -> Option<String> {
    match cni(program, "VERSION", "").stdin(Stdio::null()).output() {
        Ok(answer) if answer.status.success() => None,
        Ok(answer) => Some(answer.status.to_string()),
        Err(error) => Some(error.kind().to_string()),
    }
}

// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! What a keeper with an endpoint costs its node while nothing happens.

use std::env;
use std::thread;
use std::time::{Duration, Instant};

use antrea_cni_agent::{Agent, Api, Options};
use antrea_cni_test_support::skipped;

use super::{Served, processor_seconds, status_of};
use crate::support::eventually;

/// Time in which the processor is measured.
const MEASURED: Duration = Duration::from_secs(60);

/// Most memory that a keeper has, in kB.
const MAX_MEMORY: u64 = 6 << 10;

/// Most part of a core that a keeper takes when it is idle.
const MAX_IDLE: f64 = 0.0005;

#[test]
#[ignore = "takes long; make test-release runs it"]
fn an_idle_keeper_is_within_its_budget() {
    if env::var_os("ANTREA_CNICTL").is_none() {
        skipped("the keeper's budget is that of the shipped program: make test-release");
        return;
    }
    let served = Served::new();
    let _agent = Agent::start(Options::new(served.node.socket(), &[Api::V1])).unwrap();
    let keeper = served.keeper(&[]);
    served.add("c1");
    eventually(|| {
        served.get("/metrics").body.contains("command=\"ADD\",api=\"v1\",code=\"0\"} 1\n")
    });
    let idle = part_of_a_core(|| processor_seconds(&keeper), Duration::MAX, || ());
    let memory = status_of(&keeper, "VmRSS");
    // As often as Prometheus and kubelet ask where nobody changed that.
    let asked = part_of_a_core(
        || processor_seconds(&keeper),
        Duration::from_secs(10),
        || {
            assert_eq!(served.get("/metrics").status, 200);
            assert_eq!(served.get("/livez").status, 200);
            assert_eq!(served.get("/readyz").status, 200);
        },
    );
    eprintln!(
        "VmRSS {memory} kB, VmHWM {} kB; of a core {:.3} % idle, {:.3} % with /metrics, /livez and /readyz \
         every 10 s",
        status_of(&keeper, "VmHWM"),
        idle * 100.0,
        asked * 100.0,
    );
    assert!(memory <= MAX_MEMORY && idle <= MAX_IDLE);
    assert_eq!(keeper.end(), Some(0));
}

/// Does something every so often, and returns how much of a core a process took meanwhile.
fn part_of_a_core(taken: impl Fn() -> f64, every: Duration, what: impl Fn()) -> f64 {
    let (started, before) = (Instant::now(), taken());
    while let Some(left) = MEASURED.checked_sub(started.elapsed()) {
        what();
        thread::sleep(left.min(every));
    }
    (taken() - before) / started.elapsed().as_secs_f64()
}

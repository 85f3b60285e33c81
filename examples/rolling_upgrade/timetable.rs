// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! When which agent is there: all of it follows from the seed.

use std::time::Duration;

use antrea_cni_agent::{ALL_CNI_VERSIONS, Api, Options, servable};
use fastrand::Rng;
use serde_json::json;

/// The agents in their order. The last one stays until all Pods are gone.
pub(crate) struct Timetable {
    pub(crate) agents: Vec<Generation>,
}

/// One agent's life, and what comes after it.
#[derive(Clone)]
pub(crate) struct Generation {
    api: Api,
    /// The newest version of the CNI specification that it accepts
    newest: usize,
    /// How long a command takes before and after its effect
    delays: [u64; 2],
    pub(crate) up: Duration,
    /// SIGKILL instead of SIGTERM: what it was doing is cut off, and its
    /// socket file stays behind
    pub(crate) is_killed: bool,
    /// How long nobody serves afterwards
    pub(crate) down: Duration,
}

impl Timetable {
    pub(crate) fn new(seed: u64, agents: usize) -> Self {
        let mut random = Rng::with_seed(seed);
        let agents = (0..agents).map(|number| Generation::new(&mut random, number)).collect();
        Self { agents }
    }
}

impl Generation {
    fn new(random: &mut Rng, number: usize) -> Self {
        // A seed means the same agents also when there is an API that is newer than v1.
        let newer = |api: &Api| *api != Api::V1;
        let apis: Vec<_> = servable().into_iter().skip_while(newer).collect();
        let api = apis[random.usize(0..apis.len())];
        // What releases with this API accept: 0.4.0, 1.0.0 or 1.1.0 at most.
        let newest = if api == Api::V1BETA1 {
            random.usize(4..=6)
        } else if api == Api::VMWARE || api == Api::OLDEST {
            4
        } else {
            6
        };
        let long = number % 40 == 20;
        Self {
            api,
            newest,
            delays: [random.u64(0..30), random.u64(0..30)],
            up: Duration::from_millis(random.u64(150..900)),
            is_killed: random.u8(0..4) > 0,
            down: Duration::from_millis(if long {
                10_000
            } else {
                random.u64(0..2000) * random.u64(0..=1)
            }),
        }
    }

    pub(crate) fn options(&self) -> Options {
        let [before, after] = self.delays;
        let script = json!({"*": {"delayMs": before, "delayAfterMs": after}});
        Options {
            apis: vec![self.api],
            cni_versions: ALL_CNI_VERSIONS[..=self.newest]
                .iter()
                .map(ToString::to_string)
                .collect(),
            script: serde_json::from_value(script).unwrap(),
            ..Options::default()
        }
    }
}

// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! An ADD whose agent dies: undone and done again, or left alone.

#[cfg(unix)]
mod linux;

use std::path::PathBuf;

use antrea_cni_agent::{Api, Options};
use serde_json::{Value, json};

use crate::agent_process::AgentProcess;
use antrea_cni_test_support::{TestNode, eventually};

/// Agents one after another, on one socket and with one state.
struct Node {
    place: TestNode,
}

impl Node {
    fn new() -> Self {
        Self { place: TestNode::new() }
    }

    fn journal(&self) -> PathBuf {
        self.place.path("journal")
    }

    fn agent(&self, api: Api, script: Value) -> AgentProcess {
        let options = Options {
            state: Some(self.place.path("state")),
            script: serde_json::from_value(script).unwrap(),
            ..Options::new(self.place.socket(), &[api])
        };
        AgentProcess::start(&options, &self.journal())
    }

    /// The commands that agents were asked for and have, in their order.
    fn asked(&self, agent: &AgentProcess) -> Vec<String> {
        let served = agent.events("call").into_iter().filter(|call| call["served"] == true);
        served
            .map(|call| call["path"].as_str().unwrap().rsplit('/').next().unwrap().to_owned())
            .collect()
    }
}

/// Starts an ADD on `first`, kills the agent as soon as `reached` says, and
/// gives the node to continue with.
fn killed(script: Value, event: &str) -> (Node, antrea_cni_test_support::Running, AgentProcess) {
    let node = Node::new();
    let mut first = node.agent(Api::V1BETA1, script);
    let running = node.place.call_with("ADD", "1.0.0", json!({"waitForAgentSeconds": 20})).spawn();
    let served = |entry: &Value| event == "effect" || entry["served"] == true;
    eventually("the ADD got there", || first.events(event).iter().any(served));
    first.kill();
    (node, running, first)
}

#[test]
fn an_add_cut_off_before_its_effect_is_done_by_the_next_agent() {
    let (node, running, _) = killed(json!({"ADD": {"delayMs": 60_000}}), "call");
    let second = node.agent(Api::OLDEST, json!({}));
    let answer = running.wait();
    assert_eq!(answer.exit(), 0, "{answer:?}");
    assert_eq!(node.asked(&second), ["CmdAdd", "CmdDel", "CmdAdd"]);
    assert_eq!(second.events("effect").len(), 1);
}

#[test]
fn an_add_cut_off_after_its_effect_is_undone_first() {
    let (node, running, _) = killed(json!({"ADD": {"delayAfterMs": 60_000}}), "effect");
    let second = node.agent(Api::V1, json!({}));
    let answer = running.wait();
    assert_eq!(answer.exit(), 0, "{answer:?}");
    let effects: Vec<_> =
        second.events("effect").into_iter().map(|e| e["command"].clone()).collect();
    assert_eq!(effects, ["ADD", "DEL", "ADD"]);
}

#[test]
fn a_del_that_is_cut_off_too_is_sent_again() {
    let (node, running, _) = killed(json!({"ADD": {"delayMs": 60_000}}), "call");
    let second = node.agent(Api::V1BETA1, json!({"DEL": {"close": "before", "times": 1}}));
    assert_eq!(running.wait().exit(), 0);
    assert_eq!(node.asked(&second), ["CmdAdd", "CmdDel", "CmdDel", "CmdAdd"]);
}

#[test]
fn without_a_next_agent_the_cut_is_the_error() {
    let node = Node::new();
    let mut first = node.agent(Api::V1BETA1, json!({"ADD": {"delayMs": 60_000}}));
    let running = node.place.call_with("ADD", "1.0.0", json!({"waitForAgentSeconds": 1})).spawn();
    eventually("the ADD got there", || node.asked(&first).len() == 1);
    first.kill();
    let answer = running.wait();
    assert_eq!(answer.code(), 11, "{answer:?}");
    assert!(answer.text().contains("went away during the call"), "{answer:?}");
}

#[test]
fn what_the_next_agent_says_to_the_add_is_the_answer() {
    let (node, running, _) = killed(json!({"ADD": {"delayMs": 60_000}}), "call");
    let _second =
        node.agent(Api::V1BETA1, json!({"ADD": {"error": {"code": 101, "message": "full"}}}));
    assert_eq!(running.wait().code(), 101);
}

#[test]
fn the_next_agents_grpc_status_is_the_answer() {
    let (node, running, _) = killed(json!({"ADD": {"delayMs": 60_000}}), "call");
    let status = json!({"ADD": {"status": {"code": 13, "message": "its own"}}});
    let _second = node.agent(Api::V1BETA1, status);
    let answer = running.wait();
    assert_eq!(answer.code(), 201);
    assert!(answer.text().contains("its own"), "{answer:?}");
}

#[test]
fn an_add_is_sent_three_times_at_most() {
    let (node, running, _) = killed(json!({"ADD": {"delayMs": 60_000}}), "call");
    for sent in 2..=3 {
        let mut next = node.agent(Api::V1BETA1, json!({"ADD": {"delayMs": 60_000}}));
        eventually("the ADD got there", || {
            node.asked(&next).iter().filter(|method| *method == "CmdAdd").count() == sent
        });
        next.kill();
    }
    let last = node.agent(Api::V1BETA1, json!({}));
    let answer = running.wait();
    assert_eq!(answer.code(), 11, "{answer:?}");
    assert_eq!(node.asked(&last).iter().filter(|method| *method == "CmdAdd").count(), 3);
}

/// A connection that is cut proves nothing about the process.
#[test]
fn an_agent_that_lives_is_not_asked_twice() {
    let node = Node::new();
    // A leader that ended while a child serves, and one whose first thread ended, are
    // told apart from this in the unit tests of the peer.
    let agent = node.agent(Api::V1BETA1, json!({"ADD": {"close": "after"}}));
    let answer = node.place.call_with("ADD", "1.0.0", json!({"waitForAgentSeconds": 5})).run();
    assert_eq!(answer.code(), 11, "{answer:?}");
    assert_eq!(node.asked(&agent), ["CmdAdd"]);
}

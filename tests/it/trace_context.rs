// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! The trace context on its way from the environment to the agent.

use antrea_cni::input::TraceContext;
use antrea_cni_agent::Api;

use antrea_cni_test_support::TestNode;

const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

#[test]
fn a_valid_context_reaches_the_agent_as_metadata_of_every_call() {
    let place = TestNode::new();
    let agent = place.agent(&[Api::V1BETA1]);
    for command in ["ADD", "DEL"] {
        let call = place
            .call(command, "0.4.0")
            .env("TRACEPARENT", PARENT)
            .env("TRACESTATE", "congo=t61rcWkgMzE")
            .env("BAGGAGE", "userId=alice");
        assert_eq!(call.run().exit(), 0);
    }
    let calls: Vec<_> = agent.served();
    assert_eq!(calls.len(), 2);
    for call in calls {
        assert_eq!(call.metadata["traceparent"], PARENT);
        assert_eq!(call.metadata["tracestate"], "congo=t61rcWkgMzE");
        assert_eq!(call.metadata["baggage"], "userId=alice");
    }
}

#[test]
fn what_cannot_be_a_header_is_ignored_in_silence() {
    let place = TestNode::new();
    let agent = place.agent(&[Api::V1]);
    let call = place
        .call("ADD", "1.1.0")
        .env("TRACEPARENT", format!("{PARENT}\n"))
        .env("TRACESTATE", "congo=t61rcWkgMzE")
        .env("BAGGAGE", "a=1\r\ninjected: yes");
    let answer = call.run();
    assert_eq!((answer.exit(), &*answer.stderr), (0, ""));
    let names = ["traceparent", "tracestate", "baggage", "injected"];
    let metadata = &agent.served()[0].metadata;
    assert!(names.iter().all(|name| !metadata.contains_key(*name)), "{metadata:?}");
}

#[test]
fn the_longest_valid_context_fails_no_pod() {
    let state: Vec<_> = (0..17).map(|n| format!("k{n}={}", "v".repeat(250))).collect();
    let (state, baggage) = (&state.join(",")[..4090], format!("k={}", "v".repeat(8190)));
    let future = format!("cc-{}-{}", &PARENT[3..], "x".repeat(100_000));
    for (parent, state, baggage, kept) in [
        (PARENT, state, &*baggage, &["traceparent", "tracestate"][..]),
        (PARENT, "a=1", &baggage[..5000], &["traceparent", "tracestate", "baggage"]),
        (PARENT, state, "a=1", &["traceparent", "tracestate", "baggage"]),
        (&future, state, "a=1", &["baggage"]),
    ] {
        let place = TestNode::new();
        let agent = place.agent(&[Api::V1BETA1]);
        let call = place.call("ADD", "0.3.0").env("TRACEPARENT", parent);
        let call = call.env("TRACESTATE", state).env("BAGGAGE", baggage);
        assert_eq!(call.run().exit(), 0);
        let metadata = &agent.served()[0].metadata;
        let names = ["traceparent", "tracestate", "baggage"];
        let passed: Vec<_> = names.into_iter().filter(|it| metadata.contains_key(*it)).collect();
        assert_eq!(passed, kept);
        let bytes: usize = passed.iter().map(|name| name.len() + metadata[*name].len() + 32).sum();
        assert!(bytes <= 6 << 10, "{bytes}");
    }
}

fn read(variables: &[(&str, &str)]) -> Vec<(&'static str, String)> {
    let environment = |name: &str| {
        variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).into())
    };
    let context = TraceContext::from_environment(&environment);
    context.headers().map(|(name, value)| (name, value.to_owned())).collect()
}

#[test]
fn visible_ascii_is_kept_byte_for_byte() {
    let state = " congo=t61rcWkgMzE,, 0rojo@v=00f067aa0ba902b7 x";
    let baggage = "userId=alice;ttl = 5;secret , k=%20v=w,e=";
    let kept = read(&[("TRACEPARENT", PARENT), ("TRACESTATE", state), ("BAGGAGE", baggage)]);
    assert_eq!(
        kept,
        [("traceparent", PARENT), ("tracestate", state), ("baggage", baggage)]
            .map(|(name, value)| (name, value.to_owned()))
    );
}

#[test]
fn a_parent_that_cannot_be_a_header_is_dropped_and_the_state_with_it() {
    for bad in ["", "\t", "é", &format!("{PARENT}-{}", "x".repeat(512))] {
        let kept = read(&[("TRACEPARENT", bad), ("TRACESTATE", "a=1"), ("BAGGAGE", "a=1")]);
        assert_eq!(kept, [("baggage", "a=1".to_owned())], "{bad:?}");
    }
}

#[test]
fn a_state_or_baggage_that_cannot_be_a_header_is_dropped_alone() {
    for bad in ["", "a=é", "a=1\n", "a=1\r\nx: y"] {
        let kept = read(&[("TRACEPARENT", PARENT), ("TRACESTATE", bad), ("BAGGAGE", bad)]);
        assert_eq!(kept, [("traceparent", PARENT.to_owned())], "{bad:?}");
    }
}

#[test]
fn the_id_of_the_trace_is_the_parents_second_part() {
    let id = |parent: &str| {
        let environment = |name: &str| (name == "TRACEPARENT").then(|| parent.into());
        TraceContext::from_environment(&environment).trace_id().map(str::to_owned)
    };
    assert_eq!(id(PARENT).as_deref(), Some("4bf92f3577b34da6a3ce929d0e0e4736"));
    for other in ["x", "00-4bf9-00f067aa0ba902b7-01", &PARENT.replace("4bf9", "zzzz")] {
        assert_eq!(id(other), None, "{other}");
    }
}

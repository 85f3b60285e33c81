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
fn a_malformed_context_is_ignored_in_silence() {
    let place = TestNode::new();
    let agent = place.agent(&[Api::V1]);
    let call = place
        .call("ADD", "1.1.0")
        .env("TRACEPARENT", &PARENT[1..])
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
fn what_is_valid_is_kept_byte_for_byte() {
    let state = " congo=t61rcWkgMzE,, 0rojo@v=00f067aa0ba902b7 x";
    let baggage = "userId=alice;ttl = 5;secret , k=%20v=w,e=";
    let kept = read(&[("TRACEPARENT", PARENT), ("TRACESTATE", state), ("BAGGAGE", baggage)]);
    assert_eq!(
        kept,
        [("traceparent", PARENT), ("tracestate", state), ("baggage", baggage)]
            .map(|(name, value)| (name, value.to_owned()))
    );
    for later in ["cc", "fe"] {
        let parent = PARENT.replacen("00", later, 1);
        for parent in [parent.clone(), format!("{parent}-what.the-future-brings")] {
            assert_eq!(read(&[("TRACEPARENT", &parent)]), [("traceparent", parent)]);
        }
    }
}

#[test]
fn a_malformed_parent_is_dropped_and_the_state_with_it() {
    for bad in [
        "",
        &PARENT.to_uppercase(),
        &PARENT.replacen("00", "ff", 1),
        &PARENT.replacen("00", "0", 1),
        &format!("{PARENT}-"),
        &format!("{PARENT} "),
        &format!("{}x", PARENT.replacen("00", "cc", 1)),
        &format!("{}-\u{e9}", PARENT.replacen("00", "cc", 1)),
        &PARENT.replace("4bf92f3577b34da6a3ce929d0e0e4736", &"0".repeat(32)),
        &PARENT.replace("00f067aa0ba902b7", &"0".repeat(16)),
        &PARENT.replace("-01", "-0g"),
        &PARENT.replace('-', "_"),
        &"é".repeat(28),
    ] {
        let kept = read(&[("TRACEPARENT", bad), ("TRACESTATE", "a=1"), ("BAGGAGE", "a=1")]);
        assert_eq!(kept, [("baggage", "a=1".to_owned())], "{bad:?}");
    }
}

#[test]
fn a_malformed_state_is_dropped_alone() {
    let many = (0..33).map(|n| format!("k{n}=1")).collect::<Vec<_>>().join(",");
    for bad in [
        "",
        ",",
        "a",
        "a=",
        "=1",
        "A=1",
        "a=1,a=2",
        "a=1=2",
        "a b=1",
        "a=é",
        "a=1\n",
        &format!("{}=1", "k".repeat(257)),
        &format!("k={}", "v".repeat(257)),
        &many,
    ] {
        let kept = read(&[("TRACEPARENT", PARENT), ("TRACESTATE", bad)]);
        assert_eq!(kept, [("traceparent", PARENT.to_owned())], "{bad:?}");
    }
}

#[test]
fn malformed_baggage_is_dropped() {
    let many = (0..181).map(|n| format!("k{n}=1")).collect::<Vec<_>>().join(",");
    for bad in
        ["", "a", "=1", "a=1,", "a=b c", "a=\"1\"", "a=é", "a(=1", "a=1;", "a=1\r\nx: y", &many]
    {
        assert_eq!(read(&[("BAGGAGE", bad)]), [], "{bad:?}");
    }
    assert_eq!(read(&[("BAGGAGE", &format!("k={}", "v".repeat(8191)))]), []);
    let long = format!("{}-{}", PARENT.replacen("00", "cc", 1), "x".repeat(512));
    assert_eq!(read(&[("TRACEPARENT", &long)]), []);
}

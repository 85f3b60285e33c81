//! The trace context on its way from the environment to the agent.

use antrea_cni_agent::Api;

use crate::support::Place;

const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

#[test]
fn a_valid_context_reaches_the_agent_as_metadata_of_every_call() {
    let place = Place::new();
    let agent = place.agent(&[Api::V1beta1]);
    for command in ["ADD", "DEL"] {
        let call = place
            .call(command, "0.4.0")
            .env("TRACEPARENT", PARENT)
            .env("TRACESTATE", "congo=t61rcWkgMzE")
            .env("BAGGAGE", "userId=alice");
        assert_eq!(call.run().exit(), 0);
    }
    let calls: Vec<_> = agent.calls().into_iter().filter(|call| call.served).collect();
    assert_eq!(calls.len(), 2);
    for call in calls {
        assert_eq!(call.metadata["traceparent"], PARENT);
        assert_eq!(call.metadata["tracestate"], "congo=t61rcWkgMzE");
        assert_eq!(call.metadata["baggage"], "userId=alice");
    }
}

#[test]
fn a_malformed_context_is_ignored_in_silence() {
    let place = Place::new();
    let agent = place.agent(&[Api::V1]);
    let call = place
        .call("ADD", "1.1.0")
        .env("TRACEPARENT", &PARENT[1..])
        .env("TRACESTATE", "congo=t61rcWkgMzE")
        .env("BAGGAGE", "a=1\r\ninjected: yes");
    let answer = call.run();
    assert_eq!((answer.exit(), &*answer.stderr), (0, ""));
    let names = ["traceparent", "tracestate", "baggage", "injected"];
    let metadata = &agent.calls()[0].metadata;
    assert!(names.iter().all(|name| !metadata.contains_key(*name)), "{metadata:?}");
}

#[test]
fn the_longest_valid_context_fails_no_pod() {
    let place = Place::new();
    let agent = place.agent(&[Api::V1beta1]);
    let state: Vec<_> = (0..17).map(|n| format!("k{n}={}", "v".repeat(250))).collect();
    let call = place
        .call("ADD", "0.3.0")
        .env("TRACEPARENT", PARENT)
        .env("TRACESTATE", &state.join(",")[..4090])
        .env("BAGGAGE", format!("k={}", "v".repeat(8190)));
    assert_eq!(call.run().exit(), 0);
    let calls = agent.calls();
    let metadata = &calls.last().unwrap().metadata;
    assert_eq!(metadata["baggage"].len(), 8192);
    assert!(metadata["tracestate"].len() > 4000);
}

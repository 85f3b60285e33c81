// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! What real runtimes sent, sent again to every generation of agent.

use antrea_cni_agent::{Api, servable};
use serde_json::{Value, json};

use antrea_cni_test_support::{Call, TestNode, with_settings};

const CAPTURES: [(&str, &str); 7] = [
    (
        "containerd, ADD fails",
        include_str!("../fixtures/captures/containerd-1.6.20-cri-add-fails.json"),
    ),
    (
        "containerd, capabilities",
        include_str!("../fixtures/captures/containerd-1.6.20-cri-capabilities.json"),
    ),
    ("containerd", include_str!("../fixtures/captures/containerd-1.6.20-cri.json")),
    ("ctr", include_str!("../fixtures/captures/containerd-1.6.20-ctr-run-cni.json")),
    ("libcni 1.1", include_str!("../fixtures/captures/libcni-1.1.2-all-verbs.json")),
    ("libcni 1.3", include_str!("../fixtures/captures/libcni-1.3.0-all-verbs.json")),
    ("podman", include_str!("../fixtures/captures/podman-4.3.1-run-rm.json")),
];

#[test]
fn captured_calls_reach_every_generation_byte_for_byte() {
    let mut calls = 0;
    for (name, capture) in CAPTURES {
        let capture: Value = serde_json::from_str(capture).unwrap();
        for api in servable() {
            calls += replay(name, &capture, api);
        }
    }
    assert!(calls >= 80, "{calls} calls");
}

/// Replays the calls that the runtime made to the main plugin of the list.
fn replay(name: &str, capture: &Value, api: Api) -> usize {
    let place = TestNode::new();
    let agent = place.agent(&[api]);
    let mut calls = 0;
    for captured in capture["calls_in_order"].as_array().unwrap() {
        let ours = ["bridge", "fail"].map(Value::from).contains(&captured["plugin"]);
        if !ours || captured["caller"] == "bridge" {
            continue;
        }
        calls += 1;
        let settings = json!({"socket": place.socket()});
        let stdin = with_settings(captured["stdin_raw"].as_str().unwrap().as_bytes(), &settings);
        let mut call = Call::new("", stdin.clone());
        call.env.clear();
        for (name, value) in captured["env"].as_object().unwrap() {
            call = call.env(name, value.as_str().unwrap());
        }
        let before = agent.calls().len();
        let answer = call.run();

        let variable =
            |name: &str| captured["env"].get(name).and_then(Value::as_str).unwrap_or_default();
        let what = format!("{name}, {}, {answer:?}", variable("CNI_COMMAND"));
        match variable("CNI_COMMAND") {
            "VERSION" => {
                assert_eq!(answer.document().unwrap()["cniVersion"], "1.1.0", "{what}");
                assert_eq!(agent.calls().len(), before, "{what}");
                continue;
            }
            "ADD" => assert!(answer.exit() == 0 && answer.document().is_some(), "{what}"),
            // The captured prevResult is not this agent's, or absent: it says so itself.
            "CHECK" => assert!([2, 101, 103].contains(&answer.code()), "{what}"),
            _ => answer.assert_silent_success(),
        }
        let Some(received) = agent.calls().into_iter().rfind(|call| call.served) else {
            // GC and STATUS have no RPC in the older APIs.
            assert!(api != Api::V1, "{what}");
            continue;
        };
        if ["GC", "STATUS"].contains(&variable("CNI_COMMAND")) {
            if api == Api::V1 {
                assert_eq!(received.network_configuration, stdin, "{what}");
            }
            continue;
        }
        assert_eq!(received.network_configuration, stdin, "{what}");
        assert_eq!(received.container_id, variable("CNI_CONTAINERID"), "{what}");
        assert_eq!(received.netns, variable("CNI_NETNS"), "{what}");
        assert_eq!(received.ifname, variable("CNI_IFNAME"), "{what}");
        assert_eq!(received.args, variable("CNI_ARGS"), "{what}");
        assert_eq!(received.cni_path, variable("CNI_PATH"), "{what}");
    }
    calls
}

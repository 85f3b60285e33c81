// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! What the runtime gets back.

#[cfg(unix)]
mod linux;

use antrea_cni_agent::{Agent, Api, Options};
use serde_json::json;

use antrea_cni_test_support::TestNode;

#[test]
fn the_agents_result_is_passed_on_byte_for_byte() {
    for result in [
        "{}",
        " {\n \"cniVersion\" : \"1.0.0\" }\n",
        r#"{"b":1e400,"a":"\ud800","b":[9007199254740993]}"#,
    ] {
        let place = TestNode::new();
        let _agent = place.scripted(&[Api::V1BETA1], json!({"ADD": {"reply": result}}));
        let answer = place.call("ADD", "1.0.0").run();
        assert_eq!(String::from_utf8_lossy(&answer.stdout), result);
        assert_eq!(answer.exit(), 0);
    }
}

#[test]
fn a_result_that_is_not_one_object_is_an_error() {
    for result in ["", "null", "[]", "{} {}", "junk", "{\"a\":}"] {
        let place = TestNode::new();
        let _agent = place.scripted(&[Api::V1BETA1], json!({"ADD": {"reply": result}}));
        let answer = place.call("ADD", "1.0.0").run();
        assert_eq!(answer.code(), 6, "{result:?}");
        assert!(answer.text().contains("result of antrea-agent"), "{answer:?}");
    }
}

#[test]
fn only_add_prints_a_result() {
    for command in ["CHECK", "DEL", "GC", "STATUS"] {
        let place = TestNode::new();
        let script = json!({"*": {"rawB64": "CgJ7fQ=="}});
        let _agent = place.scripted(&[Api::V1], script);
        place.call(command, "1.1.0").run().assert_silent_success();
    }
}

/// The version that nobody set is refused by every real agent.
#[test]
fn a_refused_absent_version_comes_with_a_hint() {
    for (stdin_version, hinted) in [("", true), ("0.4.0", false)] {
        let place = TestNode::new();
        let _agent = Agent::start(Options {
            cni_versions: vec!["0.3.1".to_owned()],
            ..Options::new(place.socket(), &[Api::OLDEST])
        })
        .unwrap();
        let answer = place.call("ADD", stdin_version).run();
        assert_eq!(answer.code(), 1);
        assert!(answer.text().contains("Unsupported CNI version ["), "{answer:?}");
        assert_eq!(answer.text().contains("set cniVersion"), hinted, "{answer:?}");
    }
}

#[test]
fn the_agents_own_words_on_del_are_passed_on() {
    for script in [
        json!({"*": {"error": {"code": 3, "message": "container not found"}}}),
        json!({"*": {"status": {"code": 5, "message": "container not found"}}}),
    ] {
        let place = TestNode::new();
        let _agent = place.scripted(&[Api::V1BETA1], script);
        let answer = place.call("DEL", "1.0.0").run();
        assert!([3, 201].contains(&answer.code()));
        assert!(answer.text().contains("container not found"), "{answer:?}");
    }
}

#[test]
fn an_error_says_where_it_asked_and_how_often() {
    let place = TestNode::new();
    let answer = place.call("ADD", "1.0.0").run();
    assert_eq!(answer.code(), 11);
    let socket = place.socket();
    assert!(answer.text().contains(socket.to_str().unwrap()), "{answer:?}");
    assert!(answer.text().contains("not sent"), "{answer:?}");
}

#[test]
fn proxy_variables_are_ignored() {
    let place = TestNode::new();
    let _agent = place.agent(&[Api::V1]);
    let mut call = place.call("ADD", "1.0.0");
    for name in
        ["http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "grpc_proxy"]
    {
        call = call.env(name, "http://127.0.0.1:1");
    }
    assert_eq!(call.run().exit(), 0);
}

#[test]
fn an_error_document_is_short_and_a_result_whole() {
    let place = TestNode::new();
    let long = "not found \u{1} ".repeat(20_000);
    let said = json!({"DEL": {"error": {"code": 3, "message": long, "details": long}}});
    let _agent = place.scripted(&[Api::V1], said);
    let answer = place.call("DEL", "1.0.0").run();
    assert_eq!(answer.code(), 3);
    assert!(answer.stdout.len() <= 16 << 10, "{}", answer.stdout.len());
    assert!(answer.text().contains("[cut]"));

    let place = TestNode::new();
    let result = format!(r#"{{"x":"{}"}}"#, "y".repeat(1 << 20));
    let _agent = place.scripted(&[Api::V1], json!({"ADD": {"reply": result}}));
    assert_eq!(place.call("ADD", "1.0.0").run().stdout, result.as_bytes());
}

#[test]
fn details_count_calls_and_connections() {
    let place = TestNode::new();
    let _agent = place.agent(&[]);
    let calls = Api::ALL.len();
    let text = place.call("ADD", "1.0.0").run().text();
    assert!(text.contains(&format!("{calls} calls on 1 connection,")), "{text}");
    let text = place.call("DEL", "1.0.0").run().text();
    assert!(text.contains(&format!("{calls} calls on 1 connection,")), "{text}");
    let absent = TestNode::new().call("ADD", "1.0.0").run().text();
    assert!(absent.contains("not sent"), "{absent}");
}

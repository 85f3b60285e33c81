// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Which API answers.

use antrea_cni_agent::{Action, Agent, Api, Options, path, servable};
use serde_json::json;

use antrea_cni_test_support::{TestNode, walk_to};

/// The paths that an agent saw, in order.
fn paths(agent: &Agent) -> Vec<String> {
    agent.calls().into_iter().map(|call| call.path).collect()
}

#[test]
fn each_generation_is_found_from_the_newest_api_down() {
    for api in servable() {
        for action in [Action::Add, Action::Check, Action::Del] {
            let place = TestNode::new();
            let agent = place.scripted(&[api], json!({"CHECK": {"error": {"code": 103}}}));
            let answer = place.call(action.name(), "0.4.0").run();
            match action {
                Action::Add => assert_eq!(answer.exit(), 0, "{answer:?}"),
                Action::Check => assert_eq!(answer.code(), 103),
                _ => answer.assert_silent_success(),
            }
            assert_eq!(paths(&agent), walk_to(&api, action));
        }
    }
}

#[test]
fn an_api_without_one_method_is_left_for_that_method_alone() {
    let place = TestNode::new();
    let agent = Agent::start(Options {
        without: vec!["v1.CmdAdd".to_owned()],
        ..Options::new(place.socket(), &[Api::V1, Api::V1BETA1])
    })
    .unwrap();
    assert_eq!(place.call("ADD", "1.0.0").run().exit(), 0);
    place.call("DEL", "1.0.0").run().assert_silent_success();
    let expected = [walk_to(&Api::V1BETA1, Action::Add), walk_to(&Api::V1, Action::Del)].concat();
    assert_eq!(paths(&agent), expected);
}

#[test]
fn gc_and_status_pass_over_apis_that_lack_them() {
    for action in [Action::Gc, Action::Status] {
        for apis in [&[Api::V1][..], &[Api::V1BETA1], &[]] {
            let place = TestNode::new();
            let agent = place.agent(apis);
            let answer = place.call(action.name(), "1.1.0").run();
            let has_v1 = apis == [Api::V1];
            match (action, apis) {
                (Action::Status, []) => assert_eq!(answer.code(), 50),
                _ => answer.assert_silent_success(),
            }
            let adds: Vec<_> = Api::ALL.iter().map(|api| path(api, Action::Add)).collect();
            let commands = agent.calls().into_iter().map(|call| call.path);
            let commands: Vec<_> = commands.filter(|path| !adds.contains(path)).collect();
            assert_eq!(commands, walk_to(&Api::V1, action));
            assert!(agent.served().len() == usize::from(has_v1) && agent.effects().is_empty());
        }
    }
}

#[test]
fn gc_and_status_send_no_container() {
    let place = TestNode::new();
    let agent = place.agent(&[Api::V1]);
    for command in ["GC", "STATUS"] {
        place.call(command, "1.1.0").run().assert_silent_success();
        let call = agent.served().pop().unwrap();
        assert_eq!((&*call.container_id, &*call.netns, &*call.ifname), ("", "", ""));
        assert_eq!((&*call.cni_path, call.args.is_empty()), ("/opt/cni/bin", false));
    }
}

#[test]
fn an_agent_without_any_api_is_told_with_every_version_tried() {
    for command in ["ADD", "CHECK", "DEL"] {
        let place = TestNode::new();
        let agent = place.agent(&[]);
        let answer = place.call(command, "0.4.0").run();
        assert_eq!(answer.code(), 202);
        for api in Api::ALL {
            let said = format!("{} answered Unimplemented: unknown service", api.package);
            assert!(answer.text().contains(&said), "{answer:?}");
        }
        assert_eq!(agent.calls().len(), Api::ALL.len());
    }
}

#[test]
fn nothing_but_unimplemented_steps_down() {
    for code in (1..=16).filter(|code| *code != 12) {
        let place = TestNode::new();
        let newest = format!("{}.CmdAdd", servable()[0].name);
        let script = json!({newest: {"status": {"code": code, "message": "because"}}});
        let agent = place.scripted(&servable(), script);
        let answer = place.call("ADD", "1.0.0").run();
        assert_eq!(answer.code(), if matches!(code, 4 | 14) { 11 } else { 201 }, "{answer:?}");
        assert!(answer.text().contains("because"), "{answer:?}");
        assert_eq!(agent.served().len(), 1, "status {code}");
    }
}

#[test]
fn in_band_errors_end_the_walk_and_keep_their_code() {
    for code in [2, 3, 7, 8, 50, 51, 101, 102, 103, 202, 999, 4242, i32::MAX] {
        let place = TestNode::new();
        let error = json!({"code": code, "message": "in band", "details": "more"});
        let agent = place.scripted(&servable(), json!({"*": {"error": error}}));
        for command in ["DEL", "GC"] {
            let answer = place.call(command, "1.1.0").run();
            assert_eq!(answer.code(), u64::try_from(code).unwrap());
            assert_eq!(answer.text(), "in band; more");
        }
        assert_eq!(agent.served().len(), 2);
    }
}

#[test]
fn an_error_without_a_code_is_still_a_failure() {
    for code in [0, -1, i32::MIN] {
        let place = TestNode::new();
        let _agent = place.scripted(&[Api::V1BETA1], json!({"*": {"error": {"code": code}}}));
        assert_eq!(place.call("DEL", "1.0.0").run().code(), 999);
    }
}

#[test]
fn the_deadline_is_sent_to_the_agent() {
    let place = TestNode::new();
    let agent = place.agent(&[Api::V1]);
    for (command, seconds) in [("ADD", 120), ("DEL", 20), ("GC", 25), ("STATUS", 1)] {
        place.call(command, "1.1.0").run();
        let timeout = agent.served().pop().unwrap().timeout.unwrap();
        let (number, unit) = timeout.split_at(timeout.len() - 1);
        let number: f64 = number.parse().unwrap();
        let sent = match unit {
            "n" => number / 1e9,
            "u" => number / 1e6,
            "m" => number / 1e3,
            _ => number,
        };
        assert!(sent <= f64::from(seconds) && sent > f64::from(seconds) / 2.0, "{timeout}");
    }
}

#[test]
fn the_library_asks_as_the_plugin_does() {
    let place = TestNode::new();
    let agent = place.agent(&[Api::V1BETA1]);
    let args = antrea_cni::CmdArgs {
        container_id: "c0ffee".to_owned(),
        netns: place.netns().to_str().unwrap().to_owned(),
        ifname: "eth0".to_owned(),
        path: "/opt/cni/bin".to_owned(),
        stdin_data: place.configuration("1.0.0", json!({})).into_bytes(),
        ..Default::default()
    };
    let result = Action::Add.request(&args).unwrap();
    let result: serde_json::Value = serde_json::from_slice(&result).unwrap();
    assert_eq!(result["cniVersion"], "1.0.0");
    assert_eq!(agent.effects().len(), 1);
}

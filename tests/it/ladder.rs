//! Which API answers.

use antrea_cni_agent::{Agent, Api, Method, Options};
use serde_json::json;

use crate::support::Place;

/// The paths that an agent saw, in order.
fn paths(agent: &Agent) -> Vec<String> {
    agent.calls().into_iter().map(|call| call.path).collect()
}

fn expected(apis: &[Api], method: Method) -> Vec<String> {
    apis.iter().map(|api| api.path(method)).collect()
}

#[test]
fn each_generation_is_found_from_the_newest_api_down() {
    for (served, api) in Api::ALL.into_iter().enumerate() {
        for (command, method) in
            [("ADD", Method::CmdAdd), ("CHECK", Method::CmdCheck), ("DEL", Method::CmdDel)]
        {
            let place = Place::new();
            let agent = place.scripted(&[api], json!({"CHECK": {"error": {"code": 103}}}));
            let answer = place.call(command, "0.4.0").run();
            match command {
                "ADD" => assert_eq!(answer.exit(), 0, "{answer:?}"),
                "CHECK" => assert_eq!(answer.code(), 103),
                _ => answer.assert_silent_success(),
            }
            assert_eq!(paths(&agent), expected(&Api::ALL[..=served], method));
        }
    }
}

#[test]
fn an_api_without_one_method_is_left_for_that_method_alone() {
    let place = Place::new();
    let agent = Agent::start(Options {
        without: vec!["v1.CmdAdd".to_owned()],
        ..Options::new(place.socket(), &[Api::V1, Api::V1beta1])
    })
    .unwrap();
    assert_eq!(place.call("ADD", "1.0.0").run().exit(), 0);
    place.call("DEL", "1.0.0").run().assert_silent_success();
    assert_eq!(
        paths(&agent),
        [
            Api::V1.path(Method::CmdAdd),
            Api::V1beta1.path(Method::CmdAdd),
            Api::V1.path(Method::CmdDel)
        ]
    );
}

#[test]
fn gc_and_status_pass_over_apis_that_lack_them() {
    for (command, method) in [("GC", Method::CmdGC), ("STATUS", Method::CmdStatus)] {
        for apis in [&[Api::V1][..], &[Api::V1beta1], &[]] {
            let place = Place::new();
            let agent = place.agent(apis);
            place.call(command, "1.1.0").run().assert_silent_success();
            assert_eq!(paths(&agent), [Api::V1.path(method)]);
        }
    }
}

#[test]
fn gc_and_status_send_no_container() {
    let place = Place::new();
    let agent = place.agent(&[Api::V1]);
    for command in ["GC", "STATUS"] {
        place.call(command, "1.1.0").run().assert_silent_success();
        let call = agent.calls().pop().unwrap();
        assert_eq!((&*call.container_id, &*call.netns, &*call.ifname), ("", "", ""));
        assert_eq!((&*call.cni_path, call.args.is_empty()), ("/opt/cni/bin", false));
    }
}

#[test]
fn an_agent_without_any_api_is_told_with_every_version_tried() {
    for command in ["ADD", "CHECK", "DEL"] {
        let place = Place::new();
        let agent = place.agent(&[]);
        let answer = place.call(command, "0.4.0").run();
        assert_eq!(answer.code(), 202);
        for api in Api::ALL {
            let said = format!("{} answered Unimplemented: unknown service", api.package());
            assert!(answer.text().contains(&said), "{answer:?}");
        }
        assert_eq!(agent.calls().len(), 4);
    }
}

#[test]
fn nothing_but_unimplemented_steps_down() {
    for code in (1..=16).filter(|code| *code != 12) {
        let place = Place::new();
        let script = json!({"v1.CmdAdd": {"status": {"code": code, "message": "because"}}});
        let agent = place.scripted(&Api::ALL, script);
        let answer = place.call("ADD", "1.0.0").run();
        assert_eq!(answer.code(), if matches!(code, 4 | 14) { 11 } else { 201 }, "{answer:?}");
        assert!(answer.text().contains("because"), "{answer:?}");
        assert_eq!(agent.calls().len(), 1, "status {code}");
    }
}

#[test]
fn in_band_errors_end_the_walk_and_keep_their_code() {
    for code in [2, 3, 7, 8, 11, 50, 51, 101, 102, 103, 202, 999, 4242, i32::MAX] {
        let place = Place::new();
        let error = json!({"code": code, "message": "in band", "details": "more"});
        let agent = place.scripted(&Api::ALL, json!({"*": {"error": error}}));
        let answer = place.call("DEL", "1.0.0").run();
        assert_eq!(answer.code(), u64::try_from(code).unwrap());
        assert_eq!(answer.text(), "in band; more");
        assert_eq!(agent.calls().len(), 1);
    }
}

#[test]
fn an_error_without_a_code_is_still_a_failure() {
    for code in [0, -1, i32::MIN] {
        let place = Place::new();
        let _agent = place.scripted(&[Api::V1beta1], json!({"*": {"error": {"code": code}}}));
        assert_eq!(place.call("DEL", "1.0.0").run().code(), 999);
    }
}

#[test]
fn the_deadline_is_sent_to_the_agent() {
    let place = Place::new();
    let agent = place.agent(&[Api::V1]);
    for (command, seconds) in [("ADD", 90), ("DEL", 45), ("GC", 25), ("STATUS", 1)] {
        place.call(command, "1.1.0").run();
        let timeout = agent.calls().pop().unwrap().timeout.unwrap();
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

// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! The reference agent behaves as real ones do.

use antrea_cni_agent::{Action, Agent, Api, Options};
use serde_json::{Value, json};

use antrea_cni_test_support::{TestNode, eventually, walk_to};

#[test]
fn a_caller_that_goes_away_is_not_noticed() {
    let place = TestNode::new();
    let agent = place.scripted(&[Api::V1], json!({"ADD": {"delayMs": 300}}));
    let mut running = place.call("ADD", "1.0.0").spawn();
    eventually("the ADD came in", || agent.served().len() == 1);
    running.child.kill().unwrap();
    running.wait();
    eventually("the ADD is done all the same", || agent.containers() == ["c0ffee"]);
}

#[test]
fn calls_for_one_container_are_done_one_after_the_other() {
    let place = TestNode::new();
    let agent = place.scripted(&[Api::V1], json!({"ADD": {"delayMs": 100}}));
    let calls = [(); 4].map(|()| place.call("ADD", "1.0.0").spawn());
    let answers = calls.map(|call| call.wait());
    assert_eq!(answers.iter().filter(|answer| answer.exit() == 0).count(), 1);
    assert!(answers.iter().filter(|answer| answer.exit() == 1).all(|answer| answer.code() == 102));
    assert_eq!(agent.effects().len(), 1);
}

#[test]
fn the_journal_has_a_line_for_each_call_and_effect() {
    let place = TestNode::new();
    let options = Options::new(place.socket(), &[Api::V1BETA1]);
    let agent = Agent::start(Options { journal: Some(place.path("journal")), ..options }).unwrap();
    assert_eq!(place.call("ADD", "1.0.0").run().exit(), 0);
    drop(agent);
    let journal = std::fs::read_to_string(place.path("journal")).unwrap();
    let lines: Vec<Value> =
        journal.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let events: Vec<_> = lines.iter().map(|line| line["event"].as_str().unwrap()).collect();
    let [refused @ .., "call", "effect"] = &*events else { panic!("{events:?}") };
    assert_eq!(refused.len(), walk_to(&Api::V1BETA1, Action::Add).len() - 1);
    let call = &lines[refused.len()];
    assert_eq!((&lines[0]["served"], &call["served"]), (&json!(false), &json!(true)));
    assert_eq!(call["ifname"], "eth0");
    assert!(call["network_configuration"].as_str().unwrap().starts_with('{'));
}

#[cfg(unix)]
#[test]
fn another_plugin_wires_what_names_none() {
    let place = TestNode::new();
    let (program, said) = (place.path("wire"), place.path("said"));
    let result = r#"{"cniVersion":"1.1.0","ips":[{"address":"10.1.2.3/24"}]}"#;
    let script = format!(
        "#!/bin/sh\necho $CNI_COMMAND $CNI_CONTAINERID $(cat) >>{}\n[ $CNI_COMMAND != ADD ] || echo '{result}'\n",
        said.display()
    );
    antrea_cni_test_support::write_script(&program, &script);
    let _agent = Agent::start(Options {
        delegate: program.parent().map(Into::into),
        delegate_conf: Some(json!({"type": "wire", "mtu": 1400})),
        ..Options::new(place.socket(), &[Api::V1])
    });
    let added = place.call("ADD", "1.1.0").run();
    assert_eq!(added.document().unwrap()["ips"][0]["address"], "10.1.2.3/24");
    // What the configuration does not list is deleted in the same way.
    let none = place.configuration("1.1.0", json!({}));
    let none = none.replacen('{', r#"{"cni.dev/valid-attachments":[],"#, 1);
    antrea_cni_test_support::Call::new("GC", none).run().assert_silent_success();
    let said = std::fs::read_to_string(said).unwrap();
    let lines: Vec<_> = said.lines().collect();
    let [add, del] = &*lines else { panic!("{said}") };
    assert!(add.starts_with("ADD c0ffee {") && add.contains(r#""mtu":1400"#), "{add}");
    assert!(del.starts_with("DEL c0ffee {"), "{del}");
}

#[test]
fn gc_removes_what_the_configuration_does_not_list() {
    let place = TestNode::new();
    let agent = place.agent(&[Api::V1]);
    for container in ["a", "b", "c"] {
        assert_eq!(place.call("ADD", "1.1.0").env("CNI_CONTAINERID", container).run().exit(), 0);
    }
    let configuration = place.configuration("1.1.0", json!({}));
    let valid = r#"{"cni.dev/valid-attachments":[{"containerID":"b","ifname":"eth0"}],"#;
    let stdin = configuration.replacen('{', valid, 1);
    antrea_cni_test_support::Call::new("GC", stdin).run().assert_silent_success();
    assert_eq!(agent.containers(), ["b"]);
}

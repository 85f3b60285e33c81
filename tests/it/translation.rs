// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! An agent that accepts only a lower cniVersion than the configuration's.

use antrea_cni_agent::{ALL_CNI_VERSIONS, Action, Agent, Api, Options};
use serde_json::{Value, json};

use antrea_cni_test_support::{Answer, Call, TestNode, walk_to};

struct Case {
    place: TestNode,
    agent: Agent,
}

impl Case {
    fn new(newest: &str, options: Options) -> Self {
        let place = TestNode::new();
        let end =
            ALL_CNI_VERSIONS.iter().position(|version| *version == newest).map_or(0, |at| at + 1);
        let cni_versions = ALL_CNI_VERSIONS[..end].iter().map(ToString::to_string).collect();
        let options = Options { socket: place.socket(), cni_versions, ..options };
        Self { agent: Agent::start(options).unwrap(), place }
    }

    /// An agent of v1.1.0 and later that accepts up to `newest`.
    fn accepts(newest: &str) -> Self {
        Self::new(newest, Options::new("", &[Api::V1BETA1]))
    }

    fn call(&self, command: &str, version: &str, prev_result: Option<Value>) -> Answer {
        let mut configuration: Value = serde_json::from_str(
            &self.place.configuration(version, json!({"waitForAgentSeconds": 0})),
        )
        .unwrap();
        if let Some(prev_result) = prev_result {
            configuration["prevResult"] = prev_result;
        }
        Call::new(command, configuration.to_string()).run()
    }

    /// The versions that reached the agent's v1beta1 handler, in order.
    fn sent(&self) -> Vec<String> {
        let served = self.agent.served().into_iter();
        served
            .map(|call| {
                let configuration: Value =
                    serde_json::from_slice(&call.network_configuration).unwrap();
                configuration["cniVersion"].as_str().unwrap_or("absent").to_owned()
            })
            .collect()
    }
}

#[test]
fn an_accepted_version_is_sent_once_and_as_it_came() {
    let case = Case::accepts("1.1.0");
    for version in &ALL_CNI_VERSIONS[2..] {
        let id = format!("c-{version}");
        let call = case.place.call("ADD", version).env("CNI_CONTAINERID", id);
        assert_eq!(call.run().document().unwrap()["cniVersion"], **version);
    }
    assert_eq!(case.sent(), &ALL_CNI_VERSIONS[2..]);
}

#[test]
fn a_result_comes_back_in_the_version_of_the_configuration() {
    for (newest, version, sent) in [
        ("1.0.0", "1.1.0", &["1.1.0", "1.0.0"][..]),
        ("0.4.0", "1.1.0", &["1.1.0", "1.0.0", "0.4.0"]),
        ("0.4.0", "1.0.0", &["1.0.0", "0.4.0"]),
    ] {
        let case = Case::accepts(newest);
        let result = case.call("ADD", version, None).document().unwrap();
        assert_eq!(result["cniVersion"], version);
        assert_eq!(
            result["ips"],
            json!([{"interface": 1, "address": "10.10.0.2/24", "gateway": "10.10.0.1"}])
        );
        assert_eq!(result["interfaces"][1]["sandbox"], "/var/run/netns/x");
        case.call("CHECK", version, Some(result.clone())).assert_silent_success();
        case.call("DEL", version, Some(result)).assert_silent_success();
        assert_eq!(case.sent(), [sent, sent, sent].concat());
        assert!(case.agent.containers().is_empty());
    }
}

#[test]
fn lower_and_absent_versions_are_not_translated() {
    let case = Case::accepts("");
    for version in ["", "0.1.0", "0.3.0", "0.4.0"] {
        assert_eq!(case.call("ADD", version, None).code(), 1);
    }
    assert_eq!(case.sent(), ["", "0.1.0", "0.3.0", "0.4.0"]);
}

#[test]
fn when_all_are_refused_the_first_refusal_is_told() {
    let case = Case::accepts("0.3.1");
    let answer = case.call("ADD", "1.1.0", None);
    assert_eq!(answer.code(), 1);
    assert_eq!(
        answer.text(),
        "Unsupported CNI version [1.1.0], supported versions [0.1.0 0.2.0 0.3.0 0.3.1]; also refused: 1.0.0, 0.4.0"
    );
    assert_eq!(answer.document().unwrap()["cniVersion"], "1.1.0");
    assert_eq!(case.sent(), ["1.1.0", "1.0.0", "0.4.0"]);
}

#[test]
fn another_error_of_a_lower_version_is_passed_on() {
    let case = Case::accepts("0.4.0");
    let first = case.call("ADD", "1.1.0", None);
    assert_eq!(first.exit(), 0);
    let second = case.call("ADD", "1.1.0", None);
    assert_eq!(second.code(), 102);
    assert!(
        second.text().contains("; sent as CNI 0.4.0, because the agent refuses 1.1.0"),
        "{second:?}"
    );
}

#[test]
fn no_other_code_and_no_other_command_starts_a_translation() {
    for code in [2, 6, 7, 50] {
        let script = serde_json::from_value(json!({"*": {"error": {"code": code}}})).unwrap();
        let case = Case::new("0.4.0", Options { script, ..Options::new("", &[Api::V1BETA1]) });
        assert_eq!(case.call("ADD", "1.1.0", None).code(), code);
        assert_eq!(case.sent().len(), 1);
    }
    let case = Case::new("0.4.0", Options::new("", &[Api::V1]));
    // They exist in no lower version: nothing to collect, and ready, since an ADD is
    // translated.
    for command in ["GC", "STATUS"] {
        case.call(command, "1.1.0", None).assert_silent_success();
    }
    assert_eq!(case.sent(), ["1.1.0", "1.1.0"]);
}

#[test]
fn a_broken_prev_result_is_null_on_del_and_not_translated_on_check() {
    let case = Case::accepts("0.4.0");
    let answer = case.call("CHECK", "1.1.0", Some(json!("broken")));
    // A real agent fails to decode that; this one refuses the version first.
    assert_eq!(answer.code(), 1);
    assert!(answer.text().contains("not sent in a lower cniVersion"), "{answer:?}");
    assert_eq!(case.sent(), ["1.1.0"]);
    case.call("DEL", "1.1.0", Some(json!({"cniVersion": "0.2.0"}))).assert_silent_success();
    assert_eq!(case.sent(), ["1.1.0", "1.1.0", "1.0.0", "0.4.0"]);
    let last = case.agent.served().pop().unwrap().network_configuration;
    assert_eq!(serde_json::from_slice::<Value>(&last).unwrap()["prevResult"], Value::Null);
}

#[test]
fn an_echoed_prev_result_is_given_back_byte_for_byte() {
    let prev_result = r#"{ "cniVersion": "1.1.0",
        "interfaces": [ {"name": "veth0", "mac": "02:00:00:00:00:01", "mtu": 1450},
                        {"name":"eth0","sandbox":"/var/run/netns/x","pciID":"0000:00:1f.6"} ],
        "ips": [ {"interface": 1, "address": "10.9.0.2/24", "gateway": "10.9.0.1"}, {"interface": 1, "address": "fd00:0::2/64"} ],
        "routes": [ {"dst": "0.0.0.0/0", "mtu": 1400} ], "dns": {"nameservers": ["10.0.0.10"]}, "unknown": 1.50 }"#;
    for newest in ["1.0.0", "0.4.0"] {
        let case =
            Case::new(newest, Options { chaining: true, ..Options::new("", &[Api::V1BETA1]) });
        let configuration = case.place.configuration("1.1.0", json!({}));
        let stdin = configuration.replacen('{', &format!("{{\"prevResult\":{prev_result},"), 1);
        let answer = Call::new("ADD", stdin).run();
        assert_eq!(String::from_utf8_lossy(&answer.stdout), prev_result);
    }
}

#[test]
fn an_add_that_is_cut_off_at_a_lower_version_is_not_sent_again() {
    let case = Case::new(
        "0.4.0",
        Options {
            // Calls are refused before the script's end would close them.
            script: serde_json::from_value(json!({"ADD": {"close": "after"}})).unwrap(),
            ..Options::new("", &[Api::V1BETA1])
        },
    );
    assert_eq!(case.call("ADD", "1.1.0", None).code(), 11);
    assert_eq!(case.sent(), ["1.1.0", "1.0.0", "0.4.0"]);
}

#[test]
fn newer_apis_are_not_asked_again_for_each_version() {
    let case = Case::new("0.4.0", Options::new("", &[Api::VMWARE]));
    assert_eq!(case.call("ADD", "1.0.0", None).exit(), 0);
    let walk: Vec<_> = case.agent.calls().into_iter().map(|call| call.path).collect();
    let mut expected = walk_to(&Api::VMWARE, Action::Add);
    expected.extend(expected.last().cloned());
    assert_eq!(walk, expected);
}

#[test]
fn an_unusable_result_names_both_versions() {
    let script = json!({"ADD": {"reply": r#"{"cniVersion":"0.2.0"}"#}});
    let case = Case::new(
        "0.4.0",
        Options {
            script: serde_json::from_value(script).unwrap(),
            ..Options::new("", &[Api::V1BETA1])
        },
    );
    let answer = case.call("ADD", "1.1.0", None);
    assert_eq!(answer.code(), 6);
    for version in ["0.2.0", "0.4.0", "1.1.0"] {
        assert!(answer.text().contains(version), "{answer:?}");
    }
}

/// A configuration of a chained plugin, its result as the agent echoes it.
fn chained(case: &Case, version: &str, prev_result: &str) -> Answer {
    let configuration = case.place.configuration(version, json!({}));
    let stdin = configuration.replacen('{', &format!("{{\"prevResult\":{prev_result},"), 1);
    Call::new("ADD", stdin).run()
}

#[test]
fn what_cannot_be_compared_is_no_error_after_the_effect() {
    for prev_result in [
        r#"{"cniVersion":"1.1.0","interfaces":[{"name":"e","mac":null,"sandbox":null}],"ips":[]}"#,
        r#"{"cniVersion":"1.1.0","interfaces":[{"name":"e","name":"f"}],"ips":[]}"#,
        r#"{"cniVersion":"1.1.0","interfaces":[null,{"name":"e"}],"ips":[]}"#,
        r#"{"cniVersion":"1.1.0","interfaces":[{"name":"\ud800"}],"ips":[]}"#,
        r#"{"cniVersion":"","interfaces":[{"name":"e"}],"ips":[]}"#,
        r#"{"cniVersion":"1.1.0","interfaces":[{"name":"e"}],"ips":null,"routes":5,"dns":[]}"#,
        r#"{"interfaces":[{"name":"e"}],"IPs":[{"address":"10.0.0.2/24"}]}"#,
    ] {
        for newest in ["1.1.0", "1.0.0", "0.4.0"] {
            let options = Options { chaining: true, ..Options::new("", &[Api::V1BETA1]) };
            let case = Case::new(newest, options);
            let answer = chained(&case, "1.1.0", prev_result);
            assert_eq!(answer.exit(), 0, "{prev_result} {newest}: {answer:?}");
            let document = answer.document().unwrap();
            let label = document["cniVersion"].as_str();
            assert!(matches!(label, None | Some("" | "1.1.0")), "{document}");
        }
    }
}

#[test]
fn an_echo_has_the_label_of_the_list() {
    let of = |label: &str| {
        let label =
            if label.is_empty() { String::new() } else { format!(r#""cniVersion":"{label}","#) };
        format!(
            r#"{{{label}"interfaces":[{{"name":"e","mtu":1450}}],"ips":[{{"version":"4","address":"10.0.0.2/24"}}]}}"#
        )
    };
    for newest in ["1.1.0", "0.4.0"] {
        for version in ["1.1.0", "1.0.0", "0.4.0", "0.3.1", "0.3.0"] {
            for label in ["1.1.0", "1.0.0", "0.4.0", "0.3.1", ""] {
                let options = Options { chaining: true, ..Options::new("", &[Api::V1BETA1]) };
                let case = Case::new(newest, options);
                let prev_result = of(label);
                let answer = chained(&case, version, &prev_result);
                assert_eq!(answer.exit(), 0, "{answer:?}");
                let document = answer.document().unwrap();
                // The agent's own bytes, or those that came in.
                if label == version || label.is_empty() {
                    assert_eq!(document["ips"][0]["address"], "10.0.0.2/24");
                    continue;
                }
                assert_eq!(document["cniVersion"], version);
                let family = &document["ips"][0]["version"];
                assert_eq!(family.is_string(), version.starts_with("0."), "{document}");
                // Nothing that the list's version knows is lost.
                let mtu = &document["interfaces"][0]["mtu"];
                assert_eq!(mtu.is_number(), version.starts_with("1."), "{document}");
            }
        }
    }
}

/// An empty `dns`, and what a plugin of the list or a future release adds, is nobody's to drop.
#[test]
fn a_result_that_is_right_already_stays_byte_for_byte() {
    for (version, result) in [
        (
            "1.0.0",
            r#"{ "cniVersion":"1.0.0", "dns": { }, "ips":[ {"address":"10.0.0.2/24"} ], "x":1 }"#,
        ),
        (
            "1.1.0",
            r#"{ "ips":[], "cniVersion" : "1.1.0", "interfaces":[ {"name":"e","mtu":9} ],"dns":{}}"#,
        ),
        (
            "0.4.0",
            r#"{ "cniVersion":"0.4.0", "ips":[{"address":"fd00::2/64" , "version":"6"}], "dns":{} }"#,
        ),
        ("0.3.0", r#"{"cniVersion":"0.3.0","interfaces":[{"name" : "e"}],"dns":{}}"#),
        // It says what came in, and more that no comparison knows of.
        ("1.1.0", r#"{ "cniVersion":"1.1.0", "ips":[], "x":1 }"#),
    ] {
        let place = TestNode::new();
        let _agent = place.scripted(&[Api::V1BETA1], json!({"ADD": {"reply": result}}));
        let configuration = place.configuration(version, json!({}));
        let chained = format!(r#"{{"prevResult":{{"cniVersion":"{version}","dns":{{}}}},"#);
        let stdin = configuration.replacen('{', &chained, 1);
        let answer = Call::new("ADD", stdin).env("CNI_NETNS", place.netns()).run();
        assert_eq!(String::from_utf8(answer.stdout).unwrap(), result);
    }
}

#[test]
fn without_a_prev_result_the_agents_bytes_stay() {
    let result = r#"{ "cniVersion":"0.4.0", "ips":[{"address":"10.0.0.2/24"}] }"#;
    let place = TestNode::new();
    let _agent = place.scripted(&[Api::V1BETA1], json!({"ADD": {"reply": result}}));
    assert_eq!(place.call("ADD", "0.3.0").run().stdout, result.as_bytes());
}

#[test]
fn a_version_without_a_lower_one_is_asked_once() {
    let case = Case::accepts("0.3.1");
    let answer = case.call("ADD", "0.4.0", None);
    assert_eq!(answer.code(), 1);
    assert!(!answer.text().contains("also refused"), "{answer:?}");
    assert_eq!(case.sent(), ["0.4.0"]);
}

#[test]
fn only_what_says_the_same_is_an_echo() {
    let came = json!({"cniVersion": "1.0.0", "ips": [{"address": "FD00:0::1/64"}]});
    let same = r#"{"cniVersion":"0.4.0","ips":[{"version":"6","address":"fd00::1/64"}],"dns":{}}"#;
    let other = r#"{"cniVersion":"0.4.0","ips":[{"version":"6","address":"fd00::2/64"}]}"#;
    for (reply, address) in [(same, "FD00:0::1/64"), (other, "fd00::2/64")] {
        let script = serde_json::from_value(json!({"ADD": {"reply": reply}})).unwrap();
        let options = Options { script, ..Options::new("", &[Api::V1BETA1]) };
        let case = Case::new("0.4.0", options);
        let answer = case.call("ADD", "1.0.0", Some(came.clone()));
        let result = answer.document().unwrap();
        assert_eq!(result["cniVersion"], "1.0.0", "{answer:?}");
        assert_eq!(result["ips"][0]["address"], address, "{answer:?}");
    }
}

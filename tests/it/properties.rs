// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Whatever comes in.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::sync::LazyLock;

use antrea_cni::{Output, run};
use antrea_cni_agent::{Agent, Api};
use proptest::prelude::*;
use serde_json::{Value, json};

use antrea_cni_test_support::{Call, TestNode, with_settings};

/// An agent for all cases of all properties.
static SHARED: LazyLock<(TestNode, Agent)> = LazyLock::new(|| {
    let place = TestNode::new();
    let agent = place.scripted(&[Api::V1BETA1], json!({"ADD": {"reply": "{}"}}));
    (place, agent)
});

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(any::<String>(), inner, 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// A configuration that the plugin accepts, with anything else in it.
fn configuration() -> impl Strategy<Value = Vec<u8>> {
    let others =
        prop::collection::btree_map("[a-z]{1,3}[0-9]|prevResult|ipam|args", json_value(), 0..5);
    let version = prop::sample::select(vec!["0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"]);
    (others, version, any::<bool>(), "[ \n\t]{0,3}").prop_map(|(others, version, pretty, space)| {
        let mut members: serde_json::Map<String, Value> = others.into_iter().collect();
        members.insert("name".to_owned(), "antrea".into());
        members.insert("cniVersion".to_owned(), version.into());
        let text = if pretty {
            serde_json::to_string_pretty(&members)
        } else {
            serde_json::to_string(&members)
        };
        let settings = json!({"socket": SHARED.0.socket(), "waitForAgentSeconds": 0});
        with_settings(format!("{space}{}{space}", text.unwrap()).as_bytes(), &settings)
    })
}

fn run_in_process(env: &BTreeMap<String, OsString>, stdin: &[u8]) -> Output {
    run(&|name| env.get(name).cloned(), &mut &*stdin)
}

fn assert_one_document_or_nothing(stdout: &[u8], success: bool) {
    if !success || !stdout.is_empty() {
        let document: Value = serde_json::from_slice(stdout).expect("one JSON document");
        assert!(document.is_object());
        assert_eq!(success, document.get("code").is_none(), "{document}");
    }
}

/// Bytes that are sometimes JSON, sometimes nearly.
fn any_stdin() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..200),
        json_value().prop_map(|value| value.to_string().into_bytes()),
        (configuration(), any::<prop::sample::Index>(), any::<u8>()).prop_map(
            |(mut bytes, at, byte)| {
                let at = at.index(bytes.len());
                bytes[at] = byte;
                bytes
            }
        ),
        (configuration(), any::<prop::sample::Index>()).prop_map(|(mut bytes, at)| {
            bytes.truncate(at.index(bytes.len()));
            bytes
        }),
    ]
}

fn any_env() -> impl Strategy<Value = BTreeMap<String, OsString>> {
    let command =
        prop::sample::select(vec!["ADD", "CHECK", "DEL", "GC", "STATUS", "VERSION", "FOO", ""]);
    let value = prop_oneof![Just(b"c0ffee".to_vec()), prop::collection::vec(1..=255u8, 0..12),];
    let names = prop::sample::select(vec![
        "CNI_CONTAINERID",
        "CNI_NETNS",
        "CNI_IFNAME",
        "CNI_ARGS",
        "CNI_PATH",
    ]);
    (command, prop::collection::btree_map(names, value, 0..=5)).prop_map(|(command, others)| {
        let mut env = Call::new(command, "").env;
        for (name, value) in others {
            env.insert(name.to_owned(), OsString::from_vec(value));
        }
        env
    })
}

proptest! {
    #[test]
    fn the_agent_receives_standard_input_byte_for_byte(stdin in configuration()) {
        let env = Call::new("ADD", "").env("CNI_CONTAINERID", "exact").env;
        let (_, agent) = &*SHARED;
        let mut call = env;
        let id = format!("c{:x}", stdin.iter().fold(7u64, |hash, byte| {
            hash.wrapping_mul(31).wrapping_add(u64::from(*byte))
        }));
        call.insert("CNI_CONTAINERID".to_owned(), id.clone().into());
        run_in_process(&call, &stdin);
        let received: Vec<_> =
            agent.calls().into_iter().filter(|call| call.container_id == id).collect();
        prop_assert!(!received.is_empty());
        for call in received {
            prop_assert_eq!(&call.network_configuration, &stdin);
        }
    }

    #[test]
    fn any_input_gives_one_document_or_nothing(env in any_env(), stdin in any_stdin()) {
        let output = run_in_process(&env, &stdin);
        assert_one_document_or_nothing(&output.stdout, output.success);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn any_input_to_the_process_gives_one_document_or_nothing(
        env in any_env(),
        stdin in any_stdin(),
    ) {
        let mut call = Call::new("", stdin);
        call.env = env;
        let answer = call.run();
        answer.document();
        prop_assert!([0, 1].contains(&answer.exit()));
        assert_one_document_or_nothing(&answer.stdout, answer.exit() == 0);
    }
}

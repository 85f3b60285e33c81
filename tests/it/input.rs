// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Wrong input: one error with the right code, and nothing is sent.

#[cfg(unix)]
use std::os::unix::ffi::OsStringExt;

use antrea_cni_agent::Api;
use serde_json::json;

use antrea_cni_test_support::{Call, Stdin, TestNode};

/// Asserts the code of an error, words in its text, and that the agent was not
/// asked.
fn refused(place: &TestNode, call: &Call, code: u64, words: &[&str]) {
    let agent = place.agent(Api::ALL);
    let answer = call.run();
    assert_eq!(answer.code(), code, "{call:?} {answer:?}");
    for word in words {
        assert!(answer.text().contains(word), "no {word:?}: {answer:?}");
    }
    assert_eq!(agent.calls().len(), 0, "{answer:?}");
}

#[test]
fn without_a_command_it_says_what_it_is() {
    for call in [Call::new("", ""), Call::new("ADD", "").without("CNI_COMMAND")] {
        let answer = Call { stdin: Stdin::Directory, ..call }.run();
        answer.assert_silent_success();
        let lines: Vec<_> = answer.stderr.lines().collect();
        assert_eq!(lines.len(), 2, "{answer:?}");
        assert!(lines[0].contains(env!("CARGO_PKG_VERSION")), "{answer:?}");
        assert_eq!(
            lines[1],
            "CNI protocol versions supported: 0.1.0, 0.2.0, 0.3.0, 0.3.1, 0.4.0, 1.0.0, 1.1.0"
        );
    }
}

#[test]
fn version_needs_nothing_else() {
    let call = Call::new("VERSION", "").env("CNI_CONTAINERID", "../x");
    let answer = Call { stdin: Stdin::Directory, ..call }.run();
    assert_eq!(answer.exit(), 0, "{answer:?}");
    assert_eq!(
        String::from_utf8_lossy(&answer.stdout),
        r#"{"cniVersion":"1.1.0","supportedVersions":["0.1.0","0.2.0","0.3.0","0.3.1","0.4.0","1.0.0","1.1.0"]}"#
    );
}

#[test]
fn missing_variables_are_named_together() {
    let place = TestNode::new();
    let call = |command| place.call(command, "1.1.0");
    for (command, required) in [
        ("ADD", &["CNI_CONTAINERID", "CNI_NETNS", "CNI_IFNAME", "CNI_PATH"][..]),
        ("CHECK", &["CNI_CONTAINERID", "CNI_NETNS", "CNI_IFNAME", "CNI_PATH"]),
        ("DEL", &["CNI_CONTAINERID", "CNI_IFNAME", "CNI_PATH"]),
        ("GC", &["CNI_PATH"]),
        ("STATUS", &["CNI_PATH"]),
    ] {
        let mut bare = call(command);
        for variable in required {
            refused(&place, &call(command).env(variable, ""), 4, &[variable]);
            refused(&place, &call(command).without(variable), 4, &[variable]);
            bare = bare.without(variable);
        }
        refused(&place, &bare, 4, &[&format!("[{}]", required.join(","))]);
    }
}

#[test]
fn the_first_bad_variable_is_reported_alone() {
    let place = TestNode::new();
    let call = || place.call("ADD", "1.0.0");
    refused(
        &place,
        &call().env("CNI_CONTAINERID", "a/b").without("CNI_PATH"),
        4,
        &["CNI_CONTAINERID"],
    );
    refused(
        &place,
        &call().env("CNI_IFNAME", "a b").without("CNI_CONTAINERID"),
        4,
        &["CNI_IFNAME"],
    );
    let both = call().env("CNI_CONTAINERID", "-").env("CNI_IFNAME", "a:b");
    refused(&place, &both, 4, &["CNI_CONTAINERID"]);
    for name in [".", "..", "a/b", "a:b", "a\tb", "0123456789abcdef"] {
        refused(&place, &call().env("CNI_IFNAME", name), 4, &["CNI_IFNAME"]);
    }
}

#[cfg(unix)]
#[test]
fn a_variable_that_is_not_utf8_is_named() {
    let place = TestNode::new();
    let bad = std::ffi::OsString::from_vec(vec![b'a', 0xff]);
    for variable in
        ["CNI_COMMAND", "CNI_CONTAINERID", "CNI_NETNS", "CNI_IFNAME", "CNI_ARGS", "CNI_PATH"]
    {
        refused(&place, &place.call("ADD", "1.0.0").env(variable, bad.clone()), 4, &[variable]);
    }
}

#[test]
fn standard_input_that_would_kill_an_agent_is_not_sent() {
    let place = TestNode::new();
    for (stdin, code) in [
        ("", 6),
        ("null", 6),
        ("[]", 6),
        ("\"x\"", 6),
        ("{", 6),
        ("{} {}", 6),
        ("{}", 7),
        (r#"{"cniVersion":"1.0.0"}"#, 7),
        (r#"{"name":null}"#, 7),
        (r#"{"name":""}"#, 7),
        (r#"{"name":"a b"}"#, 7),
        (r#"{"name":5}"#, 6),
        (r#"{"name":"x","cniVersion":5}"#, 6),
    ] {
        for command in ["ADD", "CHECK", "DEL", "GC", "STATUS"] {
            refused(&place, &Call::new(command, stdin), code, &[]);
        }
    }
    if cfg!(windows) {
        return;
    }
    let unreadable = Call { stdin: Stdin::Directory, ..place.call("ADD", "1.0.0") };
    refused(&place, &unreadable, 5, &["standard input"]);
}

#[test]
fn a_configuration_of_a_mebibyte_passes_and_a_byte_more_does_not() {
    let place = TestNode::new();
    let configuration = place.configuration("1.0.0", json!({}));
    let padded =
        |bytes: usize| format!("{configuration}{}", " ".repeat(bytes - configuration.len()));
    refused(&place, &Call::new("ADD", padded((1 << 20) + 1)), 7, &["1048576 bytes"]);
    let agent = place.agent(&[Api::OLDEST]);
    assert_eq!(Call::new("ADD", padded(1 << 20)).run().exit(), 0);
    assert_eq!(agent.served().pop().unwrap().network_configuration.len(), 1 << 20);
}

#[test]
fn an_unknown_command_is_refused_after_the_name_and_before_the_version() {
    let place = TestNode::new();
    refused(&place, &place.call("FOO", "1.0.0"), 4, &["unknown CNI_COMMAND: FOO"]);
    refused(&place, &place.call("FOO", "9.9.9"), 4, &["unknown CNI_COMMAND: FOO"]);
    refused(&place, &Call::new("FOO", "{}"), 7, &[]);
    refused(&place, &place.call("add", "1.0.0"), 4, &[]);
}

#[test]
fn unsupported_versions_are_refused_with_the_list() {
    let place = TestNode::new();
    for version in ["1.0", "v1.0.0", "1.1.0+build", " 1.0.0", "1.2.0", "2.0.0", "0.0.1", "x"] {
        for command in ["ADD", "DEL"] {
            let words = [version, "0.1.0, 0.2.0, 0.3.0, 0.3.1, 0.4.0, 1.0.0, 1.1.0"];
            refused(&place, &place.call(command, version), 1, &words);
        }
    }
}

#[test]
fn commands_are_refused_below_the_version_that_brought_them() {
    let place = TestNode::new();
    for (command, versions) in [
        ("CHECK", &["", "0.1.0", "0.2.0", "0.3.0", "0.3.1"][..]),
        ("GC", &["", "0.1.0", "0.2.0", "0.3.0", "0.3.1", "0.4.0", "1.0.0"]),
        ("STATUS", &["", "0.1.0", "0.2.0", "0.3.0", "0.3.1", "0.4.0", "1.0.0"]),
    ] {
        for version in versions {
            refused(&place, &place.call(command, version), 1, &["config version does not allow"]);
        }
    }
}

#[test]
fn wrong_settings_are_named_after_the_version_was_checked() {
    let place = TestNode::new();
    for (settings, named) in [
        (json!({"soket": "/s"}), "antreaCni.soket"),
        (
            json!({"addTimeoutSeconds": 34}),
            "antreaCni.addTimeoutSeconds must be a whole number from 35 to 220",
        ),
        (
            json!({"waitForAgentSeconds": 181}),
            "antreaCni.waitForAgentSeconds must be a whole number from 0 to 180",
        ),
        (json!({"delWhenAgentDown": "maybe"}), "antreaCni.delWhenAgentDown"),
        (json!({"logFile": "relative"}), "antreaCni.logFile"),
        (json!({"logLevel": 3}), "antreaCni.logLevel"),
        (json!({"requireRootAgent": 1}), "antreaCni.requireRootAgent"),
    ] {
        refused(&place, &place.call_with("ADD", "0.3.0", settings.clone()), 7, &[named]);
        refused(&place, &place.call_with("ADD", "9.0.0", settings.clone()), 1, &[]);
        let version = place.call_with("VERSION", "9.0.0", settings).run();
        assert_eq!(version.exit(), 0);
    }
    let root = if cfg!(windows) { r"\\.\pipe\" } else { "/" };
    let most = antrea_cni::input::settings::MAX_SOCKET_PATH_BYTES;
    let (nul, long) = (format!("{root}a\0b"), format!("{root}{}", "s".repeat(most)));
    let says = format!("{most} bytes");
    for socket in ["relative", &nul, &long] {
        let stdin = json!({"cniVersion": "1.0.0", "name": "x", "antreaCni": {"socket": socket}});
        refused(&place, &Call::new("ADD", stdin.to_string()), 7, &["antreaCni.socket", &says]);
    }
}

#[cfg(unix)]
#[test]
fn the_plugins_own_network_namespace_is_refused_before_anything_is_sent() {
    let place = TestNode::new();
    let own = |command| place.call(command, "1.0.0").env("CNI_NETNS", "/proc/self/ns/net");
    refused(&place, &own("ADD"), 8, &["CNI_NETNS_OVERRIDE"]);
    refused(&place, &own("ADD").env("CNI_NETNS_OVERRIDE", "yes"), 8, &[]);
    let agent = place.agent(&[Api::V1]);
    for value in ["1", "true", "TRUE"] {
        let id = format!("c-{value}");
        let call = own("ADD").env("CNI_NETNS_OVERRIDE", value).env("CNI_CONTAINERID", &*id);
        assert_eq!(call.run().exit(), 0);
    }
    own("DEL").run().assert_silent_success();
    assert_eq!(agent.served().len(), 4);
}

#[test]
fn the_error_document_has_the_configurations_version_where_it_is_supported() {
    let place = TestNode::new();
    for (version, label) in [("0.3.0", "0.3.0"), ("", "0.1.0"), ("1.2.0", "1.1.0"), ("x", "1.1.0")]
    {
        let answer = place.call("FOO", version).run();
        assert_eq!(answer.document().unwrap()["cniVersion"], label);
    }
    assert_eq!(Call::new("ADD", "junk").run().document().unwrap()["cniVersion"], "1.1.0");
}

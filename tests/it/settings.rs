//! The plugin's settings, as they are read.

use std::time::Duration;

use antrea_cni_agent::Api;
use antrea_cni_test_support::TestNode;
use serde_json::{Value, json};

use antrea_cni::input::Settings;
use antrea_cni::input::settings::{DelWhenAgentDown, LogLevel};
use serde_json::value::RawValue;

fn parse(json: &str) -> Result<Settings, String> {
    let value: Box<RawValue> = serde_json::from_str(json).unwrap();
    Settings::parse(&value).map_err(|error| error.to_string())
}

#[test]
fn absent_and_null_are_the_defaults() {
    for json in ["null", "{}", r#"{"socket":null,"logFile":null,"logLevel":null}"#] {
        assert_eq!(parse(json), Ok(Settings::default()), "{json}");
    }
}

#[test]
fn every_setting_is_read() {
    let json = r#"{"socket":"/s","addTimeoutSeconds":35,"waitForAgentSeconds":0,
        "delWhenAgentDown":"succeed","logFile":"/l","logLevel":"error","requireRootAgent":false}"#;
    let expected = Settings {
        socket: "/s".to_owned(),
        add_timeout: Duration::from_secs(35),
        wait_for_agent: Duration::ZERO,
        del_when_agent_down: DelWhenAgentDown::Succeed,
        log_file: Some("/l".to_owned()),
        log_level: LogLevel::Error,
        require_root_agent: false,
    };
    assert_eq!(parse(json), Ok(expected));
}

#[test]
fn what_is_wrong_is_named() {
    let long = format!(r#"{{"socket":"/{}"}}"#, "s".repeat(107));
    for (json, named) in [
        ("5", "antreaCni"),
        ("[]", "antreaCni"),
        (r#"{"Socket":"/s"}"#, "antreaCni.Socket"),
        (r#"{"Socket":null}"#, "antreaCni.Socket"),
        (r#"{"socket":"s"}"#, "antreaCni.socket"),
        (r#"{"socket":"/s\u0000"}"#, "antreaCni.socket"),
        (&long, "107 bytes"),
        (r#"{"addTimeoutSeconds":34}"#, "35 to 115"),
        (r#"{"addTimeoutSeconds":116}"#, "35 to 115"),
        (r#"{"addTimeoutSeconds":"90"}"#, "35 to 115"),
        (r#"{"addTimeoutSeconds":90.5}"#, "35 to 115"),
        (r#"{"waitForAgentSeconds":61}"#, "0 to 60"),
        (r#"{"waitForAgentSeconds":-1}"#, "0 to 60"),
        (r#"{"delWhenAgentDown":"Fail"}"#, "\"succeed\""),
        (r#"{"delWhenAgentDown":true}"#, "\"succeed\""),
        (r#"{"logFile":"log"}"#, "antreaCni.logFile"),
        (r#"{"logLevel":"debug"}"#, "antreaCni.logLevel"),
        (r#"{"requireRootAgent":"true"}"#, "antreaCni.requireRootAgent"),
    ] {
        let message = parse(json).unwrap_err();
        assert!(message.contains(named), "{json}: {message}");
    }
}

#[test]
fn wrong_settings_keep_nothing_from_being_removed() {
    for wrong in [
        json!({"unknown": 1}),
        json!({"addTimeoutSeconds": "soon"}),
        json!({"waitForAgentSeconds": -1, "logLevel": "loud"}),
    ] {
        let place = TestNode::new();
        let agent = place.agent(&[Api::V1]);
        let mut settings = wrong.clone();
        settings["logFile"] = place.path("log").to_str().into();
        for command in ["DEL", "GC"] {
            place.call_with(command, "1.1.0", settings.clone()).run().assert_silent_success();
        }
        assert_eq!(agent.served().len(), 2);
        let log = std::fs::read_to_string(place.path("log")).unwrap();
        for line in log.lines() {
            let event: Value = serde_json::from_str(line).unwrap();
            let ignored = event["ignored"].to_string();
            let names: Vec<_> = wrong.as_object().unwrap().keys().collect();
            assert!(names.iter().all(|name| ignored.contains(*name)), "{line}");
        }
        for command in ["ADD", "CHECK", "STATUS"] {
            assert_eq!(place.call_with(command, "1.1.0", settings.clone()).run().code(), 7);
        }
    }
    let place = TestNode::new();
    let stdin = r#"{"cniVersion":"1.0.0","name":"antrea","antreaCni":5}"#;
    let call = antrea_cni_test_support::Call::new("DEL", stdin).env("CNI_NETNS", place.netns());
    // The default socket: nobody is there, or another agent of this machine.
    assert_ne!(call.env("CNI_NETNS", "").run().exit(), 7);
}

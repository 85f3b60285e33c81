//! The plugin's settings, as they are read.

use std::time::Duration;

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

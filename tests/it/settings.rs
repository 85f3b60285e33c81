// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! The plugin's settings, as they are read.

use std::env::consts::EXE_SUFFIX;
#[cfg(unix)]
use std::fs::Permissions;
#[cfg(unix)]
use std::io::Write;
#[cfg(unix)]
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use antrea_cni_agent::Api;
#[cfg(unix)]
use antrea_cni_test_support::skipped;
use antrea_cni_test_support::{Answer, TestNode, copy_program};
use serde_json::{Value, json};

use antrea_cni::input::Settings;
use antrea_cni::input::settings::{DelWhenAgentDown, LogLevel};
use serde_json::value::RawValue;

fn parse(json: &str) -> Result<Settings, String> {
    let value: Box<RawValue> = serde_json::from_str(json).unwrap();
    Settings::parse(&value).map_err(|error| error.to_string())
}

/// What an absolute path starts with.
const ROOT: &str = if cfg!(windows) { "C:/" } else { "/" };

/// A path that the system takes for a socket.
const SOCKET: &str = if cfg!(windows) { r"\\.\pipe\s" } else { "/s" };

/// Where nobody listens.
const NOWHERE: &str = if cfg!(windows) { r"\\.\pipe\nowhere" } else { "/nowhere" };

#[test]
fn absent_and_null_are_the_defaults() {
    for json in ["null", "{}", r#"{"socket":null,"logFile":null,"logLevel":null}"#] {
        assert_eq!(parse(json), Ok(Settings::default()), "{json}");
    }
}

#[test]
fn every_setting_is_read() {
    let json = r#"{"socket":"SOCKET","addTimeoutSeconds":35,"waitForAgentSeconds":0,
        "delWhenAgentDown":"fail","confDir":"ROOTc","logFile":"ROOTl","logLevel":"error","logMaxBytes":65536,"requireRootAgent":false}"#;
    let expected = Settings {
        socket: SOCKET.to_owned(),
        add_timeout: Duration::from_secs(35),
        wait_for_agent: Duration::ZERO,
        del_when_agent_down: DelWhenAgentDown::Fail,
        conf_dir: format!("{ROOT}c"),
        log_file: Some(format!("{ROOT}l")),
        log_level: LogLevel::Error,
        log_max_bytes: 65_536,
        require_root_agent: false,
    };
    let socket = serde_json::to_string(SOCKET).unwrap();
    let json = json.replace("ROOT", ROOT).replace("\"SOCKET\"", &socket);
    assert_eq!(parse(&json), Ok(expected));
}

#[test]
fn what_is_wrong_is_named() {
    let most = antrea_cni::input::settings::MAX_SOCKET_PATH_BYTES;
    let long = format!(r#"{{"socket":"ROOT{}"}}"#, "s".repeat(most));
    let says = format!("{most} bytes");
    for (json, named) in [
        ("5", "antreaCni"),
        ("[]", "antreaCni"),
        (r#"{"Socket":"/s"}"#, "antreaCni.Socket"),
        (r#"{"Socket":null}"#, "antreaCni.Socket"),
        (r#"{"socket":"s"}"#, "antreaCni.socket"),
        (r#"{"socket":"ROOTs\u0000"}"#, "antreaCni.socket"),
        (&long, &says),
        (r#"{"addTimeoutSeconds":34}"#, "35 to 220"),
        (r#"{"addTimeoutSeconds":221}"#, "35 to 220"),
        (r#"{"addTimeoutSeconds":"90"}"#, "35 to 220"),
        (r#"{"addTimeoutSeconds":90.5}"#, "35 to 220"),
        (r#"{"waitForAgentSeconds":181}"#, "0 to 180"),
        (r#"{"waitForAgentSeconds":-1}"#, "0 to 180"),
        (r#"{"confDir":"net.d"}"#, "antreaCni.confDir"),
        (r#"{"delWhenAgentDown":"Fail"}"#, "\"succeed\""),
        (r#"{"delWhenAgentDown":true}"#, "\"succeed\""),
        (r#"{"logFile":"log"}"#, "antreaCni.logFile"),
        (r#"{"logLevel":"trace"}"#, "antreaCni.logLevel"),
        (r#"{"logMaxBytes":65535}"#, "65536 to 1073741824"),
        (r#"{"logMaxBytes":1073741825}"#, "65536 to 1073741824"),
        (r#"{"requireRootAgent":"true"}"#, "antreaCni.requireRootAgent"),
    ] {
        let message = parse(&json.replace("ROOT", ROOT)).unwrap_err();
        assert!(message.contains(named), "{json}: {message}");
    }
}

/// They cannot be rotated, and nothing would be written there without a word.
#[cfg(unix)]
#[test]
fn a_log_is_no_device() {
    for path in ["/dev/stderr", "/dev/stdout", "/dev/null", "/proc/self/fd/2", "/sys/x"] {
        let message = parse(&format!(r#"{{"logFile":"{path}"}}"#)).unwrap_err();
        assert!(message.contains("not one below /dev"), "{path}: {message}");
    }
    assert!(parse(r#"{"logFile":"/dev/shm/antrea-cni.log"}"#).is_ok());
    assert!(parse(r#"{"logFile":"/device/log"}"#).is_ok());
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

/// A copy of the plugin on a node, with settings of that node beside it.
fn plugin_with(node: &TestNode, settings: &str) -> std::path::PathBuf {
    let plugin = node.path(&format!("antrea{EXE_SUFFIX}"));
    copy_program(antrea_cni_test_support::plugin(), &plugin);
    write(&node.path(".antrea.json"), settings, 0o644);
    plugin
}

fn write(path: &Path, text: &str, mode: u32) {
    std::fs::write(path, text).unwrap();
    #[cfg(unix)]
    std::fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    #[cfg(windows)]
    let _ = mode;
}

fn run(plugin: &Path, call: &antrea_cni_test_support::Call) -> Answer {
    let mut command = Command::new(plugin);
    command.env_clear().envs(&call.env);
    call.run_as(command)
}

#[test]
fn the_network_comes_before_the_node_and_the_node_before_the_defaults() {
    let node = TestNode::new();
    let _agent = node.agent(&[Api::V1BETA1]);
    let log = |name: &str| node.path(name).to_str().unwrap().to_owned();
    let settings = json!({"logFile": log("node"), "logLevel": "error", "socket": NOWHERE});
    let plugin = plugin_with(&node, &settings.to_string());
    let seen = |name: &str| std::fs::read_to_string(node.path(name)).unwrap_or_default();

    // The network's socket is taken, and the node's log; success is not logged.
    let add = |container: &str, settings| {
        let call = node.call_with("ADD", "1.0.0", settings).env("CNI_CONTAINERID", container);
        assert_eq!(run(&plugin, &call).exit(), 0);
    };
    add("a", json!({}));
    assert_eq!(seen("node"), "");
    // `null` is nobody's word.
    add("b", json!({"logLevel": "info", "logFile": null}));
    assert_eq!(seen("node").lines().count(), 1);
    add("c", json!({"logLevel": "info", "logFile": log("network")}));
    assert_eq!((seen("node").lines().count(), seen("network").lines().count()), (1, 1));
    // Without a socket in the network's, the node's.
    let bare = r#"{"cniVersion":"1.0.0","name":"antrea","antreaCni":{"waitForAgentSeconds":0}}"#;
    let answer = run(&plugin, &antrea_cni_test_support::Call::new("ADD", bare));
    assert!(answer.code() == 11 && answer.text().contains(NOWHERE), "{answer:?}");
}

#[cfg(unix)]
#[test]
fn settings_of_the_node_that_cannot_be_trusted_are_bad_settings() {
    type Make = fn(&Path);
    let cases: &[(&str, Make)] = &[
        ("not a regular file", |path| std::fs::create_dir(path).unwrap()),
        ("not a regular file", |path| {
            nix::unistd::mkfifo(path, nix::sys::stat::Mode::from_bits_truncate(0o600)).unwrap();
        }),
        ("cannot be used", |path| {
            write(&path.with_extension("elsewhere"), "{}", 0o644);
            std::os::unix::fs::symlink(path.with_extension("elsewhere"), path).unwrap();
        }),
        ("others than its owner may write it", |path| write(path, "{}", 0o664)),
        ("others than its owner may write it", |path| write(path, "{}", 0o646)),
        ("over 65536 bytes", |path| write(path, &format!("{{{}}}", " ".repeat(65_535)), 0o644)),
        ("byte order mark", |path| write(path, "\u{feff}{}", 0o644)),
        ("not JSON", |path| write(path, "logLevel=error", 0o644)),
        ("cannot be used", |path| {
            std::fs::write(path, b"{\"logFile\":\"/\xff\"}").unwrap();
            std::fs::set_permissions(path, Permissions::from_mode(0o644)).unwrap();
        }),
        ("not an object", |path| write(path, "[]", 0o644)),
        ("unknown setting loglevel in ", |path| write(path, r#"{"loglevel":"error"}"#, 0o644)),
        ("must be a whole number", |path| write(path, r#"{"addTimeoutSeconds":1}"#, 0o644)),
        ("neither to root nor", |path| {
            write(path, "{}", 0o644);
            if nix::unistd::geteuid().is_root() {
                std::os::unix::fs::chown(path, Some(4242), None).unwrap();
            } else {
                skipped("a file of another user needs root");
                write(path, "", 0o644);
            }
        }),
    ];
    for (says, make) in cases {
        let node = TestNode::new();
        let agent = node.agent(&[Api::V1]);
        let plugin = plugin_with(&node, "{}");
        let file = node.path(".antrea.json");
        std::fs::remove_file(&file).unwrap();
        make(&file);
        let is_skipped = *says == "neither to root nor" && !nix::unistd::geteuid().is_root();
        for command in ["ADD", "CHECK", "STATUS"] {
            let answer = run(&plugin, &node.call(command, "1.1.0"));
            assert_eq!(answer.code(), 7, "{answer:?}");
            let (text, path) = (answer.text(), file.to_str().unwrap());
            assert!(text.contains(path) && (is_skipped || text.contains(says)), "{says}: {text}");
        }
        assert!(agent.served().is_empty());
        let settings = json!({"waitForAgentSeconds": 0, "logFile": node.path("log")});
        for command in ["DEL", "GC"] {
            let call = node.call_with(command, "1.1.0", settings.clone());
            run(&plugin, &call).assert_silent_success();
        }
        assert_eq!(agent.served().len(), 2);
        let log = std::fs::read_to_string(node.path("log")).unwrap();
        assert!(log.lines().all(|line| line.contains("\"ignored\":[")), "{log}");
    }
}

/// A power loss leaves an empty file behind, or one of NUL bytes.
#[test]
fn an_empty_settings_file_counts_as_absent() {
    for text in ["", "\n", "\0\0\0"] {
        let node = TestNode::new();
        let _agent = node.agent(&[Api::V1]);
        let plugin = plugin_with(&node, text);
        let settings =
            json!({"waitForAgentSeconds": 0, "logFile": node.path("log"), "logLevel": "debug"});
        for command in ["ADD", "STATUS", "DEL"] {
            let answer = run(&plugin, &node.call_with(command, "1.1.0", settings.clone()));
            assert_eq!(answer.exit(), 0, "{answer:?}");
        }
        let log = std::fs::read_to_string(node.path("log")).unwrap();
        let noted = log.lines().filter(|it| it.contains("is empty: it counts as absent"));
        assert_eq!(noted.count(), 3);
    }
}

/// On Windows it cannot be replaced.
#[cfg(unix)]
#[test]
fn a_plugin_that_is_replaced_while_it_runs_finds_the_settings_of_its_node() {
    let node = TestNode::new();
    let _agent = node.agent(&[Api::V1]);
    let log = node.path("log");
    let plugin = plugin_with(&node, &json!({"logFile": log}).to_string());
    let call = node.call("ADD", "1.0.0");
    let (reader, mut writer) = std::io::pipe().unwrap();
    let child = Command::new(&plugin).env_clear().envs(&call.env).stdin(reader).spawn();
    copy_program(&plugin, node.path("new"));
    std::fs::rename(node.path("new"), &plugin).unwrap();
    let antrea_cni_test_support::Stdin::Bytes(stdin) = &call.stdin else { panic!() };
    writer.write_all(stdin).unwrap();
    drop(writer);
    assert!(child.unwrap().wait().unwrap().success());
    assert!(std::fs::read_to_string(log).unwrap().contains("\"version\":\""));
}

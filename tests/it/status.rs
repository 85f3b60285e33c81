// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! STATUS: ready means that an ADD started now can be expected to succeed.

use std::fs::{self, File};
use std::io::Write;
#[cfg(unix)]
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
#[cfg(unix)]
use std::sync::{Arc, Mutex};
#[cfg(unix)]
use std::time::Instant;
use std::time::{Duration, SystemTime};

use antrea_cni_agent::{Agent, Api, Options, servable};
#[cfg(unix)]
use antrea_cni_test_support::frames::{RawAgent, kind};
use serde_json::{Value, json};

use antrea_cni_test_support::{Answer, Stdin, TestNode};

fn status(place: &TestNode, settings: Value) -> Answer {
    place.call_with("STATUS", "1.1.0", settings).run()
}

fn memory(place: &TestNode) -> PathBuf {
    let name = place.socket().file_name().unwrap().to_string_lossy().into_owned() + ".ready";
    if cfg!(windows) {
        Path::new(r"C:\ProgramData\antrea-cni").join(name)
    } else {
        place.path(&name)
    }
}

#[test]
fn an_agent_that_answers_decides() {
    for (script, code) in [
        (json!({"error": {"code": 50, "message": "not yet"}}), 50),
        (json!({"error": {"code": 51}}), 51),
        (json!({"error": {"code": 103}}), 103),
        (json!({"status": {"code": 14}}), 50),
        (json!({"status": {"code": 13}}), 50),
        (json!({"rawB64": "Cv8="}), 50),
    ] {
        let place = TestNode::new();
        let _agent = place.scripted(&[Api::V1], json!({"STATUS": script}));
        fs::write(memory(&place), "").unwrap();
        // A gRPC status or a broken reply may come from an agent that was
        // seen just now: an answer is an answer.
        assert_eq!(status(&place, json!({})).code(), code);
    }
}

#[test]
fn an_agent_that_was_seen_just_now_is_ready() {
    let place = TestNode::new();
    let agent = place.agent(&[Api::V1BETA1]);
    status(&place, json!({})).assert_silent_success();
    let file = fs::metadata(memory(&place)).unwrap();
    assert_eq!(file.len(), 0);
    #[cfg(unix)]
    assert_eq!(file.permissions().mode() & 0o777, 0o600);
    drop(agent);
    status(&place, json!({})).assert_silent_success();
    let answer = status(&place, json!({"waitForAgentSeconds": 0}));
    assert_eq!(answer.code(), 50);
    assert!(answer.text().contains("antrea-agent is not ready"), "{answer:?}");
}

#[test]
fn a_success_from_memory_does_not_refresh_it() {
    let place = TestNode::new();
    let seen = SystemTime::now() - Duration::from_secs(20);
    File::create(memory(&place)).unwrap().set_modified(seen).unwrap();
    status(&place, json!({})).assert_silent_success();
    assert_eq!(fs::metadata(memory(&place)).unwrap().modified().unwrap(), seen);
}

/// An ADD does not wait for one to which no connection can be made.
#[cfg(unix)]
#[test]
fn a_socket_of_another_kind_is_not_that_of_an_agent_that_was_seen() {
    let node = TestNode::new();
    let agent = node.agent(&[Api::V1]);
    assert_eq!(node.call("STATUS", "1.1.0").run().exit(), 0);
    drop(agent);
    let _ = fs::remove_file(node.socket());
    let _other = std::os::unix::net::UnixDatagram::bind(node.socket()).unwrap();
    let settings = json!({"waitForAgentSeconds": 60});
    let status = node.call_with("STATUS", "1.1.0", settings.clone()).run();
    assert_eq!(status.code(), 50, "{status:?}");
    assert_eq!(node.call_with("ADD", "1.1.0", settings).run().code(), 11);
}

#[test]
fn what_was_seen_too_long_ago_or_in_the_future_does_not_count() {
    let hour = Duration::from_secs(3600);
    for time in [SystemTime::now() - Duration::from_secs(61), SystemTime::now() + hour] {
        let place = TestNode::new();
        File::create(memory(&place)).unwrap().set_modified(time).unwrap();
        assert_eq!(status(&place, json!({})).code(), 50);
    }
    assert_eq!(status(&TestNode::new(), json!({})).code(), 50);
}

#[cfg(unix)]
#[test]
fn the_memory_does_not_follow_links_and_is_not_needed() {
    let place = TestNode::new();
    let target = place.path("target");
    fs::write(&target, "precious").unwrap();
    std::os::unix::fs::symlink(&target, memory(&place)).unwrap();
    assert_eq!(status(&place, json!({})).code(), 50);
    let before = fs::metadata(&target).unwrap().modified().unwrap();
    let _agent = place.agent(&[Api::V1]);
    status(&place, json!({})).assert_silent_success();
    assert_eq!(fs::metadata(&target).unwrap().modified().unwrap(), before);
}

#[test]
fn an_agent_that_cuts_the_call_off_counts_as_away() {
    let place = TestNode::new();
    let _agent = place.scripted(&[Api::V1], json!({"STATUS": {"close": "before"}}));
    assert_eq!(status(&place, json!({})).code(), 50);
    fs::write(memory(&place), "").unwrap();
    status(&place, json!({})).assert_silent_success();
}

#[test]
fn an_agent_that_can_do_no_add_is_not_ready() {
    for (apis, without) in
        [(&[][..], ""), (&[Api::V1], "v1.CmdStatus v1.CmdAdd"), (&[Api::V1BETA1], "v1beta1.CmdAdd")]
    {
        let place = TestNode::new();
        let without = without.split(' ').map(str::to_owned).collect();
        let options = Options { without, ..Options::new(place.socket(), apis) };
        let agent = Agent::start(options).unwrap();
        let answer = status(&place, json!({}));
        assert_eq!(answer.code(), 50, "{answer:?}");
        assert!(!memory(&place).exists() && agent.served().is_empty());
        assert!(answer.text().contains("serves none of the API versions"), "{answer:?}");
    }
}

#[test]
fn an_agent_without_status_is_asked_without_an_effect() {
    for api in servable() {
        let place = TestNode::new();
        let without = vec!["v1.CmdStatus".to_owned()];
        // It would accept any version, and fails each ADD.
        let agent = Agent::start(Options {
            without,
            cni_versions: ["", "0.0.0", "1.1.0"].map(str::to_owned).to_vec(),
            ..Options::new(place.socket(), &[api])
        })
        .unwrap();
        status(&place, json!({})).assert_silent_success();
        let reached_a_handler = agent.served().len();
        assert!(reached_a_handler <= 1 && agent.effects().is_empty());
    }
}

#[test]
fn a_v1_agent_of_lower_versions_is_ready() {
    let place = TestNode::new();
    let cni_versions = ["0.4.0", "1.0.0"].map(str::to_owned).to_vec();
    let options = Options { cni_versions, ..Options::new(place.socket(), &[Api::V1]) };
    let _agent = Agent::start(options).unwrap();
    status(&place, json!({})).assert_silent_success();
    place.call("GC", "1.1.0").run().assert_silent_success();
    assert_eq!(place.call("ADD", "1.1.0").run().exit(), 0);
}

#[test]
fn not_ready_is_remembered_when_the_agent_dies() {
    let refusals = [
        json!({"error": {"code": 50}}),
        json!({"error": {"code": 51}}),
        json!({"status": {"code": 13}}),
    ];
    for script in refusals {
        let place = TestNode::new();
        let agent = place.agent(&[Api::V1]);
        status(&place, json!({})).assert_silent_success();
        drop(agent);
        let agent = place.scripted(&[Api::V1], json!({"STATUS": script}));
        assert!(matches!(status(&place, json!({})).code(), 50 | 51));
        drop(agent);
        assert_eq!(status(&place, json!({})).code(), 50);
    }
}

/// That this process may open nothing says nothing of the agent.
#[cfg(unix)]
#[test]
#[ignore = "needs the static plugin; make test-release runs it"]
fn a_failure_of_the_plugin_itself_forgets_nothing() {
    let place = TestNode::new();
    let agent = place.agent(&[Api::V1]);
    status(&place, json!({})).assert_silent_success();
    let call = place.call("STATUS", "1.1.0");
    let mut shell = std::process::Command::new("/bin/sh");
    shell.args(["-c", r#"ulimit -n 3; exec "$0""#]).arg(antrea_cni_test_support::plugin());
    shell.env_clear().envs(&call.env);
    assert_eq!(call.run_as(shell).code(), 999);
    drop(agent);
    status(&place, json!({})).assert_silent_success();
}

#[test]
fn an_agent_that_answered_any_command_was_seen() {
    for command in ["ADD", "CHECK", "DEL", "GC"] {
        let place = TestNode::new();
        let slow = json!({"STATUS": {"delayMs": 1500}});
        let _agent = place.scripted(&[Api::V1], slow);
        assert_eq!(status(&place, json!({})).code(), 50);
        place.call(command, "1.1.0").run();
        status(&place, json!({})).assert_silent_success();
    }
}

/// The first conflist of 1.1.0 finds a memory: no runtime asked for STATUS before.
#[test]
fn an_agent_that_answered_under_any_version_was_seen() {
    for command in ["ADD", "CHECK", "DEL"] {
        let place = TestNode::new();
        let agent = place.agent(&[Api::V1BETA1]);
        place.call(command, "0.4.0").run();
        drop(agent);
        status(&place, json!({})).assert_silent_success();
        // The one file is touched again and again.
        let long_ago = SystemTime::now() - Duration::from_secs(600);
        File::options().write(true).open(memory(&place)).unwrap().set_modified(long_ago).unwrap();
        assert_eq!(status(&place, json!({})).code(), 50);
        let _agent = place.agent(&[Api::V1BETA1]);
        place.call(command, "0.4.0").run();
        let seen = fs::metadata(memory(&place)).unwrap().modified().unwrap();
        assert!(seen.elapsed().unwrap() < Duration::from_secs(300), "{command}");
    }
}

/// An agent whose network is not ready cannot be expected to do an ADD.
#[test]
fn an_add_that_was_told_to_try_again_later_is_no_sight_of_the_agent() {
    let place = TestNode::new();
    let busy =
        json!({"ADD": {"error": {"code": 11, "message": "Server is busy, please retry later"}}});
    let agent = place.scripted(&[Api::V1BETA1], busy);
    assert_eq!(place.call_with("ADD", "1.0.0", json!({"addTimeoutSeconds": 35})).run().code(), 11);
    drop(agent);
    assert!(!memory(&place).exists());
}

/// Go's runtimes write it after the plugin has started, late on a node without a free processor.
#[test]
fn a_configuration_that_comes_late_is_answered_from_memory() {
    let place = TestNode::new();
    let _agent = place.agent(&[Api::V1]);
    status(&place, json!({})).assert_silent_success();
    let call = place.call_with("STATUS", "1.1.0", json!({}));
    let Stdin::Bytes(configuration) = &call.stdin else { unreachable!() };
    let mut command = call.command();
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    // STATUS has a second.
    std::thread::sleep(Duration::from_millis(1200));
    child.stdin.take().unwrap().write_all(configuration).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success() && output.stdout.is_empty(), "{output:?}");
}

/// grpc-go resets a call whose deadline is over; others say so in a status. A reset for
/// another reason is an answer.
#[cfg(unix)]
#[test]
fn an_agent_that_gives_up_at_the_deadline_is_silent() {
    const CANCEL: Option<u32> = Some(8);
    const INTERNAL_ERROR: Option<u32> = Some(2);
    let answer = |reset: Option<u32>| {
        let (place, started) = (TestNode::new(), Instant::now());
        let sent = Arc::new(Mutex::new(Duration::ZERO));
        let sent_at = Arc::clone(&sent);
        let _agent = RawAgent::start(&place.socket(), move |connection| {
            connection.handshake()?;
            let stream = connection.request()?;
            std::thread::sleep(Duration::from_millis(930));
            *sent_at.lock().unwrap() = started.elapsed();
            match reset {
                Some(code) => {
                    connection.frame(kind::RST_STREAM, 0, stream, &code.to_be_bytes())?;
                }
                None => connection.trailers_only(stream, "4", b"context deadline exceeded")?,
            }
            connection.drain()
        });
        fs::write(memory(&place), "").unwrap();
        let answer = status(&place, json!({}));
        let sent = *sent.lock().unwrap();
        (answer, sent)
    };
    for (reset, is_silent) in [(CANCEL, true), (None, true), (INTERNAL_ERROR, false)] {
        // On a busy machine the agent may be too late for a plugin that waits for a second.
        let mut answers = (0..10).map(|_| answer(reset));
        let (answer, _) = answers.find(|(_, sent)| *sent < Duration::from_millis(980)).unwrap();
        assert_eq!(answer.exit(), i32::from(!is_silent), "{answer:?}");
    }
}

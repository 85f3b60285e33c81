// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Deadlines, waiting for an agent, and sending again.

use std::fs;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::UnixListener;
use std::time::Duration;

use antrea_cni_agent::{Api, Options};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::json;

use crate::agent_process::AgentProcess;
use antrea_cni_test_support::frames::RawAgent;
use antrea_cni_test_support::{Call, Running, TestNode, eventually, leave_dead_socket};

/// The state of a process that waits for something.
fn sleeps(running: &Running) -> bool {
    let stat = fs::read_to_string(format!("/proc/{}/stat", running.child.id())).unwrap();
    stat.rsplit(") ").next().unwrap().starts_with('S')
}

#[test]
fn a_command_waits_for_an_agent_that_is_being_restarted() {
    for command in ["ADD", "DEL", "GC"] {
        for refuses in [false, true] {
            let place = TestNode::new();
            if refuses {
                leave_dead_socket(place.socket());
            }
            let call = place.call_with(command, "1.1.0", json!({"waitForAgentSeconds": 20}));
            let running = call.spawn();
            eventually("the plugin waits", || sleeps(&running));
            let agent = place.agent(&[Api::V1]);
            assert_eq!(running.wait().exit(), 0);
            assert_eq!(agent.served().len(), 1);
        }
    }
}

#[test]
fn without_waiting_an_absent_agent_is_told_at_once() {
    for prepare in [
        |_: &TestNode| (),
        |place: &TestNode| leave_dead_socket(place.socket()),
        |place: &TestNode| fs::create_dir(place.socket()).unwrap(),
        |place: &TestNode| fs::write(place.socket(), "").unwrap(),
    ] {
        let place = TestNode::new();
        prepare(&place);
        let settings = json!({"waitForAgentSeconds": 0, "delWhenAgentDown": "fail"});
        for command in ["ADD", "CHECK", "DEL", "GC"] {
            let answer = place.call_with(command, "1.1.0", settings.clone()).run();
            assert_eq!(answer.code(), 11, "{answer:?}");
            let says = match place.socket().metadata() {
                Ok(file) if !file.file_type().is_socket() => "is not a socket",
                _ => "wait until its Pod on this node is running",
            };
            assert!(answer.text().contains(says), "{answer:?}");
        }
        assert_eq!(place.call("STATUS", "1.1.0").run().code(), 50);
    }
}

#[test]
fn a_full_backlog_is_waited_for() {
    let place = TestNode::new();
    let listener = UnixListener::bind(place.socket()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut waiting = Vec::new();
    runtime.block_on(async {
        while let Ok(stream) = tokio::net::UnixStream::connect(place.socket()).await {
            waiting.push(stream);
        }
    });
    assert_eq!(place.call("ADD", "1.0.0").run().code(), 11);

    let running = place.call_with("ADD", "1.0.0", json!({"waitForAgentSeconds": 20})).spawn();
    eventually("the plugin waits", || sleeps(&running));
    drop(waiting);
    fs::remove_file(place.socket()).unwrap();
    let _agent = place.agent(&[Api::V1]);
    drop(listener);
    assert_eq!(running.wait().exit(), 0);
}

/// An agent that took the connection and says nothing is seen by the deadline
/// alone. All commands at once: the longest takes 45 s.
#[test]
fn every_command_ends_by_its_deadline() {
    let place = TestNode::new();
    let silent = RawAgent::start(&place.socket(), |connection| connection.drain());
    let settings = json!({
        "addTimeoutSeconds": 35, "waitForAgentSeconds": 1, "delWhenAgentDown": "fail",
    });
    let commands =
        [("ADD", 35, 11), ("CHECK", 45, 11), ("DEL", 45, 11), ("GC", 25, 11), ("STATUS", 1, 50)];
    std::thread::scope(|all| {
        for (command, seconds, code) in commands {
            let call = place.call_with(command, "1.1.0", settings.clone());
            all.spawn(move || {
                let answer = call.run();
                assert_eq!(answer.code(), code, "{command}: {answer:?}");
                assert!(answer.elapsed >= Duration::from_secs(seconds), "{command}: {answer:?}");
                assert!(
                    answer.elapsed < Duration::from_secs(seconds + 15),
                    "{command}: {answer:?}"
                );
            });
        }
    });
    assert_eq!(silent.connections(), 5);
}

#[test]
fn other_commands_are_sent_again_when_cut_off() {
    for command in ["CHECK", "DEL", "GC"] {
        // A CHECK without prevResult fails, and is never cut off after success.
        let moments = if command == "CHECK" { &["before"][..] } else { &["before", "after"] };
        for when in moments {
            let place = TestNode::new();
            let script = json!({command: {"close": when, "times": 2}});
            let agent = place.scripted(&[Api::V1], script);
            let answer = place.call(command, "1.1.0").run();
            if command == "CHECK" {
                // The agent's own word on a CHECK without prevResult.
                assert_eq!(answer.code(), 2, "{answer:?}");
            } else {
                answer.assert_silent_success();
            }
            assert_eq!(agent.served().len(), 3);
        }
    }
}

#[test]
fn what_the_agent_says_is_not_sent_again() {
    for (code, expected) in [(14, 11), (4, 11), (8, 201)] {
        let place = TestNode::new();
        let agent = place.scripted(&[Api::V1], json!({"DEL": {"status": {"code": code}}}));
        assert_eq!(place.call("DEL", "1.0.0").run().code(), expected);
        assert_eq!(agent.served().len(), 1);
    }
}

#[test]
fn del_of_a_sandbox_that_is_gone_needs_no_agent() {
    let place = TestNode::new();
    let gone = |settings| place.call_with("DEL", "1.0.0", settings);
    let no_wait = json!({"waitForAgentSeconds": 0});
    gone(no_wait.clone()).env("CNI_NETNS", "").run().assert_silent_success();
    gone(no_wait.clone()).without("CNI_NETNS").run().assert_silent_success();
    let fail = json!({"waitForAgentSeconds": 0, "delWhenAgentDown": "fail"});
    assert_eq!(gone(fail).run().code(), 11);
    let succeed = json!({"waitForAgentSeconds": 0});
    gone(succeed.clone()).run().assert_silent_success();
    for command in ["ADD", "CHECK", "GC"] {
        assert_eq!(place.call_with(command, "1.1.0", succeed.clone()).run().code(), 11);
    }

    let _agent =
        place.scripted(&[Api::V1], json!({"DEL": {"error": {"code": 102, "message": "m"}}}));
    assert_eq!(gone(succeed).env("CNI_NETNS", "").run().code(), 102);
}

#[test]
#[ignore = "needs root and python3; make test-release runs it"]
fn an_agent_of_another_user_is_not_asked() {
    const NOBODY: u32 = 65534;
    let place = TestNode::new();
    // The agent of another user: a listener that changes its user first.
    let script = format!(
        "import os,socket,sys\ns=socket.socket(socket.AF_UNIX)\nos.setuid({NOBODY})\ns.bind(sys.argv[1])\ns.listen()\nprint(flush=True)\nsys.stdin.read()\n"
    );
    fs::set_permissions(place.socket().parent().unwrap(), fs::Permissions::from_mode(0o777))
        .unwrap();
    let mut other = std::process::Command::new("python3")
        .args(["-c", &script])
        .arg(place.socket())
        .stdin(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    eventually("the other user listens", || {
        std::os::unix::net::UnixStream::connect(place.socket()).is_ok()
    });
    fs::write(place.path("cni.sock.ready"), "").unwrap();
    for command in ["ADD", "CHECK", "DEL", "GC", "STATUS"] {
        let answer = place.call_with(command, "1.1.0", json!({})).run();
        assert_eq!(answer.code(), 5, "{answer:?}");
        assert!(answer.text().contains("65534"), "{answer:?}");
        assert!(answer.text().contains("requireRootAgent"), "{answer:?}");
    }
    // Allowed, it is a peer like any other, and this one never answers.
    let settings = json!({"requireRootAgent": false, "waitForAgentSeconds": 0});
    assert_eq!(place.call_with("STATUS", "1.1.0", settings).run().code(), 50);

    let _ = other.kill();
    let _ = other.wait();
}

#[test]
fn calls_in_flight_end_when_their_agent_is_killed() {
    let place = TestNode::new();
    let options = Options {
        script: serde_json::from_value(json!({"ADD": {"delayMs": 60_000}})).unwrap(),
        ..Options::new(place.socket(), &[Api::V1BETA1])
    };
    let mut agent = AgentProcess::start(&options, &place.path("journal"));
    let calls: Vec<Running> = (0..50)
        .map(|number| {
            let settings = json!({"waitForAgentSeconds": 1});
            let call: Call = place.call_with("ADD", "1.0.0", settings);
            call.env("CNI_CONTAINERID", format!("c{number}")).spawn()
        })
        .collect();
    eventually("all calls came in", || {
        agent.events("call").iter().filter(|call| call["served"] == true).count() == 50
    });
    agent.kill();
    for call in calls {
        let answer = call.wait();
        assert_eq!(answer.code(), 11, "{answer:?}");
        assert!(answer.elapsed < Duration::from_secs(90), "{answer:?}");
    }
}

#[test]
fn a_signal_keeps_its_default_action() {
    // HUP and INT are inherited as ignored under nohup and in the background.
    for wanted in [Signal::SIGTERM, Signal::SIGALRM, Signal::SIGUSR1] {
        let place = TestNode::new();
        let agent = RawAgent::start(&place.socket(), |connection| {
            connection.handshake()?;
            connection.drain()
        });
        let running = place.call("ADD", "1.0.0").spawn();
        eventually("the request was sent", || agent.requests() == 1);
        kill(Pid::from_raw(running.child.id().cast_signed()), wanted).unwrap();
        let answer = running.wait();
        let signal = std::os::unix::process::ExitStatusExt::signal(&answer.status);
        assert_eq!((signal, answer.stdout.len()), (Some(wanted as i32), 0), "{answer:?}");
    }
}

#[test]
fn del_of_a_sandbox_whose_namespace_is_gone_needs_no_agent() {
    let place = TestNode::new();
    let gone = |settings| {
        place.call_with("DEL", "1.0.0", settings).env("CNI_NETNS", "/var/run/netns/gone")
    };
    gone(json!({"waitForAgentSeconds": 0})).run().assert_silent_success();
    gone(json!({})).run().assert_silent_success();
    // An agent that lives is asked, with the path as it came, and for what is owed.
    let agent = place.agent(&[Api::V1]);
    gone(json!({})).run().assert_silent_success();
    assert_eq!(agent.served()[0].netns, "/var/run/netns/gone");
    assert_eq!((agent.served().len(), place.owed().len()), (2, 0));
    drop(agent);
    // What it says counts, and what is no socket is no agent.
    let agent = place.scripted(&[Api::V1], json!({"DEL": {"status": {"code": 13}}}));
    assert_eq!(gone(json!({})).run().code(), 201);
    drop(agent);
    fs::write(place.socket(), "").unwrap();
    gone(json!({})).run().assert_silent_success();
}

#[test]
fn a_del_that_a_stopped_agent_does_not_answer_is_owed() {
    let place = TestNode::new();
    let _silent = RawAgent::start(&place.socket(), |connection| connection.drain());
    let fail = json!({"delWhenAgentDown": "fail"});
    let calls = [
        place.call_with("DEL", "1.0.0", fail.clone()).env("CNI_NETNS", ""),
        place.call_with("DEL", "1.0.0", fail).env("CNI_NETNS", "/var/run/netns/gone"),
        place.call_with("DEL", "1.0.0", json!({})).env("CNI_CONTAINERID", "other"),
    ];
    for running in calls.map(|call| call.spawn()) {
        let answer = running.wait();
        answer.assert_silent_success();
        assert!(answer.elapsed >= Duration::from_secs(20), "{answer:?}");
        assert!(answer.elapsed < Duration::from_secs(40), "{answer:?}");
    }
    assert_eq!(place.owed().len(), 2);
}

#[test]
#[ignore = "needs root; make test-release runs it"]
fn a_socket_that_may_not_be_connected_to_is_not_an_absent_agent() {
    use std::os::unix::process::CommandExt;
    let place = TestNode::new();
    let _agent = place.agent(&[Api::V1]);
    fs::set_permissions(place.path(""), fs::Permissions::from_mode(0o755)).unwrap();
    fs::set_permissions(place.socket(), fs::Permissions::from_mode(0o600)).unwrap();
    let copy = place.path("antrea");
    antrea_cni_test_support::copy_program(antrea_cni_test_support::plugin(), &copy);
    fs::set_permissions(&copy, fs::Permissions::from_mode(0o755)).unwrap();
    let call = place.call_with("DEL", "1.0.0", json!({}));
    let mut command = std::process::Command::new(copy);
    command.env_clear().envs(&call.env).env("CNI_NETNS", "").uid(65534).gid(65534);
    let answer = call.run_as(command);
    assert_eq!(answer.code(), 11, "{answer:?}");
    let text = answer.text();
    assert!(text.contains("is not permitted") && text.contains("SELinux"), "{text}");
}

#[test]
fn a_command_ends_at_most_three_agents() {
    for command in ["CHECK", "DEL", "GC"] {
        let place = TestNode::new();
        let dies = json!({command: {"die": "before"}});
        let mut started = 0;
        let running = place.call_with(command, "1.1.0", json!({"waitForAgentSeconds": 20})).spawn();
        let mut agents = Vec::new();
        while !running.has_ended() && started < 8 {
            let options = Options {
                script: serde_json::from_value(dies.clone()).unwrap(),
                ..Options::new(place.socket(), &[Api::V1])
            };
            let mut agent = AgentProcess::start(&options, &place.path("journal"));
            started += 1;
            eventually("it dies, or is not asked", || running.has_ended() || agent.has_ended());
            agents.push(agent);
        }
        let answer = running.wait();
        assert_eq!(answer.code(), 11, "{answer:?}");
        let asked = agents[0].events("call").iter().filter(|call| call["served"] == true).count();
        assert_eq!(asked, 3, "{command}");
    }
}

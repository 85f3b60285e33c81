// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! An agent that answers "try again later": it did nothing, and is asked again.

use antrea_cni_agent::{Agent, Api, Options};
use serde_json::{Value, json};

use antrea_cni_test_support::TestNode;
#[cfg(unix)]
use antrea_cni_test_support::eventually;
#[cfg(unix)]
use antrea_cni_test_support::frames::RawAgent;

fn busy() -> Value {
    json!({"code": 11, "message": "Server is busy, please retry later", "details": "its own"})
}

fn methods(agent: &Agent) -> Vec<String> {
    let name = |path: &str| path.rsplit('/').next().unwrap().to_owned();
    agent.served().iter().map(|call| name(&call.path)).collect()
}

#[test]
fn every_command_but_status_is_asked_again() {
    for (command, method) in [("ADD", "CmdAdd"), ("DEL", "CmdDel"), ("GC", "CmdGC")] {
        let node = TestNode::new();
        let agent = node.scripted(&[Api::V1], json!({command: {"error": busy(), "times": 1}}));
        let settings = json!({"waitForAgentSeconds": 0, "logFile": node.path("log")});
        let answer = node.call_with(command, "1.1.0", settings).run();
        assert_eq!(answer.exit(), 0, "{answer:?}");
        // Nothing in between: an agent that did nothing has nothing to undo.
        assert_eq!(methods(&agent), [method, method]);
        let log = std::fs::read_to_string(node.path("log")).unwrap();
        let event: Value = serde_json::from_str(&log).unwrap();
        let codes: Vec<_> =
            event["tried"].as_array().unwrap().iter().filter_map(|it| it.get("code")).collect();
        assert_eq!(codes, [&json!(11), &json!(0)], "each attempt is in the log");
    }
    let node = TestNode::new();
    let agent = node.scripted(&[Api::V1], json!({"STATUS": {"error": busy()}}));
    assert_eq!(node.call("STATUS", "1.1.0").run().code(), 11);
    assert_eq!(agent.served().len(), 1);
}

#[test]
fn no_other_code_is_asked_again() {
    for code in [2, 50, 51, 101, 102, 999] {
        let node = TestNode::new();
        let agent = node.scripted(&[Api::V1BETA1], json!({"*": {"error": {"code": code}}}));
        for command in ["ADD", "CHECK", "DEL"] {
            assert_eq!(node.call(command, "1.0.0").run().code(), code);
        }
        assert_eq!(agent.served().len(), 3);
    }
    let node = TestNode::new();
    let agent = node.scripted(&[Api::V1BETA1], json!({"*": {"status": {"code": 14}}}));
    assert_eq!(node.call("ADD", "1.0.0").run().code(), 11);
    assert_eq!(agent.served().len(), 1);
}

/// An agent takes 30 s to say it again, and an ADD that is cut off has an unknown outcome.
#[test]
fn an_add_is_asked_again_only_while_35_s_are_left() {
    for (seconds, least) in [(35, 1), (38, 2)] {
        let node = TestNode::new();
        let agent = node.scripted(&[Api::V1], json!({"ADD": {"error": busy()}}));
        let settings = json!({"waitForAgentSeconds": 0, "addTimeoutSeconds": seconds});
        let answer = node.call_with("ADD", "1.0.0", settings).run();
        assert_eq!(answer.code(), 11);
        let asked = agent.served().len();
        assert!(asked >= least && asked <= 3, "{asked} times within {seconds} s");
        let text = answer.text();
        let times = if asked == 1 { "1 time in ".to_owned() } else { format!("{asked} times in ") };
        assert!(
            text.contains(&format!("asked {times}")) && text.ends_with(" s: its own"),
            "{text}"
        );
        assert!(text.starts_with("Server is busy, please retry later"), "{text}");
    }
}

/// An agent that says "try again later", perhaps without having v1, and is not there any more.
#[cfg(unix)]
fn goes_away(node: &TestNode, is_old: bool) -> RawAgent {
    let socket = node.socket();
    RawAgent::start(&node.socket(), move |connection| {
        connection.handshake()?;
        let mut stream = connection.request()?;
        if is_old {
            connection.trailers_only(stream, "12", b"unknown service")?;
            stream = connection.request()?;
        }
        std::fs::remove_file(&socket).ok()?;
        connection.head(stream)?;
        // `CniCmdResponse` with an error of code 11 and the message "busy"
        let reply = b"\x12\x08\x08\x0b\x12\x04busy";
        connection.message(stream, 0, reply.len(), reply)?;
        connection.trailers(stream, "0")?;
        connection.drain()
    })
}

/// It did nothing, so the next one gets the ADD with no DEL before it.
#[cfg(unix)]
#[test]
fn another_agent_in_between_gets_the_add() {
    let node = TestNode::new();
    let first = goes_away(&node, false);
    let running = node.call_with("ADD", "1.0.0", json!({"waitForAgentSeconds": 30})).spawn();
    eventually("the first agent went away", || !node.socket().exists());
    let second = node.agent(&[Api::V1BETA1]);
    let answer = running.wait();
    assert_eq!(answer.exit(), 0, "{answer:?}");
    assert_eq!((first.requests(), methods(&second)), (1, vec!["CmdAdd".to_owned()]));
}

#[cfg(unix)]
#[test]
fn the_agents_words_are_the_answer_when_it_goes_away() {
    let node = TestNode::new();
    let _agent = goes_away(&node, false);
    let answer = node.call_with("ADD", "1.0.0", json!({"waitForAgentSeconds": 1})).run();
    assert_eq!(answer.code(), 11, "{answer:?}");
    assert!(answer.text().starts_with("busy; asked 1 time in "), "{answer:?}");
}

/// The end comes nearer while it waits for the next agent, which is there at the same moment.
#[cfg(unix)]
#[test]
fn the_next_agent_is_not_asked_when_the_end_came_too_near() {
    use nix::sys::signal::{Signal, kill};
    let node = TestNode::new();
    let folder = node.path("net.d");
    std::fs::create_dir(&folder).unwrap();
    std::fs::File::open(&folder).unwrap().set_modified(std::time::UNIX_EPOCH).unwrap();
    let _first = goes_away(&node, false);
    let running = node.call_with("ADD", "1.0.0", json!({"waitForAgentSeconds": 60})).spawn();
    let started = std::time::Instant::now();
    eventually("the first agent went away", || !node.socket().exists());
    let plugin = nix::unistd::Pid::from_raw(running.child.id().cast_signed());
    eventually("its pause is over", || started.elapsed().as_secs() >= 3);
    kill(plugin, Signal::SIGSTOP).unwrap();
    // A call looks at the folder from its fifth second on.
    eventually("it would look at the folder", || started.elapsed().as_secs() >= 6);
    std::fs::write(folder.join("10-antrea.conflist"), "{}").unwrap();
    let second = node.agent(&[Api::V1]);
    kill(plugin, Signal::SIGCONT).unwrap();
    let answer = running.wait();
    assert_eq!(answer.code(), 11, "{answer:?}");
    assert!(answer.text().starts_with("busy; asked 1 time in "), "{answer:?}");
    assert!(second.served().is_empty());
}

/// In another PID namespace, as of a Pod that runs plugins, the kernel has no number for an
/// agent: the next one may have what the last one refused.
#[cfg(target_os = "linux")]
#[test]
#[ignore = "needs root and util-linux; make test-release runs it"]
fn an_agent_without_a_number_is_asked_for_what_another_one_refused() {
    let node = TestNode::new();
    let first = goes_away(&node, true);
    let call = node.call("ADD", "1.0.0");
    let mut unshare = std::process::Command::new("unshare");
    unshare
        .args(["--pid", "--fork"])
        .arg(antrea_cni_test_support::plugin())
        .env_clear()
        .envs(&call.env)
        .env("PATH", "/usr/bin:/bin");
    let running = call.start_as(unshare);
    eventually("the first agent went away", || !node.socket().exists());
    let second = node.agent(&[Api::V1]);
    let answer = running.wait();
    assert_eq!(answer.exit(), 0, "{answer:?}");
    assert_eq!((first.requests(), methods(&second)), (2, vec!["CmdAdd".to_owned()]));
}

/// As released agents behave while their node's network is not ready.
#[test]
fn an_agent_whose_network_comes_late_does_the_add() {
    let node = TestNode::new();
    let options =
        Options { network_ready_after: 33, ..Options::new(node.socket(), &[Api::V1BETA1]) };
    let agent = Agent::start(options).unwrap();
    let answer = node.call_with("ADD", "1.0.0", json!({})).run();
    assert_eq!(answer.exit(), 0, "{answer:?}");
    assert_eq!(methods(&agent), ["CmdAdd", "CmdAdd"]);
}

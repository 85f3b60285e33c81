// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! What only Windows has: named pipes, and what `CNI_NETNS` is there.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use antrea_cni_agent::Api;
use antrea_cni_test_support::{Call, TestNode, skipped};
use serde_json::json;

/// A call for a socket that is named as it is.
fn call(socket: &str) -> Call {
    let configuration = json!({
        "cniVersion": "0.3.0", "name": "antrea", "type": "antrea",
        "ipam": {"type": "host-local"},
        "antreaCni": {"socket": socket, "waitForAgentSeconds": 0},
    });
    Call::new("ADD", configuration.to_string())
}

#[test]
fn a_pipe_that_is_not_there_is_told_at_once() {
    let node = TestNode::new();
    let settings = json!({"waitForAgentSeconds": 0, "delWhenAgentDown": "fail"});
    for command in ["ADD", "CHECK", "DEL", "GC"] {
        let answer = node.call_with(command, "1.1.0", settings.clone()).run();
        assert_eq!(answer.code(), 11, "{answer:?}");
        let says = "wait until its Pod on this node is running";
        assert!(answer.text().contains(says), "{answer:?}");
    }
    assert_eq!(node.call("STATUS", "1.1.0").run().code(), 50);
}

#[test]
fn an_agent_that_is_being_restarted_is_waited_for() {
    let node = TestNode::new();
    let running = node.call_with("ADD", "1.0.0", json!({"waitForAgentSeconds": 60})).spawn();
    let agent = node.agent(&[Api::V1]);
    assert_eq!(running.wait().exit(), 0);
    assert_eq!(agent.served().len(), 1);
}

#[test]
fn what_is_no_pipe_is_not_opened() {
    let node = TestNode::new();
    fs::write(node.path("file"), "mine").unwrap();
    for path in [node.path("file"), r"C:\ProgramData\antrea\cni.sock".into()] {
        let answer = call(path.to_str().unwrap()).run();
        assert_eq!(answer.code(), 7, "{answer:?}");
        assert!(answer.text().contains("must be the path of a named pipe"), "{answer:?}");
    }
    assert_eq!(fs::read(node.path("file")).unwrap(), b"mine");
}

#[test]
fn a_pipe_is_named_in_several_ways() {
    let node = TestNode::new();
    let agent = node.agent(&[Api::V1]);
    let pipe = node.socket();
    let slashes = pipe.to_str().unwrap().replace('\\', "/");
    for (number, name) in [slashes.clone(), format!("npipe://{slashes}")].iter().enumerate() {
        let answer = call(name).env("CNI_CONTAINERID", format!("c{number}")).run();
        assert_eq!(answer.exit(), 0, "{answer:?}");
    }
    assert_eq!(agent.served().len(), 2);
}

#[test]
fn paths_are_those_of_windows() {
    for path in ["/var/run/antrea/cni.sock", r"pipe\cnisock", r"..\cni.sock"] {
        assert_eq!(call(path).run().code(), 7, "{path}");
    }
    let long = format!(r"\\.\pipe\{}", "x".repeat(300));
    assert!(call(&long).run().text().contains("at most 256 bytes"));
}

/// The name of a pipe has no case.
#[test]
fn a_pipe_is_found_by_any_spelling_of_its_folder() {
    let node = TestNode::new();
    let _agent = node.agent(&[Api::V1BETA1]);
    let socket = node.socket().to_str().unwrap().replace(r"\\.\pipe\", r"\\.\PIPE\");
    assert_eq!(call(&socket).run().exit(), 0);
}

#[test]
fn the_namespace_is_passed_on_as_it_is() {
    let node = TestNode::new();
    let agent = node.agent(&[Api::V1BETA1]);
    let namespaces = ["4b1ac4a9-9c1e-4a3a-b3b6-0a6c6d1b5c55", "none", "container:0f2e4d6c"];
    for namespace in namespaces {
        let call = node.call("ADD", "0.3.0").env("CNI_NETNS", namespace);
        let call = call.env("CNI_CONTAINERID", namespace.replace(':', "-"));
        assert_eq!(call.run().exit(), 0, "{namespace}");
    }
    let seen: Vec<_> = agent.served().into_iter().map(|call| call.netns).collect();
    assert_eq!(seen, namespaces);
}

fn a_hundred_at_once(call: &Call) {
    let running: Vec<_> = (0..100)
        .map(|index| call.clone().env("CNI_CONTAINERID", format!("c{index}")).spawn())
        .collect();
    for running in running {
        let answer = running.wait();
        assert_eq!(answer.exit(), 0, "{answer:?}");
    }
}

/// An agent makes the next instance of its pipe when somebody connected to the last.
#[test]
fn a_burst_of_calls_finds_busy_pipes_and_is_done() {
    let node = TestNode::new();
    let agent = node.agent(&[Api::V1]);
    a_hundred_at_once(&node.call("ADD", "1.1.0"));
    assert_eq!(agent.served().len(), 100);
}

/// A pipe that takes the connection, and is never read.
#[test]
fn a_silent_pipe_does_not_keep_a_call() {
    let node = TestNode::new();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let name = node.socket();
    let server = {
        let _entered = runtime.enter();
        tokio::net::windows::named_pipe::ServerOptions::new().create(&name).unwrap()
    };
    // wine gives it no owner.
    let settings = json!({"waitForAgentSeconds": 0, "requireRootAgent": false});
    let answer = node.call_with("STATUS", "1.1.0", settings).run();
    assert_eq!(answer.code(), 50, "{answer:?}");
    drop(server);
}

#[test]
fn many_writers_share_a_log_and_its_rotation() {
    const WRITERS: usize = 8;
    let node = TestNode::new();
    let _agent = node.agent(&[Api::V1]);
    let (log, old) = (node.path("log"), node.path("log.1"));
    // Room for a few lines.
    let full = (10 << 20) - 2000;
    fs::write(&log, "x".repeat(full) + "\n").unwrap();
    let call = node.call_with("DEL", "1.1.0", json!({"logFile": log, "waitForAgentSeconds": 0}));
    std::thread::scope(|all| {
        for writer in 0..WRITERS {
            let call = &call;
            all.spawn(move || {
                for line in 0..5 {
                    let id = format!("w{writer}-{line}");
                    call.clone().env("CNI_CONTAINERID", id).run().assert_silent_success();
                }
            });
        }
    });
    let lines = [old, log].map(|path| fs::read_to_string(path).unwrap());
    let seen: std::collections::BTreeSet<_> = lines
        .iter()
        .flat_map(|text| text.lines())
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .map(|event| event["container"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(seen.len(), WRITERS * 5);
}

/// An agent in grpc-go on go-winio, as antrea-agent is; `tests/wine.sh` builds it.
struct GoAgent(Child);

impl GoAgent {
    fn start(node: &TestNode, packages: &str) -> Option<Self> {
        let Some(program) = std::env::var_os("ANTREA_CNI_GO_AGENT") else {
            skipped("an agent in grpc-go and go-winio needs Go");
            return None;
        };
        let mut agent = Command::new(program)
            .arg(node.socket())
            .arg(packages)
            .arg(node.path("journal"))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut version = String::new();
        BufReader::new(agent.stdout.take().unwrap()).read_line(&mut version).unwrap();
        assert!(version.starts_with("1."), "{version}");
        // go-winio's first instance only keeps the name. Windows lets nobody connect to it,
        // and wine does.
        let socket = node.socket();
        drop(antrea_cni::grpc::connect(socket.to_str().unwrap(), true, false, Instant::now()));
        Some(Self(agent))
    }
}

impl Drop for GoAgent {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

const V1: &str = "antrea_io.antrea.pkg.apis.cni.v1";
const V1BETA1: &str = "antrea_io.antrea.pkg.apis.cni.v1beta1";

#[test]
fn an_agent_in_go_is_asked_for_every_command() {
    for packages in [V1, V1BETA1] {
        let node = TestNode::new();
        let Some(_agent) = GoAgent::start(&node, packages) else { return };
        let add = node.call("ADD", "0.3.0").run();
        assert_eq!(add.document().unwrap()["ips"][0]["address"], "10.10.0.2/24", "{add:?}");
        for command in ["CHECK", "DEL", "GC", "STATUS"] {
            let answer = node.call(command, "1.1.0").run();
            answer.assert_silent_success();
        }
    }
}

#[test]
fn an_agent_in_go_is_called_by_a_hundred_at_once() {
    let node = TestNode::new();
    let Some(_agent) = GoAgent::start(&node, V1BETA1) else { return };
    a_hundred_at_once(&node.call("ADD", "0.3.0"));
}

/// Each call ends well, or with the code for an agent that is not there.
#[test]
fn an_agent_in_go_is_killed_and_comes_back() {
    let node = TestNode::new();
    let Some(agent) = GoAgent::start(&node, V1BETA1) else { return };
    let add = node.call("ADD", "0.3.0");
    let running: Vec<_> = (0..20)
        .map(|index| add.clone().env("CNI_CONTAINERID", format!("c{index}")).spawn())
        .collect();
    drop(agent);
    for running in running {
        let answer = running.wait();
        assert!(answer.exit() == 0 || answer.code() == 11, "{answer:?}");
    }
    let fail = json!({"waitForAgentSeconds": 0, "delWhenAgentDown": "fail"});
    let down = node.call_with("DEL", "0.3.0", fail).run();
    assert_eq!(down.code(), 11, "{down:?}");
    let _next = GoAgent::start(&node, V1);
    node.call("DEL", "0.3.0").run().assert_silent_success();
}

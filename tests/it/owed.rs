// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! DELs that no agent did: each is kept, and done by the next agent.

use std::fs;
#[cfg(unix)]
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

use antrea_cni::input::CmdArgs;
use antrea_cni::{Action, Command, SOCKET_PATH};
use antrea_cni_agent::Api;
use serde_json::{Value, json};

use antrea_cni_test_support::{Call, TestNode};

fn del(node: &TestNode, container: &str) -> Call {
    node.call("DEL", "1.0.0").env("CNI_CONTAINERID", container)
}

fn add(node: &TestNode, container: &str) -> Call {
    node.call("ADD", "1.0.0").env("CNI_CONTAINERID", container)
}

/// The commands that an agent served, each with its container.
fn served(agent: &antrea_cni_agent::Agent) -> Vec<String> {
    let served = agent.served();
    let name = |path: &str| path.rsplit('/').next().unwrap().to_owned();
    served.iter().map(|call| format!("{} {}", name(&call.path), call.container_id)).collect()
}

#[test]
fn a_thousand_dels_without_an_agent_leave_no_lease() {
    let node = TestNode::new();
    let state = node.path("state");
    let start = || {
        let options = antrea_cni_agent::Options {
            state: Some(state.clone()),
            ..antrea_cni_agent::Options::new(node.socket(), &[Api::V1BETA1])
        };
        antrea_cni_agent::Agent::start(options).unwrap()
    };
    // An agent has 253 addresses, so it has as many leases; the other DELs find none.
    let agent = start();
    for number in 0..250 {
        assert_eq!(add(&node, &format!("c{number}")).run().exit(), 0);
    }
    drop(agent);
    for number in 0..1000 {
        del(&node, &format!("c{number}")).run().assert_silent_success();
    }
    assert_eq!(node.owed().len(), 1000);
    let agent = start();
    assert_eq!(agent.containers().len(), 250);
    // One call goes on for 2 s at most, which is enough for the release build on a quiet machine.
    let mut calls = 0;
    while !node.owed().is_empty() && calls < 8 {
        node.call("CHECK", "1.0.0").run();
        calls += 1;
    }
    assert_eq!((agent.containers().len(), node.owed().len()), (0, 0), "after {calls} calls");
    println!("1000 DELs that were owed were done by {calls} calls");
    // On Windows its lock is open until the process ends.
    assert!(cfg!(windows) || !node.owed_folder().exists());
}

/// STATUS is in the log only if something is wrong.
#[test]
fn what_an_agent_answers_to_an_owed_del_is_in_the_log() {
    let node = TestNode::new();
    del(&node, "a").run().assert_silent_success();
    let error = json!({"DEL": {"error": {"code": 101, "message": "its own"}}});
    let _agent = node.scripted(&[Api::V1], error);
    let settings = json!({"logFile": node.path("log"), "logLevel": "error"});
    node.call_with("STATUS", "1.1.0", settings).run().assert_silent_success();
    let log = fs::read_to_string(node.path("log")).unwrap();
    let event: Value = serde_json::from_str(&log).unwrap();
    assert!(event["owedErrors"][0].as_str().unwrap().contains("its own"), "{event}");
}

#[test]
fn whatever_is_answered_sends_what_is_owed_oldest_first() {
    for command in ["ADD", "CHECK", "DEL", "GC", "STATUS"] {
        let node = TestNode::new();
        for container in ["b", "a", "c"] {
            del(&node, container).run().assert_silent_success();
        }
        let agent = node.agent(&[Api::V1]);
        node.call(command, "1.1.0").run();
        let sent = served(&agent);
        assert_eq!(sent[1..], ["CmdDel b", "CmdDel a", "CmdDel c"], "{command}");
        assert_eq!(node.owed().len(), 0);
    }
}

#[test]
fn a_del_is_sent_as_it_came() {
    let node = TestNode::new();
    let call = del(&node, "a").env("CNI_ARGS", "K8S_POD_NAME=é").env("CNI_PATH", "/p");
    call.run().assert_silent_success();
    // The runtime's second DEL has no network namespace.
    call.clone().env("CNI_NETNS", "").run().assert_silent_success();
    let agent = node.agent(&[Api::V1BETA1]);
    node.call("CHECK", "1.0.0").run();
    let sent = agent.served().pop().unwrap();
    let antrea_cni_test_support::Stdin::Bytes(stdin) = &call.stdin else { panic!() };
    assert_eq!(sent.network_configuration, *stdin);
    assert_eq!((&*sent.netns, &*sent.args), (node.netns().to_str().unwrap(), "K8S_POD_NAME=é"));
    assert_eq!((&*sent.ifname, &*sent.cni_path), ("eth0", "/p"));
    assert_eq!(agent.served().len(), 2);
}

#[test]
fn an_add_comes_after_the_del_that_is_owed_for_it() {
    let node = TestNode::new();
    del(&node, "a").run().assert_silent_success();
    del(&node, "b").run().assert_silent_success();
    let agent = node.agent(&[Api::V1BETA1]);
    assert_eq!(add(&node, "b").run().exit(), 0);
    assert_eq!(served(&agent), ["CmdDel b", "CmdAdd b", "CmdDel a"]);
    assert_eq!(agent.containers(), ["b"]);
}

/// One that no agent answers keeps the others from nothing: neither a DEL that is asked for
/// later, nor what is no DEL at all.
#[test]
fn the_others_are_done_whatever_the_oldest_is() {
    for script in [json!({"error": {"code": 11}}), json!({"status": {"code": 14}})] {
        let node = TestNode::new();
        ["a", "b", "c"].iter().for_each(|it| del(&node, it).run().assert_silent_success());
        let mut script = json!({"DEL": script});
        script["DEL"]["onlyFor"] = "a".into();
        let _agent = node.scripted(&[Api::V1BETA1], script);
        node.call("CHECK", "1.0.0").run();
        let left = node.owed();
        assert!(left.len() == 1 && left[0].ends_with("_a@eth0"), "{left:?}");
    }
    #[cfg(unix)]
    {
        let node = TestNode::new();
        del(&node, "b").run().assert_silent_success();
        let oldest = node.owed_folder().join("0000000000001_a@eth0");
        symlink("/etc/passwd", &oldest).unwrap();
        fs::create_dir(node.owed_folder().join("0000000000002_c@eth0")).unwrap();
        let agent = node.agent(&[Api::V1BETA1]);
        node.call("CHECK", "1.0.0").run();
        node.call("CHECK", "1.0.0").run();
        assert!(served(&agent).contains(&"CmdDel b".to_owned()));
        assert!(fs::symlink_metadata(oldest).is_err());
    }
}

/// An ADD is not done before its DEL is off the list: it would be deleted by it.
#[cfg(unix)]
#[test]
#[ignore = "needs root; make test-release runs it"]
fn an_add_fails_while_its_del_cannot_be_removed() {
    let node = TestNode::new();
    del(&node, "a").run().assert_silent_success();
    let folder = node.owed_folder();
    let bind = |options: &[&str]| {
        let mut mount = std::process::Command::new("mount");
        assert!(mount.args(options).arg(&folder).status().unwrap().success());
    };
    let itself = folder.to_str().unwrap();
    bind(&["--bind", itself]);
    bind(&["-o", "remount,bind,ro"]);
    let agent = node.agent(&[Api::V1BETA1]);
    let answer = add(&node, "a").run();
    let unmounted = std::process::Command::new("umount").arg(&folder).status().unwrap();
    assert!(unmounted.success());
    assert_eq!(answer.code(), 11, "{answer:?}");
    assert_eq!(served(&agent), ["CmdDel a"]);
}

#[cfg(unix)]
#[test]
fn an_add_says_what_keeps_it_back() {
    let node = TestNode::new();
    del(&node, "b").run().assert_silent_success();
    fs::create_dir(node.owed_folder().join("0000000000002_c@eth0")).unwrap();
    let agent = node.agent(&[Api::V1BETA1]);
    let answer = add(&node, "c").run();
    assert_eq!(answer.code(), 11, "{answer:?}");
    assert!(
        answer.text().contains("c@eth0, which is stored beside the socket, cannot be removed"),
        "{answer:?}"
    );
    assert!(!served(&agent).contains(&"CmdAdd c".to_owned()));
}

/// A gRPC status is an answer, too, and so is that of an agent without GC.
#[test]
fn whatever_is_an_answer_sends_what_is_owed() {
    for (command, script) in
        [("CHECK", json!({"CHECK": {"status": {"code": 2}}})), ("GC", json!({}))]
    {
        let node = TestNode::new();
        del(&node, "a").run().assert_silent_success();
        let _agent = node.scripted(&[Api::V1BETA1], script);
        node.call(command, "1.1.0").run();
        assert_eq!(node.owed().len(), 0, "{command}");
    }
}

/// A limit of file sizes ends no DEL.
#[cfg(unix)]
#[test]
fn a_del_outlives_a_limit_of_file_sizes() {
    let node = TestNode::new();
    let call = del(&node, "a").env("CNI_NETNS", "");
    let mut shell = std::process::Command::new("/bin/sh");
    shell.args(["-c", r#"ulimit -f 0; exec "$0""#]).arg(antrea_cni_test_support::plugin());
    shell.env_clear().envs(&call.env);
    call.run_as(shell).assert_silent_success();
    assert_eq!(node.owed().len(), 0);
}

/// Two processes may have written a DEL at the same time.
#[test]
fn an_add_comes_after_each_del_that_is_owed_for_it() {
    let node = TestNode::new();
    del(&node, "a").run().assert_silent_success();
    let name = node.owed().remove(0);
    let (due, key) = name.split_once('_').unwrap();
    let twin = format!("{:013}_{key}", due.parse::<u64>().unwrap() + 1);
    fs::copy(node.owed_folder().join(&name), node.owed_folder().join(twin)).unwrap();
    let agent = node.agent(&[Api::V1BETA1]);
    assert_eq!(add(&node, "a").run().exit(), 0);
    assert_eq!(served(&agent), ["CmdDel a", "CmdDel a", "CmdAdd a"]);
    assert_eq!(agent.containers(), ["a"]);
}

#[test]
fn many_dels_of_one_container_at_once_are_owed_once() {
    let node = TestNode::new();
    let running: Vec<_> = (0..30).map(|_| del(&node, "a").spawn()).collect();
    running.into_iter().for_each(|it| it.wait().assert_silent_success());
    assert_eq!(node.owed().len(), 1, "{:?}", node.owed());
}

#[test]
fn an_add_fails_while_its_del_cannot_be_done() {
    let node = TestNode::new();
    del(&node, "a").run().assert_silent_success();
    assert_eq!(add(&node, "a").run().code(), 11);
    let busy = json!({"DEL": {"error": {"code": 11, "message": "busy"}}, "CHECK": {}});
    let agent = node.scripted(&[Api::V1BETA1], busy);
    let settings = json!({"addTimeoutSeconds": 35, "waitForAgentSeconds": 0});
    let answer = node.call_with("ADD", "1.0.0", settings).env("CNI_CONTAINERID", "a").run();
    assert_eq!(answer.code(), 11, "{answer:?}");
    assert!(answer.text().contains("busy"), "{answer:?}");
    assert!(!served(&agent).contains(&"CmdAdd a".to_owned()));
    assert_eq!(node.owed().len(), 1);
}

#[test]
fn an_answer_ends_it_and_a_cut_does_not() {
    for (script, is_left) in [
        (json!({"error": {"code": 101, "message": "no"}}), false),
        (json!({"status": {"code": 2, "message": "no"}}), false),
        (json!({"status": {"code": 14, "message": "it ends"}}), true),
        (json!({"close": "before", "times": 1}), true),
        (json!({"error": {"code": 11}}), true),
    ] {
        let node = TestNode::new();
        del(&node, "a").run().assert_silent_success();
        let agent = node.scripted(&[Api::V1BETA1], json!({"DEL": script}));
        let settings = json!({"waitForAgentSeconds": 0, "logFile": node.path("log")});
        node.call_with("CHECK", "1.0.0", settings).run();
        assert_eq!(node.owed().len(), usize::from(is_left), "{script}");
        let log = fs::read_to_string(node.path("log")).unwrap();
        let event: Value = serde_json::from_str(&log).unwrap();
        assert_eq!(event["owedDone"], if is_left { Value::Null } else { json!(1) }, "{log}");
        assert_eq!(log.contains("DEL of a eth0: "), !is_left, "{log}");
        drop(agent);
    }
    // None of our APIs: nobody answered.
    let node = TestNode::new();
    del(&node, "a").run().assert_silent_success();
    let _agent = node.agent(&[]);
    assert_eq!(del(&node, "b").run().code(), 202);
    assert_eq!(node.owed().len(), 1);
}

#[test]
fn a_del_that_an_agent_answers_with_an_error_is_no_success() {
    let node = TestNode::new();
    let _agent = node.scripted(&[Api::V1], json!({"DEL": {"error": {"code": 102}}}));
    assert_eq!(del(&node, "a").run().code(), 102);
    assert_eq!(node.owed().len(), 0);
}

#[test]
fn an_add_whose_outcome_is_unknown_owes_a_del_for_later() {
    let node = TestNode::new();
    let agent = node.scripted(&[Api::V1BETA1], json!({"ADD": {"close": "before"}}));
    assert_eq!(add(&node, "a").run().code(), 11);
    assert_eq!(node.owed().len(), 1);
    // The runtime's own DEL comes at once, and the other one is not due.
    del(&node, "a").run().assert_silent_success();
    assert_eq!(served(&agent), ["CmdAdd a", "CmdDel a"]);
    assert_eq!(node.owed().len(), 1);
    drop(agent);
    // As if 61 s had gone by.
    let folder = node.owed_folder();
    let name = node.owed().remove(0);
    let (due, key) = name.split_once('_').unwrap();
    let earlier = due.parse::<u64>().unwrap() - 61_000;
    fs::rename(folder.join(&name), folder.join(format!("{earlier:013}_{key}"))).unwrap();
    let agent = node.agent(&[Api::V1BETA1]);
    node.call("CHECK", "1.0.0").run();
    assert_eq!(served(&agent)[1..], ["CmdDel a"]);
    assert_eq!(node.owed().len(), 0);
}

/// Else it may be owed to an agent that never comes.
#[test]
fn a_del_is_owed_only_where_the_socket_is_known() {
    for (settings, is_owed) in [
        (json!({}), true),
        (json!({"logLevel": 5}), true),
        (json!({"socket": SOCKET_PATH, "colour": 5}), true),
        (json!({"socket": 5}), false),
        // What is not known may be its name, misspelt.
        (json!({"scoket": SOCKET_PATH}), false),
        (json!(5), false),
    ] {
        let configuration = json!({"cniVersion": "1.0.0", "name": "x", "antreaCni": settings});
        let args = CmdArgs { stdin_data: configuration.to_string().into(), ..CmdArgs::default() };
        let call = antrea_cni::input::Call::check(&Command::from(Action::Del), args).unwrap();
        assert_eq!(call.may_succeed_without_agent(), is_owed, "{settings}");
    }
}

#[cfg(unix)]
#[test]
fn what_is_owed_is_nobody_elses_to_read_or_write() {
    let node = TestNode::new();
    del(&node, "a").run().assert_silent_success();
    let folder = node.owed_folder();
    assert_eq!(fs::metadata(&folder).unwrap().mode() & 0o777, 0o700);
    let file = folder.join(node.owed().remove(0));
    assert_eq!(fs::metadata(&file).unwrap().mode() & 0o777, 0o600);

    // A file that others may write is no DEL of ours; it is removed, and the log says so.
    fs::set_permissions(&file, fs::Permissions::from_mode(0o666)).unwrap();
    // What a process left that was killed while it wrote.
    fs::write(folder.join(".123-4"), "half").unwrap();
    let long_ago = std::time::SystemTime::now() - std::time::Duration::from_secs(600);
    fs::File::open(folder.join(".123-4")).unwrap().set_modified(long_ago).unwrap();
    let agent = node.agent(&[Api::V1BETA1]);
    let settings = json!({"waitForAgentSeconds": 0, "logFile": node.path("log")});
    node.call_with("CHECK", "1.0.0", settings).run();
    assert_eq!(agent.served().len(), 1);
    assert!(!folder.exists());
    assert!(fs::read_to_string(node.path("log")).unwrap().contains("is lost: it cannot be read"));
}

#[cfg(unix)]
#[test]
fn a_del_that_cannot_be_kept_is_lost_or_an_error() {
    type Make = fn(&std::path::Path);
    let ways: [Make; 4] = [
        |folder| fs::write(folder, "a file").unwrap(),
        |folder| {
            fs::create_dir(folder).unwrap();
            fs::set_permissions(folder, fs::Permissions::from_mode(0o777)).unwrap();
        },
        |folder| {
            fs::create_dir(folder.with_extension("elsewhere")).unwrap();
            symlink(folder.with_extension("elsewhere"), folder).unwrap();
        },
        |folder| {
            fs::create_dir(folder).unwrap();
            fs::set_permissions(folder, fs::Permissions::from_mode(0o700)).unwrap();
            (0..1024)
                .for_each(|it| fs::write(folder.join(format!("{it:013}_x{it}@e")), "").unwrap());
        },
    ];
    for make in ways {
        let node = TestNode::new();
        make(&node.owed_folder());
        assert_eq!(del(&node, "a").run().code(), 11, "its network namespace is there");
        let settings = json!({"waitForAgentSeconds": 0, "logFile": node.path("log")});
        let gone = node.call_with("DEL", "1.0.0", settings).env("CNI_NETNS", "");
        gone.run().assert_silent_success();
        assert!(fs::read_to_string(node.path("log")).unwrap().contains("\"note\":\"lost: "));
        assert!(
            fs::read_dir(node.path("cni.sock.elsewhere")).is_ok_and(|it| it.count() == 0)
                || !node.path("cni.sock.elsewhere").exists()
        );
    }
}

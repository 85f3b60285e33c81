// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! What only Linux has: descriptors, limits, signals, sockets, and an empty root.

use std::fs::OpenOptions;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};

use antrea_cni_agent::Api;
use antrea_cni_test_support::{
    Answer, Call, Stdin, TestNode, copy_program, leave_dead_socket, skipped,
};
use serde_json::json;

#[test]
fn a_result_that_cannot_be_told_is_a_failure() {
    let place = TestNode::new();
    let _agent = place.agent(&[Api::V1]);
    let call = |id: &str| {
        let call = place.call("ADD", "1.0.0").env("CNI_CONTAINERID", id);
        let Stdin::Bytes(configuration) = &call.stdin else { unreachable!() };
        let file = place.path(id);
        std::fs::write(&file, configuration).unwrap();
        let mut command = call.command();
        command.stdin(std::fs::File::open(file).unwrap()).stderr(Stdio::null());
        command
    };
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    let status = call("full").stdout(full).status().unwrap();
    assert_eq!((status.code(), status.signal()), (Some(1), None));

    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let status = call("pipe").stdout(writer).status().unwrap();
    assert_eq!((status.code(), status.signal()), (Some(1), None));
}

/// containerd takes a DEL error with these words for success.
#[test]
fn no_error_text_of_ours_on_del_reads_as_success() {
    let place = TestNode::new();
    let fail = json!({"waitForAgentSeconds": 0, "delWhenAgentDown": "fail"});
    let missing = place.call_with("DEL", "1.0.0", fail.clone()).run();
    assert_eq!(missing.code(), 11);
    let mut settings = fail.clone();
    settings["socket"] = "/not found/no such file or directory".into();
    let odd = json!({"cniVersion": "1.0.0", "name": "x", "antreaCni": settings});
    let odd_path = Call::new("DEL", odd.to_string()).env("CNI_NETNS", place.netns()).run();
    assert_eq!(odd_path.code(), 11);
    let odd_name = Call::new("DEL", r#"{"name":"not found"}"#).run();
    assert_eq!(odd_name.code(), 7);
    leave_dead_socket(place.socket());
    let refused = place.call_with("DEL", "1.0.0", fail).run();
    assert_eq!(refused.code(), 11);
    for answer in [missing, odd_path, odd_name, refused] {
        let text = String::from_utf8_lossy(&answer.stdout).to_lowercase();
        assert!(!text.contains("not found"), "{text}");
        assert!(!text.contains("no such file or directory"), "{text}");
    }
}

#[test]
#[ignore = "needs root and a static plugin; make test-release runs it"]
fn the_static_plugin_starts_in_an_empty_root() {
    let root = TestNode::new();
    copy_program(antrea_cni_test_support::plugin(), root.path("antrea"));
    let output = Command::new("chroot")
        .arg(root.path(""))
        .arg("/antrea")
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("CNI_COMMAND", "VERSION")
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(output.stdout.starts_with(br#"{"cniVersion":"1.1.0""#), "{output:?}");
}

#[test]
fn a_result_without_a_reader_is_a_failure() {
    for stdout in [">&-", "1</dev/null"] {
        let place = TestNode::new();
        let agent = place.agent(&[Api::V1]);
        let call = place.call("ADD", "1.0.0");
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", &format!("exec \"$0\" {stdout}")]).arg(antrea_cni_test_support::plugin());
        shell.env_clear().envs(&call.env);
        let answer = call.run_as(shell);
        assert_eq!((answer.exit(), answer.document()), (1, None), "{stdout}: {answer:?}");
        assert_eq!(agent.effects().len(), 1);
        // There is nothing to tell of a DEL.
        let call = place.call("DEL", "1.0.0");
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", &format!("exec \"$0\" {stdout}")]).arg(antrea_cni_test_support::plugin());
        shell.env_clear().envs(&call.env);
        call.run_as(shell).assert_silent_success();
        // A runtime that asks for the versions learns none.
        let call = Call::new("VERSION", r#"{"cniVersion":"1.0.0"}"#);
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", &format!("exec \"$0\" {stdout}")]).arg(antrea_cni_test_support::plugin());
        shell.env_clear().envs(&call.env);
        assert_eq!(call.run_as(shell).exit(), 1, "{stdout}");
    }
}

#[test]
fn a_limit_of_file_sizes_is_a_failure_and_no_signal() {
    let place = TestNode::new();
    let _agent = place.agent(&[Api::V1]);
    let call = place.call("ADD", "1.0.0");
    let mut shell = Command::new("/bin/sh");
    let script = "ulimit -f 0; exec \"$0\" >\"$OUT\"";
    shell.args(["-c", script]).arg(antrea_cni_test_support::plugin());
    shell.env_clear().envs(&call.env).env("OUT", place.path("out"));
    std::fs::write(place.path("out"), "").unwrap();
    assert_eq!(call.run_as(shell).exit(), 1);
}

#[test]
fn no_text_of_the_transport_reads_as_success_on_del() {
    use antrea_cni_test_support::frames::{END_STREAM, RawAgent};
    let place = TestNode::new();
    let _agent = RawAgent::start(&place.socket(), |connection| {
        connection.handshake()?;
        let stream = connection.request()?;
        let page: &[u8] = b"text/html; page=not found";
        connection.headers(stream, END_STREAM, &[(":status", b"200"), ("content-type", page)])?;
        connection.drain()
    });
    let answer = place.call("DEL", "1.0.0").run();
    assert_eq!(answer.code(), 201);
    assert!(!answer.text().to_lowercase().contains("not found"), "{answer:?}");
    assert!(answer.text().contains("page=absent"), "{answer:?}");

    // C core's words for what it does not have, quoted by our 202.
    let place = TestNode::new();
    let _agent = RawAgent::start(&place.socket(), |connection| {
        connection.handshake()?;
        loop {
            let stream = connection.request()?;
            connection.trailers_only(stream, "12", b"Method not found!")?;
        }
    });
    let answer = place.call("DEL", "1.0.0").run();
    assert_eq!(answer.code(), 202);
    assert!(!answer.text().to_lowercase().contains("not found"), "{answer:?}");

    // The one status that is the answer is the agent's own word.
    let place = TestNode::new();
    let said = json!({"DEL": {"status": {"code": 2, "message": "container not found"}}});
    let _agent = place.scripted(&[Api::V1], said);
    let document = place.call("DEL", "1.0.0").run().document().unwrap();
    assert!(document["msg"].as_str().unwrap().ends_with("container not found"), "{document}");
    assert!(!document["details"].as_str().unwrap().contains("not found"), "{document}");
}

/// Runs a call whose system calls answer otherwise. Returns `None` where that cannot be done.
fn run_with_strace(call: &Call, inject: &str) -> Option<Answer> {
    let strace = Command::new("strace").arg("--version").output();
    if !strace.is_ok_and(|it| it.status.success()) {
        skipped("answers of the kernel are changed with strace");
        return None;
    }
    let mut command = Command::new("strace");
    command.args(["-f", "-o", "/dev/null", "-e"]);
    command.arg(format!("inject={inject}")).arg(call.command().get_program());
    command.env_clear().envs(&call.env).env("PATH", std::env::var_os("PATH").unwrap());
    Some(call.run_as(command))
}

/// Linux reports the end of a pipe alone if its last writer writes and closes while poll(2) looks.
#[cfg(target_arch = "x86_64")]
#[test]
fn a_configuration_that_arrives_while_the_plugin_looks_for_it_is_read() {
    let place = TestNode::new();
    let _agent = place.agent(&[Api::V1]);
    // The standard library polls once at the start. A `struct pollfd` is 0, POLLIN and POLLHUP then.
    let hangup = "poll:poke_exit=@arg1=0000000001001000:when=2";
    if let Some(answer) = run_with_strace(&place.call("ADD", "1.0.0"), hangup) {
        assert_eq!(answer.status.code(), Some(0), "{answer:?}");
    }
}

/// The connection is as good as before, so that no read would report it.
#[test]
fn a_request_for_which_the_kernel_has_no_memory_is_a_lost_call() {
    let place = TestNode::new();
    let agent = place.agent(&[Api::V1]);
    let no_memory = "sendto:error=ENOBUFS";
    if let Some(answer) = run_with_strace(&place.call("ADD", "1.0.0"), no_memory) {
        assert_eq!(answer.code(), 11, "{answer:?}");
        assert!(answer.text().contains("No buffer space"), "{answer:?}");
    }
    assert!(agent.served().is_empty());
}

//! What the runtime gets back.

use std::fs::OpenOptions;
use std::os::unix::net::UnixListener;
use std::os::unix::process::ExitStatusExt;
use std::process::Stdio;

use antrea_cni_agent::{Agent, Api, Options};
use serde_json::json;

use antrea_cni_test_support::{Call, Stdin, TestNode};

#[test]
fn the_agents_result_is_passed_on_byte_for_byte() {
    for result in [
        "{}",
        " {\n \"cniVersion\" : \"1.0.0\" }\n",
        r#"{"b":1e400,"a":"\ud800","b":[9007199254740993]}"#,
    ] {
        let place = TestNode::new();
        let _agent = place.scripted(&[Api::V1BETA1], json!({"ADD": {"reply": result}}));
        let answer = place.call("ADD", "1.0.0").run();
        assert_eq!(String::from_utf8_lossy(&answer.stdout), result);
        assert_eq!(answer.exit(), 0);
    }
}

#[test]
fn a_result_that_is_not_one_object_is_an_error() {
    for result in ["", "null", "[]", "{} {}", "junk", "{\"a\":}"] {
        let place = TestNode::new();
        let _agent = place.scripted(&[Api::V1BETA1], json!({"ADD": {"reply": result}}));
        let answer = place.call("ADD", "1.0.0").run();
        assert_eq!(answer.code(), 6, "{result:?}");
        assert!(answer.text().contains("result of antrea-agent"), "{answer:?}");
    }
}

#[test]
fn only_add_prints_a_result() {
    for command in ["CHECK", "DEL", "GC", "STATUS"] {
        let place = TestNode::new();
        let script = json!({"*": {"rawB64": "CgJ7fQ=="}});
        let _agent = place.scripted(&[Api::V1], script);
        place.call(command, "1.1.0").run().assert_silent_success();
    }
}

/// The version that nobody set is refused by every real agent.
#[test]
fn a_refused_absent_version_comes_with_a_hint() {
    for (stdin_version, hinted) in [("", true), ("0.4.0", false)] {
        let place = TestNode::new();
        let _agent = Agent::start(Options {
            cni_versions: vec!["0.3.1".to_owned()],
            ..Options::new(place.socket(), &[Api::FIRST])
        })
        .unwrap();
        let answer = place.call("ADD", stdin_version).run();
        assert_eq!(answer.code(), 1);
        assert!(answer.text().contains("Unsupported CNI version ["), "{answer:?}");
        assert_eq!(answer.text().contains("set cniVersion"), hinted, "{answer:?}");
    }
}

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
    let missing = place.call("DEL", "1.0.0").run();
    assert_eq!(missing.code(), 11);
    let odd = json!({
        "cniVersion": "1.0.0", "name": "x",
        "antreaCni": {"socket": "/not found/no such file or directory", "waitForAgentSeconds": 0},
    });
    let odd_path = Call::new("DEL", odd.to_string()).run();
    assert_eq!(odd_path.code(), 11);
    let odd_name = Call::new("DEL", r#"{"name":"x","antreaCni":{"not found":1}}"#).run();
    assert_eq!(odd_name.code(), 7);
    drop(UnixListener::bind(place.socket()).unwrap());
    let refused = place.call("DEL", "1.0.0").run();
    assert_eq!(refused.code(), 11);
    for answer in [missing, odd_path, odd_name, refused] {
        let text = String::from_utf8_lossy(&answer.stdout).to_lowercase();
        assert!(!text.contains("not found"), "{text}");
        assert!(!text.contains("no such file or directory"), "{text}");
    }
}

#[test]
fn the_agents_own_words_on_del_are_passed_on() {
    for script in [
        json!({"*": {"error": {"code": 3, "message": "container not found"}}}),
        json!({"*": {"status": {"code": 5, "message": "container not found"}}}),
    ] {
        let place = TestNode::new();
        let _agent = place.scripted(&[Api::V1BETA1], script);
        let answer = place.call("DEL", "1.0.0").run();
        assert!([3, 201].contains(&answer.code()));
        assert!(answer.text().contains("container not found"), "{answer:?}");
    }
}

#[test]
fn an_error_says_where_it_asked_and_how_often() {
    let place = TestNode::new();
    let answer = place.call("ADD", "1.0.0").run();
    assert_eq!(answer.code(), 11);
    let socket = place.socket();
    assert!(answer.text().contains(socket.to_str().unwrap()), "{answer:?}");
    assert!(answer.text().contains("not sent"), "{answer:?}");
}

#[test]
fn proxy_variables_are_ignored() {
    let place = TestNode::new();
    let _agent = place.agent(&[Api::V1]);
    let mut call = place.call("ADD", "1.0.0");
    for name in
        ["http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "grpc_proxy"]
    {
        call = call.env(name, "http://127.0.0.1:1");
    }
    assert_eq!(call.run().exit(), 0);
}

#[test]
#[ignore = "needs root and a static plugin; make test-release runs it"]
fn the_static_plugin_starts_in_an_empty_root() {
    let root = TestNode::new();
    std::fs::copy(antrea_cni_test_support::plugin(), root.path("antrea")).unwrap();
    let output = std::process::Command::new("chroot")
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

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
    let odd_path = Call::new("DEL", odd.to_string()).env("CNI_NETNS", place.netns()).run();
    assert_eq!(odd_path.code(), 11);
    let odd_name = Call::new("DEL", r#"{"name":"not found"}"#).run();
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

#[test]
fn a_result_without_a_reader_is_a_failure() {
    for stdout in [">&-", "1</dev/null"] {
        let place = TestNode::new();
        let agent = place.agent(&[Api::V1]);
        let call = place.call("ADD", "1.0.0");
        let mut shell = std::process::Command::new("/bin/sh");
        shell.args(["-c", &format!("exec \"$0\" {stdout}")]).arg(antrea_cni_test_support::plugin());
        shell.env_clear().envs(&call.env);
        let answer = call.run_as(shell);
        assert_eq!((answer.exit(), answer.document()), (1, None), "{stdout}: {answer:?}");
        assert_eq!(agent.effects().len(), 1);
        // There is nothing to tell of a DEL.
        let call = place.call("DEL", "1.0.0");
        let mut shell = std::process::Command::new("/bin/sh");
        shell.args(["-c", &format!("exec \"$0\" {stdout}")]).arg(antrea_cni_test_support::plugin());
        shell.env_clear().envs(&call.env);
        call.run_as(shell).assert_silent_success();
    }
}

#[test]
fn a_limit_of_file_sizes_is_a_failure_and_no_signal() {
    let place = TestNode::new();
    let _agent = place.agent(&[Api::V1]);
    let call = place.call("ADD", "1.0.0");
    let mut shell = std::process::Command::new("/bin/sh");
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

#[test]
fn an_error_document_is_short_and_a_result_whole() {
    let place = TestNode::new();
    let long = "not found \u{1} ".repeat(20_000);
    let said = json!({"DEL": {"error": {"code": 3, "message": long, "details": long}}});
    let _agent = place.scripted(&[Api::V1], said);
    let answer = place.call("DEL", "1.0.0").run();
    assert_eq!(answer.code(), 3);
    assert!(answer.stdout.len() <= 16 << 10, "{}", answer.stdout.len());
    assert!(answer.text().contains("[cut]"));

    let place = TestNode::new();
    let result = format!(r#"{{"x":"{}"}}"#, "y".repeat(1 << 20));
    let _agent = place.scripted(&[Api::V1], json!({"ADD": {"reply": result}}));
    assert_eq!(place.call("ADD", "1.0.0").run().stdout, result.as_bytes());
}

#[test]
fn details_count_calls_and_connections() {
    let place = TestNode::new();
    let _agent = place.agent(&[]);
    let calls = Api::ALL.len();
    let text = place.call("ADD", "1.0.0").run().text();
    assert!(text.contains(&format!("{calls} calls on 1 connection,")), "{text}");
    let text = place.call("DEL", "1.0.0").run().text();
    assert!(text.contains(&format!("{calls} calls on 1 connection,")), "{text}");
    let absent = TestNode::new().call("ADD", "1.0.0").run().text();
    assert!(absent.contains("not sent"), "{absent}");
}

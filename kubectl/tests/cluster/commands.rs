// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Each command, on nodes in all states.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::symlink;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::api_server::{Answer, ApiServer, Pod};
use crate::node::RealNode;

/// One node as it should be, and one of each kind that is not.
fn cluster() -> ApiServer {
    let whole = RealNode::installed().with_agent();
    whole.add("web-0");
    let alone = RealNode::installed();
    alone.add("web-0");
    let replaced = RealNode::installed().with_agent();
    fs::write(replaced.path("bin/antrea"), "#!/bin/sh\nexit 1\n").unwrap();
    let nodes = vec![
        ("n10-waiting".to_owned(), Pod::Waiting),
        ("n1-whole".to_owned(), Pod::Tool(whole)),
        ("n2-no-agent".to_owned(), Pod::Tool(alone)),
        ("n3-replaced".to_owned(), Pod::Tool(replaced)),
        ("n4-no-pod".to_owned(), Pod::None),
        ("n6-forbidden".to_owned(), Pod::Forbidden),
        ("n7-other-program".to_owned(), Pod::Program("true")),
    ];
    ApiServer::start(nodes, &[("n1-whole", "v2.7.0"), ("n3-replaced", "v1.8.0")])
}

/// Why each node that cannot be asked gave no answer.
const NO_ANSWERS: [(&str, &str); 4] = [
    ("n4-no-pod", "no Pod of antrea-cni in namespace kube-system"),
    ("n6-forbidden", "cannot create resource"),
    ("n7-other-program", "antrea-cnictl ended with 0"),
    ("n10-waiting", "Pod antrea-cni-n10-waiting does not run: ImagePullBackOff"),
];

fn row<'a>(answer: &'a Value, key: &str, name: &str) -> &'a Value {
    let nodes = answer["nodes"].as_array().unwrap();
    nodes.iter().find(|it| it[key] == name).unwrap_or_else(|| panic!("{name}: {answer}"))
}

#[test]
fn status_has_a_row_for_each_linux_node() {
    let cluster = cluster();
    let answer = cluster.run(&["status", "--timeout", "60s", "-o", "json"]);
    let found = answer.json();
    let names: Vec<_> =
        found["nodes"].as_array().unwrap().iter().map(|it| it["name"].as_str().unwrap()).collect();
    assert_eq!(names[0], "n1-whole");
    assert_eq!((names.len(), names[6]), (7, "n10-waiting"), "in the order of numbers");
    assert_eq!(answer.exit, 1);
    for (name, why) in NO_ANSWERS {
        let problems = &row(&found, "name", name)["problems"];
        assert!(problems.to_string().contains(why), "{name}: {problems}");
    }
    let whole = row(&found, "name", "n1-whole");
    assert_eq!(whole["plugin"], env!("CARGO_PKG_VERSION"));
    assert_eq!((&whole["agentRelease"], &whole["api"]), (&json!("v2.7.0"), &json!("v1beta1")));
    assert_eq!((&whole["ready"], &whole["list"]), (&json!(true), &json!("0.3.0")));
    assert_eq!((&whole["findings"], &whole["owed"]), (&json!([]), &json!(0)));
    let alone = row(&found, "name", "n2-no-agent");
    assert_eq!((&alone["ready"], &alone["agentRelease"]), (&json!(false), &Value::Null));
    assert!(alone["findings"].to_string().contains("No agent listens on"), "{alone}");
    let replaced = row(&found, "name", "n3-replaced");
    assert!(replaced["findings"].to_string().contains("is not what was installed"), "{replaced}");

    let text = cluster.run(&["status", "--timeout=60s"]);
    text.assert(1, &["n1-whole", "v2.7.0", "2 of 7 agents are ready."]);
    let one = cluster.run(&["status", "--node", "n1-whole"]);
    one.assert(0, &["1 of 1 agents are ready."]);
    cluster.run(&["status", "--node", "n9"]).assert(2, &["the cluster has no node n9"]);
}

#[test]
fn probe_and_check_config_show_each_node() {
    let cluster = cluster();
    let answer = cluster.run(&["probe", "--timeout=60s", "-o", "json"]);
    assert_eq!(answer.exit, 1);
    let found = answer.json();
    assert_eq!(row(&found, "node", "n1-whole")["answer"]["ready"], true);
    assert_eq!(row(&found, "node", "n2-no-agent")["answer"]["state"], "absent");
    assert_eq!(row(&found, "node", "n4-no-pod")["answer"], Value::Null);
    cluster.run(&["probe", "--timeout=60s"]).assert(1, &["n2-no-agent       No agent listens on"]);
    cluster.run(&["probe", "--node=n2-no-agent"]).assert(3, &["No agent listens on"]);
    cluster.run(&["probe", "--node=n1-whole"]).assert(0, &[]);

    let answer = cluster.run(&["check-config", "--timeout=60s", "-o", "json"]);
    assert_eq!(answer.exit, 1);
    let found = answer.json();
    let lines = row(&found, "node", "n1-whole")["answer"].as_array().unwrap();
    assert_eq!(lines[1]["cniVersion"], "0.3.0", "{lines:?}");
    for (name, why) in NO_ANSWERS {
        assert!(row(&found, "node", name)["problem"].as_str().unwrap().contains(why), "{name}");
    }
    let one = cluster.run(&["check-config", "--node=n1-whole"]);
    one.assert(0, &["n1-whole\n", "10-antrea.conflist"]);
}

/// A plugin may be in any folder of plugins, and a file that cannot be read is named.
#[test]
fn check_config_looks_into_all_folders_and_at_all_files() {
    let [whole, broken] = [(); 2].map(|()| RealNode::installed());
    for node in [&whole, &broken] {
        fs::copy(node.path("bin/antrea"), node.path("more-bin/portmap")).unwrap();
        let list = r#"{"cniVersion":"0.3.0","name":"antrea","plugins":[{"type":"antrea","ipam":{"type":"host-local"}},{"type":"portmap"}]}"#;
        fs::write(node.path("net.d/10-antrea.conflist"), list).unwrap();
    }
    for name in ["20-gone.conf", "30-gone.conf"] {
        symlink("/nowhere", broken.path("net.d").join(name)).unwrap();
    }
    let nodes = vec![("n1".to_owned(), Pod::Tool(whole)), ("n2".to_owned(), Pod::Tool(broken))];
    let cluster = ApiServer::start(nodes, &[]);
    cluster.run(&["check-config", "--node=n1"]).assert(0, &["10-antrea.conflist"]);
    let text = cluster.run(&["check-config"]);
    text.assert(1, &["10-antrea.conflist", "20-gone.conf: No such file", "30-gone.conf: No such"]);
    let found = cluster.run(&["check-config", "-o", "json"]).json();
    assert_eq!(row(&found, "node", "n1")["problem"], Value::Null);
    let row = row(&found, "node", "n2");
    assert!(row["problem"].as_str().unwrap().contains("20-gone.conf: No such file"), "{row}");
    assert!(row["answer"].as_array().unwrap().len() >= 2, "{row}");
}

#[test]
fn logs_are_shown_by_time_and_followed() {
    let [one, two] = [(); 2].map(|()| RealNode::installed().with_agent());
    for number in 0..3 {
        one.add(&format!("web-{number}"));
        two.add(&format!("web-{number}"));
    }
    let later = RealNode::installed().with_agent();
    let plugin = later.path("bin/antrea");
    let nodes = vec![
        ("n1".to_owned(), Pod::Tool(one)),
        ("n2".to_owned(), Pod::Tool(two)),
        ("n3".to_owned(), Pod::Tool(later)),
    ];
    let cluster = ApiServer::start(nodes, &[]);
    assert!(plugin.exists());
    let answer = cluster.run(&["logs", "shop/web-1", "--node=n1", "--node=n2", "-o", "json"]);
    let lines: Vec<Value> =
        answer.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let nodes: Vec<_> = lines.iter().map(|it| it["node"].as_str().unwrap()).collect();
    assert_eq!(nodes, ["n1", "n2"]);
    assert!(lines.iter().all(|it| it["podName"] == "web-1"), "{lines:?}");
    assert_eq!(cluster.run(&["logs", "--code", "0"]).out.lines().count(), 6);
    let times: Vec<_> = cluster.run(&["logs"]).out.lines().map(|it| it[4..28].to_owned()).collect();
    assert!(times.is_sorted(), "{times:?}");

    // With --since, what is there comes first.
    let mut follow = cluster.kubectl(&["logs", "-f", "web-2", "--since=1h"]);
    let mut child = follow.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut seen: Vec<_> = (0..2).map(|_| lines.next().unwrap().unwrap()[..2].to_owned()).collect();
    seen.sort();
    assert_eq!(seen, ["n1", "n2"]);
    // The third has nothing to say, and may begin later.
    cluster.until_running(3);
    child.kill().unwrap();
    child.wait().unwrap();
    // Nothing goes on in the Pods.
    cluster.until_running(0);
    cluster
        .run(&["logs", "shop/nobody", "--node=n1,n2"])
        .assert(0, &["there is no such call in the logs"]);
}

/// The advice is that of a cluster: the tool's own names an option that only the tool has.
#[test]
fn a_node_without_a_log_is_told_what_to_set() {
    let cluster = ApiServer::start(vec![("n1".to_owned(), Pod::Tool(RealNode::empty()))], &[]);
    let answer = cluster.run(&["logs"]);
    answer.assert(1, &["n1: the plugin writes no log there: set settings.logFile"]);
}

#[test]
fn fleet_writes_the_page_of_the_same_rows() {
    let cluster = cluster();
    let page = cluster.path("fleet.html");
    let answer = cluster.run(&["fleet", "--timeout=60s", "--html", &page]);
    answer.assert(1, &["n1-whole", "ImagePullBackOff", "7 nodes could have a list of 1.1.0."]);
    let html = fs::read_to_string(page).unwrap();
    for text in ["antrea-cni on 7 nodes", "n7-other-program", "No agent listens on"] {
        assert!(html.contains(text), "{text}: {html}");
    }
    // What is no regular file is written to, and stays what it is.
    let page = cluster.run(&["fleet", "--node=n1-whole", "--html=/dev/stdout"]);
    page.assert(0, &["<h1>antrea-cni on 1 nodes</h1>", "1.1.0."]);
    cluster.run(&["fleet", "--node=n1-whole", "--html=/dev/full"]).assert(1, &["/dev/full"]);
    cluster.run(&["fleet", "--node=n1-whole", "--html=/nowhere/page"]).assert(1, &["/nowhere"]);
    cluster.run(&["fleet", "--since=nonsense"]).assert(2, &["15m or 2d"]);
    let one = cluster.run(&["fleet", "--node=n1-whole", "-o", "json"]);
    assert_eq!((one.exit, &one.json()["nodes"][0]["calls"]), (0, &json!(1)));
}

#[test]
fn what_the_api_server_refuses_is_said() {
    let cluster = cluster();
    cluster
        .run(&["status", "-n", "forbidden"])
        .assert(2, &["does not let you list Pods in forbidden"]);
    cluster
        .run(&["status", "-n", "elsewhere", "--timeout=60s"])
        .assert(1, &["no Pod of antrea-cni in namespace elsewhere"]);
    cluster.run(&["status", "--context=x"]).assert(2, &["cannot use the kubeconfig"]);
    let nowhere = ["status", "--kubeconfig=/nowhere/config"];
    cluster.run(&nowhere).assert(2, &["/nowhere/config", "--kubeconfig"]);
    // Nothing of a kubeconfig is quoted: it has secrets.
    let broken = cluster.path("broken");
    fs::write(&broken, "users:\n- user:\n    token: s3cr3t\n   x: y\n").unwrap();
    let answer = cluster.run(&["status", "--kubeconfig", &broken]);
    answer.assert(2, &["cannot use the kubeconfig"]);
    assert!(!answer.err.contains("s3cr3t"), "{answer:?}");
    let of_version = |minor, verbs| {
        ApiServer::of_version(minor, verbs, vec![("n1".to_owned(), Pod::Forbidden)], &[])
    };
    let not_allowed = of_version("34", &["create"]);
    for command in ["status", "probe", "check-config", "logs", "fleet"] {
        let answer = not_allowed.run(&[command]);
        answer.assert(2, &["does not let you get pods/exec in kube-system"]);
    }
    // Older API servers ask for `get` alone, and newer ones for both.
    of_version("34+", &["get"]).run(&["status"]).assert(1, &["n1"]);
    let newer = of_version("35", &["get"]);
    newer.run(&["status"]).assert(2, &["does not let you create pods/exec in kube-system"]);
}

#[test]
fn kubeconfigs_and_proxies_are_those_of_kubectl() {
    let node = RealNode::installed().with_agent();
    let cluster = ApiServer::start(vec![("n1".to_owned(), Pod::Tool(node))], &[]);
    // A file that is not there is passed over.
    let both = format!("/nowhere/config:{}", cluster.path("config"));
    let output = cluster.kubectl(&["probe"]).env("KUBECONFIG", both).output().unwrap();
    Answer::from(output).assert(0, &["A Pod started now"]);
    // kubectl writes an empty current context where there is none.
    let none = cluster.path("none");
    fs::write(&none, r#"{"apiVersion": "v1", "kind": "Config", "current-context": ""}"#).unwrap();
    let both = format!("{none}:{}", cluster.path("config"));
    let output = cluster.kubectl(&["probe"]).env("KUBECONFIG", both).output().unwrap();
    Answer::from(output).assert(0, &["A Pod started now"]);
    // This machine needs no proxy.
    let mut direct = cluster.kubectl(&["probe"]);
    direct.env("HTTP_PROXY", "http://127.0.0.1:1").env("HTTPS_PROXY", "http://127.0.0.1:1");
    Answer::from(direct.output().unwrap()).assert(0, &["A Pod started now"]);
    // A server that takes the connection and never answers.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let kubeconfig = fs::read_to_string(cluster.path("config")).unwrap();
    let server = kubeconfig.split('"').find(|it| it.starts_with("http://")).unwrap();
    let there = format!("http://{}", silent.local_addr().unwrap());
    let path = cluster.path("silent");
    fs::write(&path, kubeconfig.replace(server, &there)).unwrap();
    let answer = cluster.run(&["status", "--kubeconfig", &path, "--timeout=1s"]);
    answer.assert(1, &["cannot list nodes", &there, "no answer within 1 s"]);
}

/// NO_PROXY names API servers, not proxies, and is not about a proxy in the kubeconfig. A proxy may be
/// without a scheme. That of this test takes connections and never answers.
#[test]
fn a_proxy_is_used_unless_no_proxy_names_the_server() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let proxy = listener.local_addr().unwrap().to_string();
    let in_kubeconfig = format!(r#", "proxy-url": "http://{proxy}""#);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config");
    for (proxy_url, environment, no_proxy, is_used) in [
        ("", &*proxy, "localhost,127.0.0.1", true),
        ("", &*proxy, "example.org, .example.net,198.51.100.0/24", true),
        ("", &*proxy, "localhost,203.0.113.0/24", false),
        ("", &*proxy, "203.0.113.9", false),
        ("", "", "", false),
        (&*in_kubeconfig, "", "203.0.113.9", true),
    ] {
        // An address that is nobody's (RFC 5737).
        let kubeconfig = format!(
            r#"{{"apiVersion": "v1", "kind": "Config", "current-context": "desk",
            "clusters": [{{"name": "here", "cluster": {{"server": "https://203.0.113.9:6443"{proxy_url}}}}}],
            "contexts": [{{"name": "desk", "context": {{"cluster": "here", "user": "me"}}}}],
            "users": [{{"name": "me", "user": {{}}}}]}}"#
        );
        fs::write(&path, kubeconfig).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_kubectl-antrea_cni"));
        command.args(["status", "--timeout=1s", "--kubeconfig"]).arg(&path);
        command.env("HTTPS_PROXY", environment).env("NO_PROXY", no_proxy);
        let answer = Answer::from(command.output().unwrap());
        answer.assert(1, &["cannot list nodes: https://203.0.113.9:6443"]);
        let mut connections = 0;
        while listener.accept().is_ok() {
            connections += 1;
        }
        assert_eq!(connections > 0, is_used, "{environment} {no_proxy}: {answer:?}");
    }
    let mut command = Command::new(env!("CARGO_BIN_EXE_kubectl-antrea_cni"));
    command.args(["status", "--timeout=1s", "--kubeconfig"]).arg(&path);
    command.env("HTTPS_PROXY", proxy).env("NO_PROXY", "a,,b");
    Answer::from(command.output().unwrap()).assert(2, &["NO_PROXY", "one comma"]);
}

#[test]
fn words_are_completed_as_kubectl_expects() {
    let cluster = ApiServer::start(Vec::new(), &[]);
    let complete = |words: &[&str]| cluster.run(&[&["__complete"], words].concat()).out;
    let commands = complete(&[""]);
    for command in ["status", "probe", "check-config", "logs", "fleet", "bundle"] {
        assert!(commands.contains(&format!("{command}\t")), "{commands}");
    }
    assert!(!commands.contains("__complete"), "{commands}");
    assert_eq!(complete(&["st"]).lines().last(), Some(":4"));
    assert!(complete(&["logs", "--fol"]).starts_with("--follow\t"));
    assert!(complete(&["status", "-o", ""]).starts_with("text\t"));
}

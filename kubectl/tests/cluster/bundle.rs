// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! A bundle has what a maintainer asks for, and no secret.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read;

use flate2::read::GzDecoder;
use serde_json::Value;
use tar::Archive;

use crate::api_server::{ApiServer, Pod};
use crate::node::RealNode;

/// The files of a bundle.
fn read(path: &str) -> BTreeMap<String, String> {
    let mut archive = Archive::new(GzDecoder::new(File::open(path).unwrap()));
    let mut files = BTreeMap::new();
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let path = entry.path().unwrap().into_owned();
        let name = path.strip_prefix("antrea-cni").unwrap().to_string_lossy().into_owned();
        let mut text = String::new();
        entry.read_to_string(&mut text).unwrap();
        files.insert(name, text);
    }
    files
}

/// Values under keys that name a secret, in a list.
const KEYS: [&str; 15] = [
    "token",
    "k8s_auth_token",
    "Password",
    "passwd",
    "clientSecret",
    "client-key-data",
    "apiKey",
    "PRIVATE_KEY",
    "certificate-authority-data",
    "credentials",
    "bearerToken",
    "auth",
    "psk",
    "tok\\u0065n",
    "passphrase",
];

/// Plants 30 secrets in a node's folder, and returns them.
fn plant(node: &RealNode) -> Vec<String> {
    let planted: Vec<_> = (0..30).map(|number| format!("s3cr3t-{number}-x9f2b7q")).collect();
    let secret = |number: usize| &planted[number];
    // 0 to 14: under each key, as a text, in an object or in a list.
    let members: Vec<_> = KEYS
        .iter()
        .enumerate()
        .map(|(number, key)| match number % 3 {
            0 => format!(r#""{key}":"{}""#, secret(number)),
            1 => format!(r#""{key}":{{"a":["{}"]}}"#, secret(number)),
            _ => format!(r#""deeper":{{"{key}":"{}"}}"#, secret(number)),
        })
        .collect();
    let (one, two) = members.split_at(8);
    let list = format!(
        r#"{{"cniVersion":"0.3.0","name":"antrea",{},"plugins":[{{"type":"antrea",{}}}]}}"#,
        one.join(","),
        two.join(","),
    );
    fs::write(node.path("net.d/10-antrea.conflist"), list).unwrap();
    // 15 to 19: by their form, under keys that name nothing.
    let jwt = |number| format!("eyJhbGciOiJSUzI1NiJ9.{0}.{0}", secret(number));
    let forms = format!(
        r#"{{"cniVersion":"0.3.0","name":"x","type":"x","a":"{}","b":"https://me:{}@example.org/","c":"-----BEGIN RSA\n{}\n-----END RSA-----","d":"Bearer {}","args":["--token={}"]}}"#,
        jwt(15),
        secret(16),
        secret(17),
        secret(18),
        secret(19),
    );
    fs::write(node.path("net.d/20-forms.conf"), forms).unwrap();
    // 20 to 26: kubeconfigs and tokens of others in the folder, under several names.
    let kubeconfig = |number: usize| {
        format!(
            "apiVersion: v1\nkind: Config\nusers:\n- name: x\n  user:\n    token: {}\n    client-key-data: {}\n",
            secret(number),
            secret(number)
        )
    };
    for (number, name) in (20..).zip([
        "calico-kubeconfig",
        "multus.kubeconfig",
        "30-cilium.conf",
        "40-x.json",
        "token",
    ]) {
        fs::write(node.path("net.d").join(name), kubeconfig(number)).unwrap();
    }
    fs::create_dir(node.path("net.d/multus.d")).unwrap();
    fs::write(node.path("net.d/multus.d/50-multus.conf"), kubeconfig(25)).unwrap();
    let json = format!(
        r#"{{"apiVersion":"v1","kind":"Config","users":[{{"user":{{"token":"{}"}}}}]}}"#,
        secret(26)
    );
    fs::write(node.path("net.d/60-kubeconfig.json"), json).unwrap();
    // In lists of other plugins, as they are in the field.
    fs::write(
        node.path("net.d/70-others.conf"),
        serde_json::json!({
            "cniVersion": "0.3.0", "name": "others", "type": "others",
            "pass": "s3cr3t-x9f2b7q", "pk": "s3cr3t-x9f2b7q", "shared": ["s3cr3t-x9f2b7q"],
            "env": [{"name": "ETCD_PASSWORD", "value": "s3cr3t-x9f2b7q"}],
            "command": ["run", "--password", "s3cr3t-x9f2b7q"],
            "dsn": "postgres://u:s3cr3t/x9f2b7q@db", "blob": "YXBpVmVyc2lvbjogdjEKczNjcjN0",
            "text": "{\"auth\":\"s3cr3t-x9f2b7q\"}", "pin": 90_210_733,
        })
        .to_string(),
    )
    .unwrap();
    let surrogate = r#"{"cniVersion":"0.3.0","name":"x","type":"x","s":"\ud800 s3cr3t-x9f2b7q"}"#;
    fs::write(node.path("net.d/80-surrogate.conf"), surrogate).unwrap();
    // 27 to 29: in the log, as an agent's words would bring them.
    let line = |message: &str| {
        let message = Value::from(message);
        format!(
            r#"{{"time":"2026-11-24T10:00:00.000000Z","command":"ADD","socket":"/s","tried":[],"attempts":1,"code":11,"milliseconds":5,"message":{message}}}"#
        )
    };
    let asked = format!(
        "https://u:{}@x/: token={} Authorization: Bearer {}",
        secret(27),
        secret(28),
        secret(29),
    );
    let said = [
        "password is s3cr3t-x9f2b7q",
        "pwd=s3cr3t-x9f2b7q",
        "token='s3cr3t-x9f2b7q and, more'",
        "AKIAs3cr3tx9f2b7q",
        "ghp_s3cr3tx9f2b7q",
        "https://x/?sig=s3cr3t-x9f2b7q",
        "curl -u admin:s3cr3t-x9f2b7q",
        "postgres://u:s3cr3t/x9f2b7q@db",
        "Basic s3cr3tx9f2b7q=",
        "{\"password\":\"s3cr3t-x9f2b7q\"}",
        "client-key-data: s3cr3tx9f2b7q",
        "-----BEGIN RSA PRIVATE KEY-----s3cr3tx9f2b7q",
    ];
    let mut log: Vec<_> = said.iter().map(|it| line(&format!("{it} {asked}"))).collect();
    // Texts that were cut.
    log.extend(["no token:", "token=\"s3cr3t-x9f2b7q and"].map(line));
    log.push(line("the last line"));
    let log = log.join("\n") + "\n";
    fs::write(node.path("antrea-cni.log"), log).unwrap();
    planted
        .into_iter()
        .chain(["x9f2b7q", "s3cr3t", "90210733", "czNjcjN0"].map(str::to_owned))
        .collect()
}

#[test]
fn a_bundle_has_what_is_asked_for_and_none_of_30_secrets() {
    let node = RealNode::installed().with_agent();
    let planted = plant(&node);
    let whole = RealNode::installed().with_agent();
    whole.add("web-0");
    let cluster = ApiServer::start(
        vec![
            ("n1".to_owned(), Pod::Tool(node)),
            ("n2".to_owned(), Pod::Tool(whole)),
            ("n3".to_owned(), Pod::None),
        ],
        &[("n2", "v2.7.0")],
    );
    let path = cluster.path("bundle.tar.gz");
    let piped = cluster.kubectl(&["bundle", "-"]).output().unwrap();
    assert!(piped.stdout.starts_with(&[0x1f, 0x8b]), "no gzip on standard output");
    cluster.run(&["bundle", &path]).assert(1, &["2 of 3 nodes", "n3: no Pod of antrea-cni"]);
    let files = read(&path);
    for name in [
        "fleet.json",
        "problems.txt",
        "version.txt",
        "n2/version.txt",
        "n2/status.json",
        "n2/settings.json",
        "n2/probe.json",
        "n2/owed.json",
        "n2/check-config.json",
        "n2/antrea-cni.log",
        "n2/problems.txt",
        "n2/net.d/10-antrea.conflist",
    ] {
        assert!(files.contains_key(name), "{name}: {:?}", files.keys());
    }
    let is_answer =
        |it: &&String| it.starts_with("n2/") && (it.ends_with(".json") || it.ends_with(".log"));
    assert_eq!(files.keys().filter(is_answer).count(), antrea_cnictl::ANSWERS as usize);
    assert!(files["n2/antrea-cni.log"].contains("web-0"));
    assert!(files["fleet.json"].contains("v2.7.0"));
    let log = &files["n1/antrea-cni.log"];
    assert!(log.lines().count() == 15 && log.contains("the last line"), "{log}");
    assert!(files["n1/problems.txt"].contains("net.d/30-cilium.conf: it is not JSON"));
    let list = &files["n1/net.d/10-antrea.conflist"];
    assert!(list.contains(r#""type":"antrea""#), "{list}");
    for (name, text) in &files {
        for secret in &planted {
            assert!(!text.contains(secret.as_str()), "{secret} in {name}: {text}");
        }
        // check-config and the log have a document a line.
        if name.ends_with(".json") || name.ends_with(".log") {
            for document in serde_json::Deserializer::from_str(text).into_iter::<Value>() {
                document.unwrap_or_else(|error| panic!("{name}: {error}: {text}"));
            }
        }
    }
}

/// A Pod in which the tool cannot be run says so in a line or in several. It is one node.
#[test]
fn nodes_without_a_bundle_are_counted_not_their_lines() {
    let node = ("n1".to_owned(), Pod::Refused("OCI runtime exec failed:\nno such file\nin PATH"));
    let cluster = ApiServer::start(vec![node], &[]);
    let path = cluster.path("bundle.tar.gz");
    let says = ["n1: OCI runtime exec failed:", ": 0 of 1 nodes"];
    cluster.run(&["bundle", &path]).assert(1, &says);
}

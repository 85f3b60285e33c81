// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Lists that Multus hands Pods on to.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{Answer, Node, run};

const LIST: &str = r#"{"cniVersion":"VERSION","name":"antrea","plugins":[
    {"type":"antrea","ipam":{"type":"host-local"}}]}"#;

/// A folder of configurations of a node with Multus.
struct NetD(TempDir);

impl NetD {
    fn new(multus: &str, version: &str) -> Self {
        let folder = Self(TempDir::new().unwrap());
        folder.write("10-antrea.conflist", &LIST.replace("VERSION", version));
        folder.write("00-multus.conf", multus);
        folder
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn check(&self) -> Answer {
        run(["check-config", self.0.path().to_str().unwrap()])
    }

    fn status(&self) -> Value {
        let node = Node::new();
        node.install("one", &[]).assert(0, "installed");
        let mut tool = node.command("status");
        let answer: Answer =
            tool.arg("--conf-dir").arg(self.0.path()).args(["-o", "json"]).output().unwrap().into();
        answer.json()
    }
}

fn multus(version: &str, members: &str) -> String {
    format!(
        r#"{{"cniVersion":"{version}","name":"multus-cni-network","type":"multus-shim",{members}}}"#
    )
}

/// As thick Multus writes its own, by path, by name and by folder; and as thin Multus does.
#[test]
fn what_multus_hands_pods_on_to_is_judged() {
    let named = r#""clusterNetwork":"antrea","confDir":"/host/etc/cni/net.d""#;
    let delegate = format!(r#""delegates":[{}]"#, LIST.replace("VERSION", "0.3.1"));
    for (members, is_file) in [
        (r#""clusterNetwork":"/host/etc/cni/net.d/10-antrea.conflist""#, true),
        (named, true),
        (
            r#""clusterNetwork":"antrea","confDir":"/host/etc/cni/net.d","defaultNetworks":["/x/y.conf"]"#,
            true,
        ),
        (r#""multusConfigFile":"auto","multusAutoconfigDir":"/host/etc/cni/net.d""#, true),
        (r#""multusConfFile":"/host/etc/cni/net.d/10-antrea.conflist""#, true),
        (&*delegate, false),
    ] {
        let folder = NetD::new(&multus("0.3.1", members), "0.3.1");
        let answer = folder.check();
        answer.assert(0, "the runtime takes 00-multus.conf");
        assert!(!answer.out.contains("emove or rename"), "{answer:?}");
        let list = folder.path("10-antrea.conflist");
        let hands_on = format!("Multus hands Pods on to {}", list.display());
        assert_eq!(answer.out.contains(&hands_on), is_file, "{answer:?}");
        let status = folder.status();
        assert_eq!(status["conflist"]["namesPlugin"], true, "{status}");
        assert_eq!(status["conflist"]["cniVersion"], "0.3.1", "{status}");
        assert_eq!(status["findings"], Value::Array(Vec::new()), "{status}");
        // The file alone leads to the list, which is judged, too.
        folder.write("10-antrea.conflist", &LIST.replace("host-local", "dhcp"));
        let alone = run(["check-config", folder.path("00-multus.conf").to_str().unwrap()]);
        assert_eq!(alone.exit != 0, is_file, "{alone:?}");
        assert_eq!(alone.out.contains("Not safe: Pods get"), is_file, "{alone:?}");
    }
    let folder = TempDir::new().unwrap();
    let path = format!("{}/", folder.path().display()).replace('\\', "/");
    fs::write(folder.path().join("10-x.conflist"), LIST.replace("VERSION", "1.0.0")).unwrap();
    let of_folder = NetD::new(&multus("1.0.0", &format!(r#""clusterNetwork":"{path}""#)), "1.0.0");
    of_folder.check().assert(0, "10-x.conflist");
}

#[test]
fn a_network_that_only_the_api_server_knows_is_left_to_multus() {
    let folder = NetD::new(&multus("0.3.1", r#""clusterNetwork":"other""#), "0.3.1");
    let answer = folder.check();
    answer.assert(1, "Multus decides which network Pods get");
    assert!(answer.out.contains("NetworkAttachmentDefinition"), "{answer:?}");
    let status = folder.status();
    assert_eq!(status["conflist"]["namesPlugin"], false, "{status}");
    assert_eq!(status["findings"], Value::Array(Vec::new()), "{status}");
}

/// Also where it stands in the configuration of Multus itself.
#[test]
fn what_agents_refuse_of_a_delegate_is_not_safe() {
    for (ipam, exit) in [(r#""host-local""#, 0), (r#""dhcp""#, 1)] {
        let delegate = LIST.replace("VERSION", "1.0.0").replace(r#""host-local""#, ipam);
        let own = multus("1.0.0", &format!(r#""delegates":[{delegate}]"#));
        NetD::new(&own, "1.0.0").check().assert(exit, "takes 00-multus.conf");
        let folder = TempDir::new().unwrap();
        let file = folder.path().join("00-multus.conf");
        fs::write(&file, own).unwrap();
        let says = if exit == 0 { "Safe" } else { "code 2" };
        run(["check-config", file.to_str().unwrap()]).assert(exit, says);
    }
}

/// What certainly fails is told from what only Multus can see.
#[test]
fn a_network_that_is_not_there_is_an_error() {
    for (members, says) in [
        (r#""clusterNetwork":"/host/etc/cni/net.d/11-nothere.conflist""#, "there is no /host"),
        (
            r#""clusterNetwork":"/etc/cni/net.d/00-multus.conf""#,
            "hands Pods on to itself in the end",
        ),
        (r#""multusConfigFile":"auto","multusAutoconfigDir":"net.d/empty""#, "no network but"),
    ] {
        let folder = TempDir::new().unwrap();
        let net_d = folder.path().join("net.d");
        fs::create_dir_all(net_d.join("empty")).unwrap();
        let members = members
            .replace("net.d/empty", &net_d.join("empty").to_str().unwrap().replace('\\', "/"));
        fs::write(net_d.join("00-multus.conf"), multus("0.3.1", &members)).unwrap();
        run(["check-config", net_d.to_str().unwrap()]).assert(1, says);
        let node = Node::new();
        node.install("one", &[]).assert(0, "installed");
        let mut tool = node.command("status");
        let answer: Answer = tool.arg("--conf-dir").arg(&net_d).output().unwrap().into();
        answer.assert(1, "Multus fails for each Pod");
    }
    // A folder below the one of Multus.
    let folder = TempDir::new().unwrap();
    let net_d = folder.path().join("net.d");
    fs::create_dir_all(net_d.join("multus.d")).unwrap();
    let list = LIST.replace("VERSION", "1.0.0");
    fs::write(net_d.join("multus.d/x.conflist"), list).unwrap();
    let own = multus("1.0.0", r#""clusterNetwork":"/host/etc/cni/net.d/multus.d/x.conflist""#);
    fs::write(net_d.join("00-multus.conf"), own).unwrap();
    run(["check-config", net_d.to_str().unwrap()])
        .assert(0, "x.conflist: accepted by the plugin, cniVersion 1.0.0");
}

/// Multus makes the others additional interfaces.
#[test]
fn pods_get_the_first_delegate() {
    let delegates = |order: [&str; 2]| {
        let of = |name: &str| match name {
            "antrea" => LIST.replace("VERSION", "0.3.1"),
            name => format!(r#"{{"cniVersion":"0.3.1","name":"{name}","type":"{name}"}}"#),
        };
        let own = format!(r#""delegates":[{}]"#, order.map(of).join(","));
        let folder = NetD::new(&multus("0.3.1", &own), "0.3.1");
        let alone = run(["check-config", folder.path("00-multus.conf").to_str().unwrap()]);
        (folder.status()["conflist"]["namesPlugin"].clone(), alone.exit)
    };
    assert_eq!(delegates(["antrea", "calico"]), (true.into(), 0));
    assert_eq!(delegates(["calico", "antrea"]), (false.into(), 1));
}

#[test]
fn pods_that_multus_leads_past_the_plugin_are_told() {
    let flannel = r#""delegates":[{"cniVersion":"0.3.1","name":"x","type":"flannel"}]"#;
    let folder = NetD::new(&multus("0.3.1", flannel), "0.3.1");
    folder.check().assert(1, "Pods do not get 10-antrea.conflist");
    let status = folder.status();
    let found = status["findings"][0].as_str().unwrap();
    assert!(found.starts_with("Pods bypass Antrea"), "{status}");
}

/// `LoadNetConf`, `CheckVersionCompatibility`, and the file that it waits for.
#[test]
fn what_multus_refuses_is_said() {
    let network = r#""clusterNetwork":"/etc/cni/net.d/10-antrea.conflist""#;
    for (own, list, exit, says) in [
        ("1.0.0", "0.3.0", 1, "Multus of cniVersion 1.0.0 does not start with a network of 0.3.0"),
        ("0.4.0", "0.3.1", 1, "Multus of cniVersion 0.4.0 does not start with a network of 0.3.1"),
        ("0.3.1", "0.3.0", 0, "Safe with any agent"),
        ("1.0.0", "1.0.0", 0, "Safe with any agent"),
    ] {
        NetD::new(&multus(own, network), list).check().assert(exit, says);
    }
    for (members, says) in [
        (r#""x":1"#, "without clusterNetwork and delegates"),
        (r#""clusterNetwork":"","delegates":[]"#, "without clusterNetwork and delegates"),
        (r#""delegates":[{"name":"x"}]"#, "a delegate without type and without plugins"),
        (r#""delegates":{}"#, "cannot read delegates"),
        (r#""clusterNetwork":5"#, "cannot read clusterNetwork"),
    ] {
        NetD::new(&multus("1.0.0", members), "1.0.0").check().assert(1, says);
    }
    let waits = format!(r#"{network},"readinessindicatorfile":"/host/etc/cni/net.d/FILE""#);
    NetD::new(&multus("1.0.0", &waits.replace("FILE", "20-x.conflist")), "1.0.0")
        .check()
        .assert(0, "Multus starts no Pod until");
    let there = NetD::new(&multus("1.0.0", &waits.replace("FILE", "10-antrea.conflist")), "1.0.0");
    assert!(!there.check().out.contains("starts no Pod until"));
}

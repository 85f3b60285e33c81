// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! `check-config` beside libcni 1.3.0, which container runtimes are built with, and beside the
//! loader of Multus.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use antrea_cni_test_support::skipped;

use crate::support::run;

/// What a list may have in the place of one of its members.
fn lists() -> Vec<(String, String)> {
    let list = |members: &[(&str, &str)]| {
        let mut all = vec![
            ("cniVersion", r#""1.0.0""#),
            ("name", r#""antrea""#),
            (
                "plugins",
                r#"[{"type":"antrea"},{"type":"portmap","capabilities":{"portMappings":true}}]"#,
            ),
        ];
        for (name, value) in members {
            all.retain(|(other, _)| other != name);
            all.push((name, value));
        }
        let all = all.iter().filter(|(_, value)| !value.is_empty());
        let members: Vec<_> = all.map(|(name, value)| format!("{name:?}:{value}")).collect();
        format!("{{{}}}", members.join(","))
    };
    let values: &[(&str, &[&str])] = &[
        ("name", &["", "null", "5", r#""""#, r#""a b""#, r#""a.b_c-1""#, r#""-a""#, r#"["x"]"#]),
        (
            "cniVersion",
            &[
                "",
                "null",
                "5",
                r#""""#,
                r#""0.3.0""#,
                r#""1.1.0""#,
                r#""1.2.0""#,
                r#""1.0""#,
                r#""v1""#,
                r#""9""#,
                "[]",
            ],
        ),
        (
            "cniVersions",
            &[
                "null",
                "5",
                "[]",
                r#"["1.1.0"]"#,
                r#"["0.4.0","1.1.0","1.2.0"]"#,
                r#"["0.3.1"]"#,
                r#"["2.0.0"]"#,
                r#"["x"]"#,
                "[1]",
                r#"[""]"#,
                r#"["1.0.0.0"]"#,
                r#"["1.1"]"#,
                r#""1.1.0""#,
                "{}",
            ],
        ),
        (
            "disableCheck",
            &["true", "false", r#""true""#, r#""False""#, r#""yes""#, "null", "1", "[]"],
        ),
        ("disableGC", &["true", "false", r#""TRUE""#, r#""no""#, "null", "0", "{}"]),
        ("loadOnlyInlinedPlugins", &["true", "false", r#""true""#, r#""x""#, "null"]),
        (
            "plugins",
            &[
                "",
                "null",
                "[]",
                "{}",
                "5",
                r#""antrea""#,
                r#"["antrea"]"#,
                "[null]",
                "[5]",
                "[[]]",
                "[{}]",
                r#"[{"name":"x"}]"#,
                r#"[{"type":""}]"#,
                r#"[{"type":null}]"#,
                r#"[{"type":5}]"#,
                r#"[{"TYPE":"antrea"}]"#,
                r#"[{"type":"antrea"},{}]"#,
                r#"[{"type":"antrea"},"portmap"]"#,
                r#"[{"type":"antrea","capabilities":null}]"#,
                r#"[{"type":"antrea","capabilities":{}}]"#,
                r#"[{"type":"antrea","capabilities":{"a":null}}]"#,
                r#"[{"type":"antrea","capabilities":{"a":1}}]"#,
                r#"[{"type":"antrea","capabilities":{"a":"true"}}]"#,
                r#"[{"type":"antrea","capabilities":[]}]"#,
                r#"[{"type":"antrea","capabilities":"x"}]"#,
                r#"[{"type":"antrea","Capabilities":[]}]"#,
                r#"[{"type":"antrea","ipam":{}}]"#,
                r#"[{"type":"antrea","ipam":"x"}]"#,
                r#"[{"type":"antrea","ipam":{"type":"host-local"}}]"#,
                r#"[{"type":"antrea","ipam":{"type":5}}]"#,
                r#"[{"type":"antrea","ipam":null}]"#,
                r#"[{"type":"antrea","ipam":[]}]"#,
                r#"[{"type":"antrea","dns":{}}]"#,
                r#"[{"type":"antrea","dns":{"nameservers":["1.1.1.1"]}}]"#,
                r#"[{"type":"antrea","dns":{"nameservers":"1.1.1.1"}}]"#,
                r#"[{"type":"antrea","dns":{"domain":5}}]"#,
                r#"[{"type":"antrea","dns":{"search":[null]}}]"#,
                r#"[{"type":"antrea","dns":{"options":[1]}}]"#,
                r#"[{"type":"antrea","dns":[]}]"#,
                r#"[{"type":"antrea","prevResult":{}}]"#,
                r#"[{"type":"antrea","prevResult":5}]"#,
                r#"[{"type":"antrea","prevResult":null}]"#,
                r#"[{"type":"antrea","cniVersion":5}]"#,
                r#"[{"type":"antrea","cniVersion":"9"}]"#,
                r#"[{"type":"antrea","name":5}]"#,
                r#"[{"type":"antrea","name":null}]"#,
                r#"[{"type":"antrea","mtu":"x","anything":[1]}]"#,
                r#"[{"type":5,"type":"antrea"}]"#,
                r#"[{"type":"antrea","type":5}]"#,
                r#"[{"type":"antrea","TYPE":5}]"#,
                r#"[{"TYPE":"x","type":""}]"#,
                r#"[{"type":"","TYPE":"x"}]"#,
                r#"[{"type":"antrea","ipam":{"type":5},"ipam":{}}]"#,
                r#"[{"type":"antrea","x":1e400}]"#,
                r#"[{"type":"antrea","x":-1e309}]"#,
                r#"[{"type":"antrea","x":1e-400}]"#,
                r#"[{"type":"\ud800"}]"#,
                r#"[{"type":"antrea","\udc00":"\ud83d\ude00"}]"#,
                r#"[{"type":"antrea","x":"\x"}]"#,
            ],
        ),
    ];
    let mut lists: Vec<(String, String)> = Vec::new();
    for (name, values) in values {
        for value in *values {
            lists.push(("conflist".to_owned(), list(&[(name, value)])));
        }
    }
    // Names of a list are read as they are written.
    for (name, value) in
        [("Name", r#""x""#), ("CNIVersion", r#""0.4.0""#), ("Plugins", "[]"), ("DisableCheck", "5")]
    {
        lists.push(("conflist".to_owned(), list(&[(name, value)])));
    }
    lists.push(("conflist".to_owned(), list(&[("name", ""), ("Name", r#""x""#)])));
    lists.push((
        "conflist".to_owned(),
        list(&[("plugins", ""), ("Plugins", r#"[{"type":"antrea"}]"#)]),
    ));
    let plugin = r#"{"cniVersion":"1.0.0","name":"antrea","type":"antrea"}"#;
    for extension in ["conf", "conflist", "json", "yaml", "bak", "conf.bak", "CONF", "txt"] {
        lists.push((extension.to_owned(), plugin.to_owned()));
        lists.push((extension.to_owned(), list(&[])));
    }
    let levels = |count: usize| {
        let deep = format!("{}{}", "[".repeat(count), "]".repeat(count));
        list(&[("deep", &deep)])
    };
    for count in [127, 128, 9_000, 9_999, 10_000] {
        lists.push(("conflist".to_owned(), levels(count)));
        lists.push((
            "conf".to_owned(),
            plugin.replace(
                '}',
                &format!(",\"x\":{}}}", {
                    let (open, close) = ("[".repeat(count), "]".repeat(count));
                    format!("{open}{close}")
                }),
            ),
        ));
    }
    for (name, value) in [
        ("x", "1e400"),
        ("x", "1e308"),
        ("x", r#""1e400""#),
        ("x", r#""\ud800 \\ud800""#),
        ("\\ud800", "1"),
        ("x", r#"{"a":1,"a":{}}"#),
        ("x", "01"),
        ("x", "+1"),
        ("x", "NaN"),
        ("x", "'a'"),
        ("x", "\"\t\""),
    ] {
        let text = list(&[]).replacen('{', &format!("{{\"{name}\":{value},"), 1);
        lists.push(("conflist".to_owned(), text.clone()));
        lists.push(("conf".to_owned(), plugin.replacen('{', &format!("{{\"{name}\":{value},"), 1)));
    }
    for (name, value) in [("name", r#""b""#), ("cniVersion", r#""0.4.0""#), ("cniVersion", "5")] {
        let twice = |text: &str| text.replacen('{', &format!("{{\"{name}\":{value},"), 1);
        lists.push(("conflist".to_owned(), twice(&list(&[]))));
        lists.push(("conf".to_owned(), twice(plugin)));
        let last = |text: &str| {
            let end = text.rfind('}').unwrap();
            format!("{},\"{name}\":{value}}}", &text[..end])
        };
        lists.push(("conflist".to_owned(), last(&list(&[]))));
        lists.push(("conf".to_owned(), last(plugin)));
    }
    lists.push(("conflist".to_owned(), format!("\u{feff}{}", list(&[]))));
    lists.push((".conflist".to_owned(), list(&[])));
    for text in ["", "null", "[]", "5", "{", "{}", r#""x""#, "{\"a\":1}{}"] {
        lists.push(("conflist".to_owned(), text.to_owned()));
        lists.push(("conf".to_owned(), text.to_owned()));
    }
    for (old, new) in [
        (r#""type":"antrea""#, r#""type":"""#),
        (r#""type":"antrea""#, r#""type":null"#),
        (r#""type":"antrea""#, r#""Type":"antrea""#),
        (r#""type":"antrea""#, r#""type":"antrea","capabilities":{"a":5}"#),
        (r#""type":"antrea""#, r#""type":"antrea","plugins":[]"#),
        (r#""cniVersion":"1.0.0""#, r#""cniVersion":5"#),
        (r#""cniVersion":"1.0.0""#, r#""cniVersion":"7.0.0""#),
        (r#""cniVersion":"1.0.0","#, ""),
        (r#""name":"antrea""#, r#""name":"a b""#),
        (r#""name":"antrea""#, r#""name":null"#),
        (r#""name":"antrea","#, ""),
    ] {
        lists.push(("conf".to_owned(), plugin.replace(old, new)));
    }
    lists
}

/// Plugins in the folder of the network, and the list beside it.
fn folders() -> Vec<(String, Vec<&'static str>)> {
    let list = |more: &str| format!(r#"{{"cniVersion":"1.0.0","name":"antrea"{more}}}"#);
    let inlined = r#","plugins":[{"type":"antrea"}]"#;
    let mut folders = Vec::new();
    for more in [
        inlined,
        "",
        r#","plugins":[]"#,
        r#","plugins":[{"type":"antrea"}],"loadOnlyInlinedPlugins":true"#,
        r#","loadOnlyInlinedPlugins":"true""#,
    ] {
        for files in [
            vec![r#"{"type":"tuning"}"#],
            vec!["{"],
            vec![r#"{"name":"x"}"#],
            vec![r#"{"type":"tuning","capabilities":{"mac":"true"}}"#],
            vec![r#"{"type":"tuning","x":1e400}"#],
            vec![r#"{"type":"tuning"}"#, r#"{"type":5}"#],
            vec!["null"],
        ] {
            folders.push((list(more), files));
        }
    }
    folders
}

/// Builds a program of `tests/interop`.
fn oracle(folder: &Path, module: &str, package: &str) -> Option<PathBuf> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/interop").join(module);
    if Command::new("go").arg("version").output().is_err() {
        skipped("the comparison with libcni and Multus needs Go");
        return None;
    }
    let oracle = folder.join("oracle");
    let mut build = Command::new("go");
    build.current_dir(source).env("CGO_ENABLED", "0").arg("build").arg("-o").arg(&oracle);
    assert!(build.arg(package).status().unwrap().success());
    Some(oracle)
}

/// What the oracle says of files, a line each.
fn said(oracle: &Path, files: &[String]) -> Vec<String> {
    let said = Command::new(oracle).args(files).output().unwrap();
    let said = String::from_utf8(said.stdout).unwrap();
    assert_eq!(said.lines().count(), files.len(), "{said}");
    said.lines().map(ToOwned::to_owned).collect()
}

fn is_refused(report: &Value) -> bool {
    report["accepted"] == false
}

#[test]
fn lists_are_judged_as_the_runtimes_library_does() {
    let folder = TempDir::new().unwrap();
    let Some(oracle) = oracle(folder.path(), "go", "./libcni") else { return };
    let mut cases = lists();
    let with_folder: Vec<_> =
        folders().into_iter().map(|(list, files)| (list, Some(files))).collect();
    let plain = cases.drain(..).map(|(extension, text)| (extension, text, Vec::new()));
    let cases: Vec<_> = plain
        .chain(
            with_folder
                .into_iter()
                .map(|(list, files)| ("conflist".to_owned(), list, files.unwrap_or_default())),
        )
        .collect();
    let mut files = Vec::new();
    for (number, (extension, text, beside)) in cases.iter().enumerate() {
        let own = folder.path().join(format!("{number:03}"));
        fs::create_dir_all(own.join("antrea")).unwrap();
        let name =
            if extension.starts_with('.') { extension.clone() } else { format!("x.{extension}") };
        fs::write(own.join(&name), text).unwrap();
        for (number, text) in beside.iter().enumerate() {
            fs::write(own.join(format!("antrea/{number}.conf")), text).unwrap();
        }
        files.push(own.join(name).to_str().unwrap().to_owned());
    }
    let mut differ = Vec::new();
    let mut accepted = 0;
    for ((file, (extension, text, beside)), said) in
        files.iter().zip(&cases).zip(said(&oracle, &files))
    {
        let report = run(["check-config", "--output", "json", file]).json();
        accepted += usize::from(!is_refused(&report));
        let same = match said.strip_prefix("accepted: ") {
            None => is_refused(&report),
            Some("") => !is_refused(&report) && report["cniVersion"].is_null(),
            Some(version) => !is_refused(&report) && report["cniVersion"] == version,
        };
        if !same {
            let text: String = text.chars().take(300).collect();
            differ.push(format!(
                "{extension}: {text} {beside:?}\n  libcni: {said}\n  ours: {report}"
            ));
        }
    }
    eprintln!("{} lists: {accepted} accepted", cases.len());
    assert!(cases.len() >= 200, "{}", cases.len());
    assert!(differ.is_empty(), "{} differ:\n{}", differ.len(), differ.join("\n"));
}

/// What a configuration of Multus may have.
fn configurations_of_multus() -> Vec<String> {
    let with = |version: &str, members: &str| {
        format!(r#"{{"cniVersion":"{version}","name":"multus","type":"multus"{members}}}"#)
    };
    let mut all = Vec::new();
    for (key, values) in [
        (
            "clusterNetwork",
            &[r#""x""#, r#""/nowhere/net.d/x.conf""#, r#""""#, "null", "5", "{}"][..],
        ),
        (
            "delegates",
            &[
                "null",
                "[]",
                "{}",
                "5",
                "[null]",
                "[5]",
                r#"["x"]"#,
                "[{}]",
                r#"[{"type":"antrea"}]"#,
                r#"[{"type":""}]"#,
                r#"[{"type":5}]"#,
                r#"[{"name":"x"}]"#,
                r#"[{"name":"x","plugins":[]}]"#,
                r#"[{"name":"x","plugins":null}]"#,
                r#"[{"name":"x","plugins":[{}]}]"#,
                r#"[{"name":"x","cniVersion":"0.3.1","plugins":[{"type":"antrea"}]}]"#,
                r#"[{"type":"antrea"},{"name":"x"}]"#,
                r#"[{"type":"antrea","capabilities":{"a":1}}]"#,
            ],
        ),
    ] {
        for value in values {
            all.push(with("0.3.1", &format!(",\"{key}\":{value}")));
        }
    }
    for member in [
        r#""confDir":5"#,
        r#""confDir":"/x""#,
        r#""cniDir":{}"#,
        r#""binDir":[]"#,
        r#""kubeconfig":1"#,
        r#""logFile":{}"#,
        r#""logLevel":5"#,
        r#""logLevel":"verbose""#,
        r#""logToStderr":"true""#,
        r#""logToStderr":true"#,
        r#""defaultNetworks":"x""#,
        r#""defaultNetworks":["x"]"#,
        r#""defaultNetworks":[5]"#,
        r#""defaultNetworks":[null]"#,
        r#""systemNamespaces":{}"#,
        r#""systemNamespaces":[]"#,
        r#""multusNamespace":5"#,
        r#""namespaceIsolation":1"#,
        r#""globalNamespaces":[]"#,
        r#""readinessindicatorfile":5"#,
        r#""readinessindicatorfile":"/x""#,
        r#""ReadinessIndicatorFile":5"#,
        r#""retryDeleteOnError":"x""#,
        r#""logOptions":5"#,
        r#""runtimeConfig":5"#,
        r#""capabilities":{"portMappings":true}"#,
        r#""capabilities":{"portMappings":1}"#,
        r#""ipam":5"#,
        r#""dns":[]"#,
        r#""anything":[1]"#,
        r#""x":null"#,
    ] {
        all.push(with("1.0.0", &format!(r#","clusterNetwork":"x",{member}"#)));
        all.push(with("1.0.0", &format!(r#","delegates":[{{"type":"antrea"}}],{member}"#)));
    }
    all
}

#[test]
fn configurations_of_multus_are_judged_as_it_does() {
    let folder = TempDir::new().unwrap();
    let Some(oracle) = oracle(folder.path(), "multus", ".") else { return };
    let cases = configurations_of_multus();
    let mut files = Vec::new();
    for (number, text) in cases.iter().enumerate() {
        let path = folder.path().join(format!("{number:03}.conf"));
        fs::write(&path, text).unwrap();
        files.push(path.to_str().unwrap().to_owned());
    }
    let mut differ = Vec::new();
    for ((file, text), said) in files.iter().zip(&cases).zip(said(&oracle, &files)) {
        let report = run(["check-config", "--output", "json", file]).json();
        if is_refused(&report) == said.starts_with("accepted") {
            differ.push(format!("{text}\n  Multus: {said}\n  ours: {report}"));
        }
    }
    // Whether Multus starts beside a list.
    let versions = ["0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"];
    let mut pairs = Vec::new();
    for (own, list) in versions.iter().flat_map(|own| versions.map(|list| (*own, list))) {
        let net_d = folder.path().join(format!("{own}-{list}"));
        fs::create_dir(&net_d).unwrap();
        let [multus, conflist] = ["00-multus.conf", "10-antrea.conflist"].map(|it| net_d.join(it));
        fs::write(
            &multus,
            format!(
                r#"{{"cniVersion":"{own}","name":"m","type":"multus","clusterNetwork":"{}"}}"#,
                conflist.display()
            ),
        )
        .unwrap();
        fs::write(
            &conflist,
            format!(r#"{{"cniVersion":"{list}","name":"x","plugins":[{{"type":"antrea","ipam":{{"type":"host-local"}}}}]}}"#),
        )
        .unwrap();
        pairs.push(format!("{},{}", multus.display(), conflist.display()));
    }
    for (pair, said) in pairs.iter().zip(said(&oracle, &pairs)) {
        let (multus, _) = pair.split_once(',').unwrap();
        let answer = run(["check-config", "--output", "json", multus]);
        let report: Value = serde_json::from_str(answer.out.lines().next().unwrap()).unwrap();
        if report["safe"] != said.starts_with("accepted") {
            differ.push(format!("{pair}\n  Multus: {said}\n  ours: {report}"));
        }
    }
    eprintln!("{} configurations of Multus", cases.len() + pairs.len());
    assert!(differ.is_empty(), "{} differ:\n{}", differ.len(), differ.join("\n"));
}

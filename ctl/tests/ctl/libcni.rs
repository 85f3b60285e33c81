//! `check-config` beside libcni 1.3.0, which runtimes are built with.

use std::fs;
use std::path::Path;
use std::process::Command;

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

#[test]
fn lists_are_judged_as_the_runtimes_library_does() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/interop/go");
    if Command::new("go").arg("version").output().is_err() {
        skipped("the comparison with libcni needs Go");
        return;
    }
    let folder = TempDir::new().unwrap();
    let oracle = folder.path().join("oracle");
    let mut build = Command::new("go");
    build.current_dir(source).env("CGO_ENABLED", "0").arg("build").arg("-o").arg(&oracle);
    assert!(build.arg("./libcni").status().unwrap().success());

    let lists = lists();
    let mut files = Vec::new();
    for (number, (extension, text)) in lists.iter().enumerate() {
        let path = folder.path().join(format!("{number:03}.{extension}"));
        fs::write(&path, text).unwrap();
        files.push(path.to_str().unwrap().to_owned());
    }
    let said = Command::new(oracle).args(&files).output().unwrap();
    let said = String::from_utf8(said.stdout).unwrap();
    let mut differ = Vec::new();
    let (mut accepted, mut refused) = (0, 0);
    for ((file, (extension, text)), said) in files.iter().zip(&lists).zip(said.lines()) {
        let answer = run(["check-config", "--output", "json", file]);
        let report = answer.json();
        let ours: Vec<_> = report["findings"].as_array().unwrap().iter().collect();
        let is_refused = ours.iter().any(|it| it["refused"] == true);
        let version = said.strip_prefix("accepted: ");
        let same = match version {
            None => is_refused,
            Some("") => !is_refused && report["cniVersion"].is_null(),
            Some(version) => !is_refused && report["cniVersion"] == version,
        };
        if is_refused {
            refused += 1
        } else {
            accepted += 1
        }
        if !same {
            differ.push(format!("{extension}: {text}\n  libcni: {said}\n  ours: {report}"));
        }
    }
    eprintln!("{} lists: {accepted} accepted, {refused} refused", lists.len());
    assert!(lists.len() >= 120 && said.lines().count() == lists.len());
    assert!(differ.is_empty(), "{} differ:\n{}", differ.len(), differ.join("\n"));
}

//! `fleet`: many nodes on one page, as a browser shows it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::json;
use tempfile::TempDir;

use antrea_cni_test_support::skipped;

use crate::support::{Answer, run};

const V1BETA1: &str = "antrea_io.antrea.pkg.apis.cni.v1beta1";
const VMWARE: &str = "github.com.vmware_tanzu.antrea.pkg.apis.cni.v1beta1";

/// What `kubectl` brought from some nodes, of which each third has an old agent and each
/// fourth an old portmap.
fn fleet(nodes: usize) -> TempDir {
    let folder = TempDir::new().unwrap();
    for number in 0..nodes {
        let path =
            folder.path().join(format!("ip-10-0-{}-{}.internal", number / 250, number % 250));
        fs::create_dir(&path).unwrap();
        let portmap = if number % 4 == 1 { ["0.4.0", "1.0.0"] } else { ["1.0.0", "1.1.0"] };
        let status = json!({
            "plugin": {"path": "/opt/cni/bin/antrea", "version": "0.1.0", "sha256": "00", "isOurs": true, "answers": true},
            "kept": {"original": true, "before": true}, "keeper": true, "rolledBack": false,
            "conflist": {
                "installed": null, "taken": "/etc/cni/net.d/10-antrea.conflist", "namesPlugin": true, "cniVersion": "0.3.0",
                "plugins": [
                    {"type": "antrea", "versions": ["1.0.0", "1.1.0"], "problem": null, "isThere": true},
                    {"type": "portmap", "versions": portmap, "problem": null, "isThere": true},
                ],
            },
        });
        fs::write(path.join("status.json"), status.to_string()).unwrap();
        let (old, new) = (number % 3 == 0, V1BETA1);
        let api = if old { VMWARE } else { new };
        let versions =
            if old { json!(["0.3.0", "0.4.0"]) } else { json!(["0.4.0", "1.0.0", "1.1.0"]) };
        let probe = json!({
            "socket": "/s", "sentence": "A Pod started now would use it", "ready": true, "state": "served",
            "apis": [{"package": api, "version": "1.0.0", "methods": [{"method": "CmdAdd", "state": "served", "milliseconds": 1.0}]}],
            "cniVersions": versions,
        });
        fs::write(path.join("probe.json"), probe.to_string()).unwrap();
        let mut log = String::new();
        for minute in 0..20 {
            let api = if old || minute < 3 + number % 15 { VMWARE } else { new };
            let (code, tried) = match minute {
                7 => (11, "[]".to_owned()),
                _ => (
                    0,
                    format!(
                        r#"[{{"attempt":1,"command":"ADD","api":"{api}","cniVersion":"0.3.0","code":0,"milliseconds":1.0}}]"#
                    ),
                ),
            };
            log += &format!(
                r#"{{"time":"2026-11-24T10:{minute:02}:00.000000Z","command":"ADD","socket":"/s","tried":{tried},"attempts":1,"code":{code},"milliseconds":{}.5}}"#,
                minute % 7
            );
            log += "\n";
        }
        fs::write(path.join("antrea-cni.log"), log).unwrap();
    }
    folder
}

fn page(folder: &Path) -> (PathBuf, Answer) {
    let page = folder.with_extension("html");
    let answer = run([
        "fleet".as_ref(),
        folder.as_os_str(),
        "--html".as_ref(),
        page.as_os_str(),
        "--output".as_ref(),
        "json".as_ref(),
    ]);
    (page, answer)
}

#[test]
fn each_node_is_a_row_with_what_stands_in_its_way() {
    let folder = fleet(5);
    let (page, answer) = page(folder.path());
    answer.assert(0, "");
    let found = answer.json();
    let nodes = found["nodes"].as_array().unwrap();
    assert_eq!(nodes.len(), 5);
    let first = &nodes[0];
    assert_eq!(first["name"], "ip-10-0-0-0.internal");
    assert_eq!((&first["plugin"], &first["list"]), (&json!("0.1.0"), &json!("0.3.0")));
    assert_eq!((&first["api"], &first["isOld"]), (&json!(VMWARE), &json!(true)));
    assert_eq!((&first["calls"], &first["failed"]), (&json!(20), &json!(1)));
    assert_eq!(first["lastRestart"], "2026-11-24T10:07:00Z");
    assert!(first["inTheWay"][0].as_str().unwrap().contains("CRI-O"), "{first}");
    assert_eq!(nodes[1]["inTheWay"], json!(["portmap takes 1.0.0 at most"]));
    assert_eq!(nodes[2]["inTheWay"], json!([]));
    let last = |api: &str| found["timeline"]["apis"][api].as_array().unwrap().last().cloned();
    assert_eq!((last("v1beta1"), last(VMWARE)), (Some(json!(3)), Some(json!(2))));
    run(["fleet".as_ref(), folder.path().as_os_str()])
        .assert(0, "Nothing stands in the way of a list of 1.1.0 on 2 of 5 nodes.");
    let html = fs::read_to_string(&page).unwrap();
    assert!(!html.contains("<script") && !html.contains("http"), "something from elsewhere");
    fs::remove_file(page).unwrap();
}

/// On Windows no file may have such a name.
#[cfg(unix)]
#[test]
fn names_with_dots_and_texts_with_tags_stay_what_they_are() {
    let folder = TempDir::new().unwrap();
    let line = r#"{"time":"2026-11-24T10:00:00.000000Z","command":"ADD","socket":"/s","tried":[],"attempts":1,"code":11,"milliseconds":5}"#;
    fs::write(folder.path().join("a.example.org.log"), format!("{line}\n")).unwrap();
    fs::write(folder.path().join("<b>.log"), format!("{line}\n")).unwrap();
    fs::write(folder.path().join("notes.txt"), "hello").unwrap();
    let (page, answer) = page(folder.path());
    answer.assert(0, "notes.txt: neither an output of status or probe, nor a log");
    let names: Vec<_> =
        answer.json()["nodes"].as_array().unwrap().iter().map(|it| it["name"].clone()).collect();
    assert_eq!(names, ["<b>", "a.example.org"]);
    assert!(fs::read_to_string(&page).unwrap().contains("&lt;b&gt;"));
    fs::remove_file(page).unwrap();
    run(["fleet", "/nowhere/x"]).assert(1, "cannot read /nowhere/x");
}

/// Chromium of Debian: every row is there, and dark is dark.
#[test]
fn a_browser_shows_the_page_light_and_dark() {
    if Command::new("chromium").arg("--version").output().is_err() {
        skipped("the page in a browser needs chromium");
        return;
    }
    for nodes in [5, 5000] {
        let folder = fleet(nodes);
        let (page, answer) = page(folder.path());
        answer.assert(0, "");
        let url = format!("file://{}", page.display());
        let profile = TempDir::new().unwrap();
        let chromium = |more: &[&str]| {
            let mut chromium = Command::new("chromium");
            chromium.args([
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-dev-shm-usage",
            ]);
            chromium.arg(format!("--user-data-dir={}", profile.path().display()));
            let output = chromium.args(more).arg(&url).stderr(Stdio::null()).output().unwrap();
            assert!(output.status.success(), "{output:?}");
            output.stdout
        };
        let dom = String::from_utf8(chromium(&["--dump-dom"])).unwrap();
        assert!(dom.matches("<tr>").count() >= nodes && dom.matches(".internal").count() >= nodes);
        let mut shades = Vec::new();
        for (name, scheme) in [("light", "1"), ("dark", "0")] {
            let picture = page.with_extension(format!("{name}.png"));
            chromium(&[
                &format!("--blink-settings=preferredColorScheme={scheme}"),
                &format!("--screenshot={}", picture.display()),
                "--window-size=1200,900",
            ]);
            shades.push(fs::read(&picture).unwrap());
            if let Some(folder) = std::env::var_os("PICTURES") {
                fs::copy(&picture, Path::new(&folder).join(format!("{nodes}-{name}.png"))).unwrap();
            }
            fs::remove_file(picture).unwrap();
        }
        assert!(shades[0].len() > 10_000 && shades[0] != shades[1], "the same in light and dark");
        let size = fs::metadata(&page).unwrap().len();
        eprintln!("{nodes} nodes: {size} bytes");
        fs::remove_file(page).unwrap();
    }
}

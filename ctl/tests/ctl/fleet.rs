// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! `fleet`: many nodes on one page, as a browser shows it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use antrea_cni_agent::{Agent, Api, Options};
use serde_json::{Value, json};
use tempfile::TempDir;

use antrea_cni_test_support::{copy_program, skipped};

use crate::support::{Answer, Node, call, run, socket};

const V1BETA1: &str = "antrea_io.antrea.pkg.apis.cni.v1beta1";
const VMWARE: &str = "github.com.vmware_tanzu.antrea.pkg.apis.cni.v1beta1";

/// A node whose tool is asked for real.
struct RealNode(Node);

impl RealNode {
    fn new() -> Self {
        let node = Node::new();
        fs::create_dir(node.path("net.d")).unwrap();
        Self(node)
    }

    /// The plugin with a log, a list of two plugins, and the other plugin of it.
    fn installed(&self) {
        let socket = socket(&self.0.path(""));
        let [log, socket] =
            [self.0.path("antrea-cni.log"), socket].map(|path| path.to_str().unwrap().to_owned());
        let set = [
            format!("logFile={log}"),
            format!("socket={socket}"),
            "waitForAgentSeconds=0".to_owned(),
        ];
        let set: Vec<_> = set.iter().flat_map(|it| ["--set", it]).collect();
        self.0.install("one", &set).assert(0, "installed");
        let portmap = self.0.path(&format!("bin/portmap{}", std::env::consts::EXE_SUFFIX));
        copy_program(self.0.target(), portmap);
        let list = r#"{"cniVersion":"0.3.0","name":"antrea","plugins":[{"type":"antrea"},{"type":"portmap"}]}"#;
        fs::write(self.0.path("net.d/10-antrea.conflist"), list).unwrap();
    }

    fn agent(&self) -> Agent {
        Agent::start(Options::new(socket(&self.0.path("")), &[Api::V1BETA1])).unwrap()
    }

    fn add(&self, container: &str) {
        let configuration = r#"{"cniVersion":"0.3.0","name":"antrea","type":"antrea"}"#;
        call(&self.0.target(), "ADD", container, configuration);
    }

    fn text(&self, command: &str) -> String {
        let mut tool = self.0.command(command);
        tool.arg("--conf-dir").arg(self.0.path("net.d")).args(["-o", "json"]);
        Answer::from(tool.output().unwrap()).out
    }

    fn output(&self, command: &str) -> Value {
        serde_json::from_str(&self.text(command)).unwrap()
    }
}

/// The outputs of `status`, `probe` and the log of nodes in all states, as `kubectl exec`
/// would bring them, are read by `fleet`.
#[test]
fn what_the_tool_prints_on_nodes_in_any_state_is_read() {
    let folder = TempDir::new().unwrap();
    let bring = |name: &str, node: &RealNode| {
        for command in ["status", "probe"] {
            let path = folder.path().join(format!("{name}.{command}.json"));
            fs::write(path, node.text(command)).unwrap();
        }
        if let Ok(log) = fs::read(node.0.path("antrea-cni.log")) {
            fs::write(folder.path().join(format!("{name}.log")), log).unwrap();
        }
    };
    bring("n1-nothing", &RealNode::new());

    let other = RealNode::new();
    other.0.overwrite(&other.0.target(), &other.0.path("one"));
    bring("n2-by-hand", &other);

    let rolled_back = RealNode::new();
    rolled_back.installed();
    rolled_back.0.install("two", &[]).assert(0, "installed");
    rolled_back.0.run("rollback").assert(0, "rolled back");
    bring("n3-rolled-back", &rolled_back);

    let alone = RealNode::new();
    alone.installed();
    alone.add("a");
    bring("n4-no-agent", &alone);

    let whole = RealNode::new();
    whole.installed();
    let _agent = whole.agent();
    whole.add("a");
    bring("n10-whole", &whole);

    let no_list = RealNode::new();
    no_list.installed();
    fs::remove_file(no_list.0.path("net.d/10-antrea.conflist")).unwrap();
    bring("n11-no-list", &no_list);

    let bypassed = RealNode::new();
    bypassed.installed();
    let cilium = r#"{"cniVersion":"0.3.1","name":"cilium","plugins":[{"type":"cilium-cni"}]}"#;
    fs::write(bypassed.0.path("net.d/05-cilium.conflist"), cilium).unwrap();
    bring("n12-bypassed", &bypassed);

    // Multus leads Pods to the list that comes after its own.
    let multus = RealNode::new();
    multus.installed();
    let own = r#"{"cniVersion":"0.3.1","name":"m","type":"multus","confDir":"/host/etc/cni/net.d","clusterNetwork":"antrea"}"#;
    fs::write(multus.0.path("net.d/00-multus.conf"), own).unwrap();
    let multus_itself = multus.0.path(&format!("bin/multus{}", std::env::consts::EXE_SUFFIX));
    copy_program(multus.0.target(), multus_itself);
    bring("n13-multus", &multus);

    let answer = run(["fleet".as_ref(), folder.path().as_os_str(), "-o".as_ref(), "json".as_ref()]);
    answer.assert(0, "");
    let nodes = answer.json()["nodes"].as_array().unwrap().clone();
    let row = |name: &str| nodes.iter().find(|it| it["name"] == name).unwrap();
    let names: Vec<_> = nodes.iter().map(|it| it["name"].as_str().unwrap()).collect();
    let expected = [
        "n1-nothing",
        "n2-by-hand",
        "n3-rolled-back",
        "n4-no-agent",
        "n10-whole",
        "n11-no-list",
        "n12-bypassed",
        "n13-multus",
    ];
    assert_eq!(names, expected);
    let says = |name: &str, text: &str| {
        let found = row(name)["inTheWay"].to_string();
        assert!(found.contains(text), "{name}: {found}");
    };
    says("n1-nothing", "no plugin is there");
    says("n1-nothing", "no network configuration");
    says("n2-by-hand", "another plugin stands in the place of this one");
    says("n3-rolled-back", "rolled back here");
    says("n4-no-agent", "No agent listens on");
    says("n11-no-list", "no network configuration");
    says("n12-bypassed", "does not lead to this plugin");
    assert!(!row("n13-multus")["inTheWay"].to_string().contains("lead"));
    assert_eq!(row("n13-multus")["list"], "0.3.0");
    let whole = row("n10-whole");
    assert_eq!((&whole["ready"], &whole["calls"]), (&json!(true), &json!(1)));
    assert_eq!((&whole["list"], &whole["owed"]), (&json!("0.3.0"), &json!(0)));
    assert_eq!(whole["inTheWay"], json!([]));
    assert_eq!(row("n4-no-agent")["failed"], 1);
}

/// An input that cannot be read is a row, counts, and is the exit status.
#[test]
fn what_cannot_be_read_is_a_row() {
    let folder = TempDir::new().unwrap();
    let node = RealNode::new();
    node.installed();
    let _agent = node.agent();
    let status = node.text("status");
    let utf16: Vec<u8> = status.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let files: [(&str, Vec<u8>, &str); 6] = [
        ("n1.status.json", Vec::new(), "no answer"),
        ("n2.status.json", b"Error from server: timeout".to_vec(), "not an output of"),
        ("n3.status.json", [&[0xff, 0xfe], &*utf16].concat(), "UTF-16"),
        ("n4.probe.json", [b"\xef\xbb\xbf", status.as_bytes()].concat(), "byte order mark"),
        ("n5.log", b"hello\n".to_vec(), "no log of the plugin"),
        ("n6.status.json", status.into_bytes(), ""),
    ];
    for (name, bytes, _) in &files {
        fs::write(folder.path().join(name), bytes).unwrap();
    }
    let answer = run(["fleet".as_ref(), folder.path().as_os_str()]);
    answer.assert(1, "of 6 nodes");
    for (name, _, says) in files.iter().filter(|(.., says)| !says.is_empty()) {
        assert!(answer.out.contains(&format!("{name}: ")), "{name}: {answer:?}");
        assert!(answer.out.contains(says), "{says}: {answer:?}");
    }
    // One that cannot be opened, or is no file, keeps nothing from the page.
    #[cfg(unix)]
    std::os::unix::fs::symlink("/dev/zero", folder.path().join("n8.log")).unwrap();
    #[cfg(unix)]
    run(["fleet".as_ref(), folder.path().as_os_str()])
        .assert(1, "n8.log: it is not a regular file");
    let empty = TempDir::new().unwrap();
    run(["fleet".as_ref(), empty.path().as_os_str()]).assert(2, "there is no output of status");
    fs::write(folder.path().join("n7.log"), "").unwrap();
    run(["fleet".as_ref(), folder.path().join("n7.log").as_os_str()]).assert(0, "n7");
}

/// What `kubectl` brought from some nodes, of which each third has an old agent and each
/// fourth an old portmap.
fn fleet(nodes: usize) -> TempDir {
    let folder = TempDir::new().unwrap();
    let node = RealNode::new();
    node.installed();
    let _agent = node.agent();
    let [status, probe] = ["status", "probe"].map(|command| node.output(command));
    for number in 0..nodes {
        let path =
            folder.path().join(format!("ip-10-0-{}-{}.internal", number / 250, number % 250));
        fs::create_dir(&path).unwrap();
        let portmap = if number % 4 == 1 { ["0.4.0", "1.0.0"] } else { ["1.0.0", "1.1.0"] };
        let mut status = status.clone();
        *status.pointer_mut("/conflist/plugins/1/versions").unwrap() = json!(portmap);
        fs::write(path.join("status.json"), status.to_string()).unwrap();
        let (old, new) = (number % 3 == 0, V1BETA1);
        let api = if old { VMWARE } else { new };
        let versions =
            if old { json!(["0.3.0", "0.4.0"]) } else { json!(["0.4.0", "1.0.0", "1.1.0"]) };
        let mut probe = probe.clone();
        for of in probe.pointer_mut("/apis").unwrap().as_array_mut().unwrap() {
            let is_it = of.get("package").unwrap() == api;
            let state = json!(if is_it { "served" } else { "unimplemented" });
            for method in of.pointer_mut("/methods").unwrap().as_array_mut().unwrap() {
                *method.pointer_mut("/state").unwrap() = state.clone();
            }
        }
        *probe.pointer_mut("/cniVersions").unwrap() = versions;
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
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!((&first["plugin"], &first["list"]), (&json!(version), &json!("0.3.0")));
    assert_eq!((&first["api"], &first["isOld"]), (&json!(VMWARE), &json!(true)));
    assert_eq!((&first["calls"], &first["failed"]), (&json!(20), &json!(1)));
    assert_eq!(first["lastRestart"], "2026-11-24T10:07:00Z");
    assert!(first["inTheWay"][0].as_str().unwrap().contains("CRI-O"), "{first}");
    assert_eq!(nodes[1]["inTheWay"], json!(["portmap takes 1.0.0 at most"]));
    assert_eq!(nodes[2]["inTheWay"], json!([]));
    let last = |api: &str| found["timeline"]["apis"][api].as_array().unwrap().last().cloned();
    assert_eq!((last("v1beta1"), last(VMWARE)), (Some(json!(3)), Some(json!(2))));
    run(["fleet".as_ref(), folder.path().as_os_str()])
        .assert(0, "2 of 5 nodes could have a list of 1.1.0.");
    let html = fs::read_to_string(&page).unwrap();
    assert!(!html.contains("<script") && !html.contains("http"), "something from elsewhere");
    fs::remove_file(page).unwrap();
}

/// A log with a call that an agent answered in an API.
fn log(folder: &Path, name: &str, minute: u32, api: &str) -> String {
    let line = format!(
        r#"{{"time":"2026-11-24T10:{minute:02}:00.000000Z","command":"ADD","socket":"/s","tried":[{{"attempt":1,"command":"ADD","api":"{api}","cniVersion":"0.3.0","code":0,"milliseconds":1.0}}],"attempts":1,"code":0,"milliseconds":1.0}}"#
    );
    let path = folder.join(name);
    fs::write(&path, line + "\n").unwrap();
    path.to_str().unwrap().to_owned()
}

/// The agent of a node is the one that answered last, in whatever order its files are named: a shell
/// puts n1.log before n1.log.1.
#[test]
fn a_rotated_file_is_older_wherever_it_stands() {
    let folder = TempDir::new().unwrap();
    let new = log(folder.path(), "n1.log", 2, V1BETA1);
    let old = log(folder.path(), "n1.log.1", 1, VMWARE);
    for files in [[&new, &old], [&old, &new]] {
        let found = run(["fleet", "-o", "json", files[0], files[1]]).json();
        let row = &found["nodes"][0];
        assert_eq!(row["api"], "v1beta1", "{files:?}");
        let counts = &found["timeline"]["apis"];
        assert_eq!(
            (&counts["v1beta1"][0], &counts[VMWARE][0]),
            (&json!(0), &json!(1)),
            "{files:?}"
        );
    }
}

/// A node of which only the log is there has an old agent if a release has a newer API.
#[test]
fn a_log_alone_tells_an_old_agent() {
    let folder = TempDir::new().unwrap();
    let mut is_newer_released = false;
    for api in Api::ALL {
        let file = log(folder.path(), "n1.log", 1, api.package);
        let found = run(["fleet", "-o", "json", &file]).json();
        assert_eq!(found["nodes"][0]["isOld"], is_newer_released, "{}", api.package);
        is_newer_released |= api.releases.is_some();
    }
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
    answer.assert(1, "notes.txt: not an output of status or probe");
    let names: Vec<_> =
        answer.json()["nodes"].as_array().unwrap().iter().map(|it| it["name"].clone()).collect();
    assert_eq!(names, ["<b>", "a.example.org", "notes.txt"]);
    assert!(fs::read_to_string(&page).unwrap().contains("&lt;b&gt;"));
    fs::remove_file(page).unwrap();
    run(["fleet", "/nowhere/x"]).assert(1, "x: No such file or directory");
}

/// Chromium of Debian: every row is there, and dark is dark.
#[test]
#[ignore = "takes long; make test-release runs it"]
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

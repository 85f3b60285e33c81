// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use antrea_cni_agent::{Agent, Api, Options};
use tempfile::TempDir;

use crate::support::{Answer, Lines, Node, call, plugin, run, socket, tool};

fn event(minute: u32, command: &str, api: &str, code: u32, milliseconds: f64) -> String {
    let tried = if api.is_empty() {
        String::new()
    } else {
        format!(
            r#"{{"attempt":1,"command":"{command}","api":"{api}","cniVersion":"1.0.0","code":{code},"milliseconds":1.0}}"#
        )
    };
    format!(
        r#"{{"time":"2026-11-24T10:{minute:02}:00.000000Z","command":"{command}","podNamespace":"shop","podName":"web-{minute}","socket":"/s","tried":[{tried}],"attempts":1,"code":{code},"milliseconds":{milliseconds}}}"#
    )
}

const V1: &str = "antrea_io.antrea.pkg.apis.cni.v1";
const V1BETA1: &str = "antrea_io.antrea.pkg.apis.cni.v1beta1";
const VMWARE: &str = "github.com.vmware_tanzu.antrea.pkg.apis.cni.v1beta1";

struct Logs(TempDir);

impl Logs {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    fn file(&self, name: &str, lines: &[String]) -> String {
        let path = self.0.path().join(name);
        fs::write(&path, lines.iter().map(|line| format!("{line}\n")).collect::<String>()).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

#[test]
fn a_summary_counts_calls_times_and_old_agents() {
    let logs = Logs::new();
    logs.file("a.log.1", &[event(0, "ADD", VMWARE, 0, 4.0)]);
    let a = logs.file(
        "a.log",
        &[
            event(1, "ADD", V1BETA1, 0, 1.0),
            event(2, "ADD", "", 11, 30.0),
            event(3, "DEL", V1BETA1, 0, 2.0),
        ],
    );
    let b = logs.file("b.log", &[event(4, "ADD", V1, 0, 3.0)]);
    let c = logs.file("c.log", &[event(4, "ADD", VMWARE, 0, 3.0)]);
    let answer = run(["log", "summary", "--file", &a, "--file", &b]);
    let wide = VMWARE.len();
    for says in [
        "5 calls".to_owned(),
        format!("ADD      {:<wide$} 0             1", "v1beta1"),
        format!("ADD      {:<wide$} 11            1", "none"),
        format!("ADD      {:<wide$} 0             1", "v1"),
        "p50 3.000 ms  p90 30.000 ms".to_owned(),
        "a.log: v1beta1, as antrea-agent v1.11.0 to v2.7.0 does".to_owned(),
    ] {
        answer.assert(0, &says);
    }
    // No release has a newer one than v1beta1; v1 is of an agent that is to come.
    assert!(!answer.out.contains("(old"), "{answer:?}");
    let is_path = |line: &str| line.starts_with(logs.0.path().to_str().unwrap());
    assert!(answer.out.lines().all(|line| is_path(line) || line.chars().count() <= 80));
    let answer = run(["log", "summary", "--file", &a, "--file", &c]);
    answer.assert(0, &format!("c.log: {VMWARE} (old: a release has a newer API)"));
    let json = run(["log", "summary", "--file", &a, "--file", &c, "--output", "json"]).json();
    assert_eq!(json["calls"], 5);
    assert_eq!([&json["agents"][0]["isOld"], &json["agents"][1]["isOld"]], [false, true]);
}

#[test]
fn the_calls_that_are_there_are_shown_also_of_the_file_before() {
    let logs = Logs::new();
    logs.file("log.1", &[event(0, "ADD", VMWARE, 0, 4.0)]);
    let file =
        logs.file("log", &[event(1, "ADD", V1BETA1, 0, 1.0), event(2, "DEL", V1BETA1, 0, 1.0)]);
    let answer = run(["log", "show", "--file", &file, "--command", "ADD", "--output", "json"]);
    assert_eq!(answer.out.lines().count(), 2, "{answer:?}");
    // What it writes, it reads.
    let again = logs.file("again", &answer.out.lines().map(str::to_owned).collect::<Vec<_>>());
    run(["log", "summary", "--file", &again]).assert(0, "2 calls");
}

#[test]
fn the_log_of_the_settings_is_read_where_none_is_named() {
    let node = Node::new();
    let logs = Logs::new();
    let file = logs.file("log", &[event(1, "ADD", V1BETA1, 0, 1.0)]);
    let summary = || -> Answer {
        let bin = node.path("bin");
        run(["log", "summary", "--bin-dir", bin.to_str().unwrap(), "--conf-dir", "/nowhere"])
    };
    summary().assert(2, "the plugin writes no log here");
    node.install("one", &["--set", &format!("logFile={file}")]).assert(0, "installed");
    summary().assert(0, "1 calls");
    let no_log = logs.file("other", &["hello".to_owned()]);
    run(["log", "summary", "--file", &no_log]).assert(1, "is no log of the plugin");
}

/// `kubectl exec … cat LOG | antrea-cnictl log …`
#[test]
fn a_log_comes_through_standard_input() {
    let logs = Logs::new();
    let file = logs.file("log", &[event(0, "ADD", V1, 0, 1.0), event(1, "DEL", V1, 0, 1.0)]);
    for (command, says) in [("show", "DEL"), ("follow", "DEL"), ("summary", "2 calls")] {
        let output = tool()
            .args(["log", command, "--file", "-"])
            .stdin(File::open(&file).unwrap())
            .output()
            .unwrap();
        let out = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success() && out.contains(says), "{command}: {out}");
    }
}

#[test]
fn filters_are_by_time_command_code_and_pod() {
    let logs = Logs::new();
    let lines: Vec<_> = (0..10)
        .map(|minute| event(minute, if minute < 5 { "ADD" } else { "DEL" }, V1, minute % 2, 1.0))
        .collect();
    let file = logs.file("log", &lines);
    let calls = |more: &[&str]| {
        let base = ["log", "summary", "--file", &file, "--output", "json"];
        run(base.iter().chain(more)).json()["calls"].as_u64().unwrap()
    };
    assert_eq!(calls(&[]), 10);
    assert_eq!(calls(&["--since", "2026-11-24T10:04:00Z"]), 6);
    assert_eq!(calls(&["--until", "2026-11-24T10:04:00Z"]), 4);
    for (since, count) in [("1s", 0), ("36500d", 10), ("2026-11-24", 10), ("2026-11-25", 0)] {
        assert_eq!(calls(&["--since", since]), count, "{since}");
    }
    run(["log", "show", "--since", "soon", "--file", &file]).assert(2, "or 15m or 2d");
    assert_eq!(calls(&["--command", "add"]), 5);
    assert_eq!(calls(&["--code", "1"]), 5);
    assert_eq!(calls(&["--pod", "web-3"]), 1);
    assert_eq!(calls(&["--pod", "shop/web-3"]), 1);
    assert_eq!(calls(&["--pod", "other/web-3"]), 0);
}

/// Between a rotation and the next call there is no file of the log's name.
#[test]
fn a_log_that_was_just_rotated_is_read() {
    let logs = Logs::new();
    let file = logs.file("log.1", &[event(0, "ADD", V1, 0, 1.0)]);
    let log = file.strip_suffix(".1").unwrap();
    let shown = run(["log", "show", "--file", log]);
    assert_eq!((shown.exit, shown.out.lines().count()), (0, 1), "{shown:?}");
}

#[test]
fn torn_lines_are_counted_and_hide_nothing() {
    let logs = Logs::new();
    let whole = event(1, "ADD", V1, 0, 1.0);
    let torn = whole[..50].to_owned();
    let file = logs.file("log", &[torn.clone() + &whole, torn, "rubbish".into(), whole]);
    let json = run(["log", "summary", "--file", &file, "--output", "json"]).json();
    assert_eq!((json["calls"].as_u64(), json["tornLines"].as_u64()), (Some(2), Some(3)));
}

#[test]
fn metrics_are_a_textfile_of_node_exporter() {
    let logs = Logs::new();
    let file = logs.file("log", &[event(1, "ADD", V1BETA1, 0, 2.0), event(1, "ADD", "", 11, 2.0)]);
    let textfile = logs.0.path().join("antrea_cni.prom");
    let to = textfile.to_str().unwrap();
    let base = ["log", "summary", "--file", &file, "--format", "prometheus"];
    run(base.iter().chain(&["--textfile", to])).assert(0, "");
    let text = fs::read_to_string(&textfile).unwrap();
    for line in [
        "# TYPE antrea_cni_log_calls gauge",
        r#"antrea_cni_log_calls{command="ADD",api="v1beta1",code="0"} 1"#,
        r#"antrea_cni_log_calls{command="ADD",api="none",code="11"} 1"#,
        r#"antrea_cni_log_call_seconds{command="ADD",quantile="0.99"} 0.002"#,
        "antrea_cni_log_torn_lines 0",
    ] {
        assert!(text.lines().any(|it| it == line), "{line}\n{text}");
    }
    assert_eq!(run(base).out, text);
}

#[test]
fn a_log_that_is_not_there_is_named() {
    run(["log", "summary", "--file", "/nowhere/log"]).assert(1, "cannot read /nowhere/log");
    run(["log", "follow", "--file", "/nowhere/log"]).assert(1, "cannot read /nowhere/log");
}

/// The plugin writes, the tool reads.
#[test]
fn real_calls_are_followed_and_summed_up_also_over_a_rotation() {
    let logs = Logs::new();
    let path = |name: &str| -> PathBuf { logs.0.path().join(name) };
    let (socket, file) = (socket(logs.0.path()), path("log"));
    let _agent = Agent::start(Options::new(&socket, &[Api::V1BETA1])).unwrap();
    let configuration = format!(
        r#"{{"cniVersion":"1.1.0","name":"antrea","type":"antrea","antreaCni":{{"socket":{socket:?},"logFile":{file:?}}}}}"#
    );
    let add = |container: &str| {
        let answer = call(&plugin(), "ADD", container, &configuration);
        assert!(answer.status.success(), "{answer:?}");
    };
    add("c0");
    let mut tool = tool();
    tool.args(["log", "follow", "--since", "1h", "--output", "json", "--file"]).arg(&file);
    // Also of a log that is not there yet.
    fs::remove_file(&file).unwrap();
    let mut follower = Killed(tool.stdout(Stdio::piped()).spawn().unwrap());
    let lines = Lines::of(follower.0.stdout.take());
    let next = || -> serde_json::Value { serde_json::from_str(&lines.next()).unwrap() };
    add("c4");
    assert_eq!(next()["container"], "c4");
    add("c1");
    assert_eq!(next()["container"], "c1");
    // As logrotate's copytruncate does.
    File::options().write(true).open(&file).unwrap().set_len(0).unwrap();
    add("c3");
    assert_eq!(next()["container"], "c3");
    rotate(&file);
    add("c2");
    let event = next();
    assert_eq!((&event["container"], &event["podName"]), (&"c2".into(), &"web-0".into()));
    drop(follower);
    let summary = run(["log", "summary", "--file", file.to_str().unwrap()]);
    summary.assert(0, "2 calls");
    summary.assert(0, "v1beta1, as antrea-agent v2.1.0 to v2.7.0 does");
}

/// The call that creates the log happens while the person watches.
#[test]
fn the_first_call_of_a_new_log_is_followed() {
    let logs = Logs::new();
    let path = logs.0.path().join("log");
    let mut tool = tool();
    tool.args(["log", "follow", "--output", "json", "--file"]).arg(&path);
    let mut follower = Killed(tool.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap());
    let said = Lines::of(follower.0.stderr.take());
    assert!(said.next().contains("waiting for the first call"));
    // Moved there whole, so that there is no moment in which it is empty.
    fs::rename(logs.file("new", &[event(1, "ADD", V1, 0, 1.0)]), &path).unwrap();
    let lines = Lines::of(follower.0.stdout.take());
    writeln!(File::options().append(true).open(&path).unwrap(), "{}", event(2, "DEL", V1, 0, 1.0))
        .unwrap();
    assert!(lines.next().contains(r#""command":"ADD""#));
    assert!(lines.next().contains(r#""command":"DEL""#));
}

#[test]
fn follow_since_begins_with_the_rotated_file() {
    let logs = Logs::new();
    logs.file("log.1", &[event(0, "ADD", V1, 0, 1.0), event(1, "CHECK", V1, 0, 1.0)]);
    let file = logs.file("log", &[event(2, "DEL", V1, 0, 1.0)]);
    for (since, commands) in [("10:01:00", &["CHECK", "DEL"][..]), ("10:02:00", &["DEL"])] {
        let mut tool = tool();
        tool.args(["log", "follow", "--output", "json", "--file", &file]);
        tool.arg(format!("--since=2026-11-24T{since}Z"));
        let mut follower = Killed(tool.stdout(Stdio::piped()).spawn().unwrap());
        let lines = Lines::of(follower.0.stdout.take());
        for command in commands {
            let line = lines.next();
            assert!(line.contains(&format!(r#""command":"{command}""#)), "{command}: {line}");
        }
    }
}

/// A program that does not outlive its test, also one that fails.
struct Killed(std::process::Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill().and_then(|()| self.0.wait());
    }
}

fn rotate(file: &Path) {
    let mut old = file.as_os_str().to_owned();
    old.push(".1");
    fs::rename(file, old).unwrap();
    File::options().create(true).append(true).open(file).unwrap().flush().unwrap();
}

#[test]
fn one_wrong_clock_does_not_decide_what_an_agent_speaks() {
    let logs = Logs::new();
    let future = event(1, "ADD", V1, 0, 1.0).replace("2026-11-24", "2030-11-24");
    let lines = [event(1, "ADD", V1BETA1, 0, 1.0), future, event(2, "ADD", V1BETA1, 0, 1.0)];
    let file = logs.file("log", &lines);
    let json = run(["log", "summary", "--file", &file, "--output", "json"]).json();
    assert_eq!(json["agents"][0]["api"], "v1beta1", "{json}");
}

/// Whatever the plugin writes comes through, of this version and of others.
#[test]
fn no_key_of_a_line_is_lost_or_added() {
    let node = Node::new();
    let log = node.path("log");
    let settings = format!(
        r#""logFile":{log:?},"logLevel":"debug","waitForAgentSeconds":0,"socket":{:?}"#,
        socket(&node.path(""))
    );
    let _agent = Agent::start(Options::new(socket(&node.path("")), &[Api::V1BETA1])).unwrap();
    for (command, extra) in [("ADD", ""), ("STATUS", ""), ("GC", ""), ("DEL", r#","colour":1"#)] {
        let configuration = format!(
            r#"{{"cniVersion":"1.1.0","name":"antrea","type":"antrea","antreaCni":{{{settings}{extra}}}}}"#
        );
        call(&plugin(), command, "c0ffee", &configuration);
    }
    let future = r#"{"time":"2026-11-24T10:00:00.000000Z","command":"ADD","socket":"/s","tried":[{"attempt":1,"api":"x","new":[1]}],"attempts":1,"code":0,"milliseconds":1.5,"ofTheFuture":{"a":null}}"#;
    let mut file = File::options().append(true).open(&log).unwrap();
    writeln!(file, "{future}").unwrap();
    let lines = |text: &str| -> Vec<serde_json::Value> {
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let mut written = lines(&fs::read_to_string(&log).unwrap());
    let shown = run(["log", "show", "--file", log.to_str().unwrap(), "--output", "json"]);
    let mut shown = lines(&shown.out);
    assert_eq!(written.len(), 5);
    // A time has fewer zeros.
    for event in written.iter_mut().chain(&mut shown) {
        event.as_object_mut().unwrap().remove("time").unwrap();
    }
    assert_eq!(shown, written);
}

// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Every generation of the reference agent keeps the promises of its API, and an agent
//! that breaks one is told which.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use antrea_cni_agent::{Agent, Api, Kept, Options, Question, Report, conformance, servable};
use serde_json::{Value, json};
use tempfile::TempDir;

struct Node {
    folder: TempDir,
    options: Options,
}

impl Node {
    fn new(api: Api) -> Self {
        let folder = TempDir::new().unwrap();
        let options = Options::new(folder.path().join("cni.sock"), &[api]);
        Self { folder, options }
    }

    fn scripted(mut self, script: Value) -> Self {
        self.options.script = serde_json::from_value(script).unwrap();
        self
    }

    /// Asks the agent whatever there is to ask.
    fn ask(&self) -> Report {
        let _agent = Agent::start(self.options.clone()).unwrap();
        self.ask_what_is_there(true)
    }

    fn ask_what_is_there(&self, with_effects: bool) -> Report {
        let netns = with_effects.then(|| self.folder.path().join("netns"));
        let socket = self.options.socket.clone();
        conformance(&Question { socket, timeout: Duration::from_secs(2), netns })
    }
}

#[test]
fn every_generation_keeps_what_its_api_promises() {
    for api in servable() {
        let report = Node::new(api).ask();
        assert!(report.broken().is_empty(), "{report}");
        let asked = report.rows.iter().filter(|row| row.kept == Kept::Yes).count();
        let is_older = [Api::V1BETA1, Api::VMWARE, Api::OLDEST].contains(&api);
        assert_eq!(asked, if is_older { 15 } else { 21 }, "{report}");
    }
}

#[test]
fn without_a_namespace_nothing_has_an_effect() {
    for api in servable() {
        let node = Node::new(api);
        let agent = Agent::start(node.options.clone()).unwrap();
        let report = node.ask_what_is_there(false);
        assert!(report.broken().is_empty(), "{report}");
        assert!(agent.effects().is_empty());
        let commands = agent.served().into_iter().map(|call| call.path);
        let acting = commands.filter(|path| path.ends_with("CmdAdd") || path.ends_with("CmdGC"));
        assert_eq!(acting.count(), 0, "{}", api.package);
    }
}

#[test]
fn where_no_agent_is_none_is_judged() {
    let report = Node::new(Api::V1BETA1).ask_what_is_there(true);
    assert!(report.no_agent.is_some() && report.rows.is_empty(), "{report}");
}

#[test]
fn a_broken_agent_fails_at_the_promise_that_it_breaks() {
    let status = |code: i32| json!({"status": {"code": code, "message": "broken"}});
    let error = |code: i32| json!({"error": {"code": code, "message": "broken"}});
    let only = |promise: &str, mut behaviour: Value| {
        behaviour["onlyFor"] = format!("conformance-{promise}").into();
        behaviour
    };
    let success = || json!({"rawB64": ""});
    let script =
        |command: &str, promise: &str, behaviour: Value| json!({command: only(promise, behaviour)});
    let broken = [
        ("unimplemented", json!({"unknown": status(2)})),
        ("unknown-version", script("DEL", "unknown-version", error(7))),
        ("absent-version", script("CHECK", "absent-version", success())),
        ("malformed", script("CHECK", "malformed", status(13))),
        ("unknown-container", script("DEL", "unknown-container", error(102))),
        ("nothing-there", script("CHECK", "nothing-there", success())),
        ("at-once", script("CHECK", "at-once", json!({"hang": true}))),
        ("status", script("STATUS", "status", json!({"delayMs": 1500}))),
        ("capabilities", json!({"v1.GetCapabilities": success()})),
        ("add", script("ADD", "add", json!({"reply": "[]"}))),
        ("refused-add", script("ADD", "refused-add", error(7))),
        ("check", script("CHECK", "check", error(103))),
        ("del-again", script("DEL", "del-again", error(101))),
        ("cut-off", script("DEL", "cut-off", error(101))),
        ("label", script("ADD", "label", json!({"reply": "{\"cniVersion\":\"0.2.0\"}"}))),
        ("second-add", script("CHECK", "second-add", error(103))),
        ("gc", json!({"GC": success()})),
        ("any-request", script("CHECK", "any-request", json!({"hang": true}))),
    ];
    // Those that hang, or are asked at once, wait.
    for some in broken.chunks(4) {
        std::thread::scope(|all| {
            for (promise, script) in some {
                all.spawn(|| {
                    let report = Node::new(Api::V1).scripted(script.clone()).ask();
                    assert_eq!(report.broken(), [*promise], "{report}");
                });
            }
        });
    }
}

#[test]
fn an_agent_that_says_try_again_later_is_held_to_it() {
    let busy = json!({"ADD": {
        "error": {"code": 11, "message": "busy"}, "onlyFor": "conformance-try-again", "times": 1,
    }});
    let report = Node::new(Api::V1BETA1).scripted(busy).ask();
    let row = report.rows.iter().find(|row| row.promise == "try-again").unwrap();
    assert_eq!((report.broken().len(), &row.kept), (0, &Kept::Yes), "{report}");
    // One that did it all the same.
    let raw = "EgYICxICbm8=";
    let script = json!({"CHECK": {"onlyFor": "conformance-try-again", "rawB64": ""},
        "ADD": {"onlyFor": "conformance-try-again", "rawB64": raw}});
    assert_eq!(Node::new(Api::V1BETA1).scripted(script).ask().broken(), ["try-again"]);
    let report = Node::new(Api::V1BETA1).ask();
    let row = report.rows.iter().find(|row| row.promise == "try-again").unwrap();
    assert!(matches!(row.kept, Kept::NotAsked(_)), "{report}");
}

/// The agent begins the cut ADD after the DEL: the first DEL finds nothing.
#[test]
fn an_add_that_the_agent_begins_after_its_del_breaks_no_promise() {
    let late = json!({"DEL": {"onlyFor": "conformance-cut-off", "rawB64": "", "times": 1}});
    let report = Node::new(Api::V1).scripted(late).ask();
    assert!(report.broken().is_empty(), "{report}");
}

#[test]
fn what_an_agent_serves_and_accepts_can_be_broken_too() {
    let mut node = Node::new(Api::V1BETA1);
    node.options.without = vec!["v1beta1.CmdDel".to_owned()];
    assert!(node.ask().broken().contains(&"api"));

    let mut node = Node::new(Api::V1BETA1);
    node.options.cni_versions = vec!["0.3.1".to_owned()];
    assert!(node.ask().broken().contains(&"cni-version"));

    let node = Node::new(Api::V1BETA1);
    let _agent = Agent::start(node.options.clone()).unwrap();
    std::fs::set_permissions(&node.options.socket, PermissionsExt::from_mode(0o777)).unwrap();
    assert_eq!(node.ask_what_is_there(true).broken(), ["socket"]);
}

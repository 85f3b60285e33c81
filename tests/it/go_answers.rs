// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! What the Go plugin answered to the same input: exit status, code and number
//! of documents are the same here.

use antrea_cni_agent::{Agent, Options};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use antrea_cni_test_support::{Call, Stdin, TestNode, with_settings};

const CASES: &str = include_str!("../fixtures/go-plugin-answers.jsonl");

#[test]
fn the_go_plugins_recorded_answers_agree() {
    let mut run = 0;
    for line in CASES.lines() {
        // A Go program wrote half a surrogate pair, which serde_json refuses.
        let case = line.replace(r#""\ud800""#, r#""?""#);
        let case: Value = serde_json::from_str(&case).unwrap();
        compare(&case);
        run += 1;
    }
    assert_eq!(run, 172);
}

fn compare(case: &Value) {
    let name = case["case"].as_str().unwrap();
    let place = TestNode::new();
    let agent = agent(&place, case.get("agent").unwrap_or(&Value::Null));
    let mut settings = case.get("settings").cloned().unwrap_or_else(|| json!({}));
    settings["socket"] = place.socket().to_str().into();
    if let Some("no-directory") = case["agent"]["socket"].as_str() {
        settings["socket"] = place.path("none/cni.sock").to_str().into();
    }
    // The Go plugin waits for nobody.
    settings["waitForAgentSeconds"] = 0.into();
    settings["delWhenAgentDown"] = "fail".into();

    let mut call = Call::new("", with_settings(&text(&case["stdin"]), &settings));
    call.env.clear();
    for (name, value) in case["env"].as_object().unwrap() {
        call = call.env(name, value.as_str().unwrap());
    }
    // DEL of a container whose network namespace is gone needs no agent; the Go plugin
    // does not look.
    if call.env.get("CNI_NETNS").is_some_and(|netns| !netns.is_empty()) {
        call = call.env("CNI_NETNS", place.netns());
    }
    call.stdin = match (case.get("stdin_mode").and_then(Value::as_str), call.stdin) {
        (Some("dir"), _) => Stdin::Directory,
        (Some("dribble"), Stdin::Bytes(bytes)) => Stdin::Dribble(bytes),
        (_, stdin) => stdin,
    };
    let answer = call.run();

    let go = &case["go"];
    let documents = u64::from(answer.document().is_some());
    assert_eq!(
        answer.exit(),
        i32::try_from(go["exit"].as_i64().unwrap()).unwrap(),
        "{name}: {answer:?}"
    );
    assert_eq!(documents, go["documents"].as_u64().unwrap(), "{name}: {answer:?}");
    if answer.exit() == 1 {
        assert_eq!(answer.code(), go["answer"]["code"].as_u64().unwrap(), "{name}: {answer:?}");
    }
    let asked = go["calls"].as_array().unwrap().is_empty();
    assert_eq!(agent.is_none_or(|agent| agent.calls().is_empty()), asked, "{name}: {answer:?}");
}

/// The agent of a case: v1beta1 only if nothing is said.
fn agent(place: &TestNode, said: &Value) -> Option<Agent> {
    match said.get("socket").and_then(Value::as_str) {
        Some("missing" | "no-directory") => return None,
        Some("dir") => {
            std::fs::create_dir(place.socket()).unwrap();
            return None;
        }
        Some("refused") => {
            drop(std::os::unix::net::UnixListener::bind(place.socket()).unwrap());
            return None;
        }
        _ => (),
    }
    let mut script = said.get("script").cloned().unwrap_or_else(|| json!({}));
    for behaviour in script.as_object_mut().unwrap().values_mut() {
        let behaviour = behaviour.as_object_mut().unwrap();
        if let Some(raw) = behaviour.remove("raw_b64") {
            behaviour.insert("rawB64".to_owned(), raw);
        }
        if behaviour.contains_key("close") {
            behaviour.insert("close".to_owned(), "after".into());
        }
        if let Some(error) = behaviour.get_mut("error") {
            error["message"] = String::from_utf8(text(&error["message"])).unwrap().into();
        }
    }
    if script.get("*").is_none() && script.get("CHECK").is_none() {
        // That agent let every CHECK pass: an empty message is success.
        script["CHECK"] = json!({"rawB64": ""});
    }
    let options = json!({
        "socket": place.socket(),
        "apis": said.get("serve").cloned().unwrap_or_else(|| json!(["v1beta1"])),
        "without": said.get("without").cloned().unwrap_or_else(|| json!([])),
        // That agent accepted what the plugin lets pass, an absent version too.
        "cni_versions": ["", "0.1.0", "0.2.0", "0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"],
        "script": script,
    });
    Some(Agent::start(serde_json::from_value::<Options>(options).unwrap()).unwrap())
}

/// The bytes of a text that a case may write in a shorter form.
fn text(value: &Value) -> Vec<u8> {
    let number = |value: &Value| usize::try_from(value.as_u64().unwrap()).unwrap();
    if let Some(text) = value.as_str() {
        return text.as_bytes().to_vec();
    }
    if let Some(bytes) = value.get("b64") {
        return STANDARD.decode(bytes.as_str().unwrap()).unwrap();
    }
    if let Some(parts) = value.get("repeat") {
        let (text, part) = (parts[0].as_str().unwrap(), parts[1].as_str().unwrap());
        return format!("{text}{}", part.repeat(number(&parts[2]))).into_bytes();
    }
    if let Some(bytes) = value.get("pad") {
        let pad = " ".repeat(number(bytes));
        return format!(r#"{{"cniVersion":"1.0.0","name":"antrea","pad":"{pad}"}}"#).into_bytes();
    }
    let depth = number(&value["nest"]);
    let (open, close) = ("[".repeat(depth), "]".repeat(depth));
    format!(r#"{{"cniVersion":"1.0.0","name":"antrea","nest":{open}{close}}}"#).into_bytes()
}

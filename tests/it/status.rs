//! STATUS: ready means that an ADD started now can be expected to succeed.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, SystemTime};

use antrea_cni_agent::Api;
use serde_json::{Value, json};

use antrea_cni_test_support::{Answer, TestNode};

fn status(place: &TestNode, settings: Value) -> Answer {
    place.call_with("STATUS", "1.1.0", settings).run()
}

fn memory(place: &TestNode) -> std::path::PathBuf {
    place.path("cni.sock.ready")
}

#[test]
fn an_agent_that_answers_decides() {
    for (script, code) in [
        (json!({"error": {"code": 50, "message": "not yet"}}), 50),
        (json!({"error": {"code": 51}}), 51),
        (json!({"error": {"code": 1}}), 1),
        (json!({"status": {"code": 14}}), 50),
        (json!({"status": {"code": 13}}), 50),
        (json!({"rawB64": "Cv8="}), 50),
    ] {
        let place = TestNode::new();
        let _agent = place.scripted(&[Api::V1], json!({"STATUS": script}));
        fs::write(memory(&place), "").unwrap();
        // A gRPC status or a broken reply may come from an agent that was
        // seen just now: an answer is an answer.
        assert_eq!(status(&place, json!({})).code(), code);
    }
}

#[test]
fn an_agent_that_was_seen_just_now_is_ready() {
    let place = TestNode::new();
    let agent = place.agent(&[Api::V1BETA1]);
    status(&place, json!({})).assert_silent_success();
    let file = fs::metadata(memory(&place)).unwrap();
    assert_eq!((file.len(), file.permissions().mode() & 0o777), (0, 0o600));
    drop(agent);
    status(&place, json!({})).assert_silent_success();
    let answer = status(&place, json!({"waitForAgentSeconds": 0}));
    assert_eq!(answer.code(), 50);
    assert!(answer.text().contains("antrea-agent is not ready"), "{answer:?}");
}

#[test]
fn a_success_from_memory_does_not_refresh_it() {
    let place = TestNode::new();
    let seen = SystemTime::now() - Duration::from_secs(20);
    File::create(memory(&place)).unwrap().set_modified(seen).unwrap();
    status(&place, json!({})).assert_silent_success();
    assert_eq!(fs::metadata(memory(&place)).unwrap().modified().unwrap(), seen);
}

#[test]
fn what_was_seen_too_long_ago_or_in_the_future_does_not_count() {
    let hour = Duration::from_secs(3600);
    for time in [SystemTime::now() - Duration::from_secs(31), SystemTime::now() + hour] {
        let place = TestNode::new();
        File::create(memory(&place)).unwrap().set_modified(time).unwrap();
        assert_eq!(status(&place, json!({})).code(), 50);
    }
    assert_eq!(status(&TestNode::new(), json!({})).code(), 50);
}

#[test]
fn the_memory_does_not_follow_links_and_is_not_needed() {
    let place = TestNode::new();
    let target = place.path("target");
    fs::write(&target, "precious").unwrap();
    std::os::unix::fs::symlink(&target, memory(&place)).unwrap();
    assert_eq!(status(&place, json!({})).code(), 50);
    let before = fs::metadata(&target).unwrap().modified().unwrap();
    let _agent = place.agent(&[Api::V1]);
    status(&place, json!({})).assert_silent_success();
    assert_eq!(fs::metadata(&target).unwrap().modified().unwrap(), before);
}

#[test]
fn an_agent_that_cuts_the_call_off_counts_as_away() {
    let place = TestNode::new();
    let _agent = place.scripted(&[Api::V1], json!({"STATUS": {"close": "before"}}));
    assert_eq!(status(&place, json!({})).code(), 50);
    fs::write(memory(&place), "").unwrap();
    status(&place, json!({})).assert_silent_success();
}

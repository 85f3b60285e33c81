// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Checks promises that need an effect, in a namespace for that.

use std::time::{Duration, Instant};

use antrea_cni::api::Response;
use antrea_cni::{Action, Api};
use serde_json::{Value, json};

use super::answers::{expect, expect_error, expect_object, expect_success};
use super::subject::{Ask, Subject, UNKNOWN};

pub(super) fn add(subject: &Subject, container: &str) -> Result<(), String> {
    for again in ["", "again: "] {
        let after = |what: &'static str| move |why: String| format!("{again}{what}: {why}");
        expect_object(subject.add(container, subject.newest())).map_err(after("ADD"))?;
        expect_success(subject.del(container)).map_err(after("DEL"))?;
    }
    Ok(())
}

pub(super) fn refused_add(subject: &Subject, container: &str) -> Result<(), String> {
    let refused = expect_error(subject.add(container, UNKNOWN), Some(1)).map(drop);
    let then = expect_object(subject.add(container, subject.newest())).map(drop);
    let gone = expect_success(subject.del(container));
    refused?;
    then.map_err(|why| format!("an ADD after it: {why}"))?;
    gone
}

/// Returns whether ADD was answered with code 11. Then a CHECK must find nothing, and the next ADD
/// must be like a first one.
pub(super) fn try_again(subject: &Subject, container: &str) -> Result<bool, String> {
    let answer = subject.add(container, subject.newest());
    let is_busy = answer.as_ref().is_ok_and(Response::is_try_again_later);
    if is_busy {
        let result = json!({"cniVersion": subject.newest(), "ips": []});
        let still = check_of(subject, container, result).is_ok();
        expect(!still, || "CHECK of the container succeeds".to_owned())?;
        let again = subject.add(container, subject.newest());
        if !again.as_ref().is_ok_and(Response::is_try_again_later) {
            expect_object(again).map_err(|why| format!("the ADD after it: {why}"))?;
        }
    }
    expect_success(subject.del(container)).map(|()| is_busy)
}

pub(super) fn check(subject: &Subject, container: &str) -> Result<(), String> {
    with_one(subject, container, |result| check_of(subject, container, result))
}

pub(super) fn del_again(subject: &Subject, container: &str) -> Result<(), String> {
    with_one(subject, container, |_| Ok(()))?;
    expect_success(subject.del(container))?;
    let ask = Ask { netns: "", ..Ask::new(Action::Del, container, subject.newest()) };
    expect_success(subject.call(&ask)).map_err(|why| format!("no netns: {why}"))
}

pub(super) fn cut_off(subject: &Subject, container: &str) -> Result<(), String> {
    let (api, netns) =
        (subject.api().unwrap_or(&Api::V1BETA1), subject.netns().unwrap_or_default());
    let ask = Ask { netns, ..Ask::new(Action::Add, container, subject.newest()) };
    let stdin = json!({
        "cniVersion": subject.newest(), "name": "antrea", "type": "antrea",
        "ipam": {"type": "host-local"},
    });
    // Enough time to send the ADD, but seldom enough to finish it.
    let soon = Instant::now() + Duration::from_millis(5);
    let _ = subject.call_with_stdin(api, &ask, stdin.to_string().as_bytes(), soon);
    expect_success(subject.del(container)).map_err(|why| format!("DEL: {why}"))?;
    // An agent may begin the ADD after the DEL, because each came on its own connection. That spoils
    // one of the ADDs here, and the DEL after that one removes what is left.
    let once = || with_one(subject, container, |_| Ok(()));
    once().or_else(|_| once()).map_err(|why| format!("an ADD after it: {why}"))
}

pub(super) fn label(subject: &Subject, container: &str) -> Result<(), String> {
    for version in &subject.cni_versions {
        let result = expect_object(subject.add(container, version));
        let gone = expect_success(subject.del(container));
        let said = result?.get("cniVersion").cloned().unwrap_or_default();
        expect(said == **version, || {
            format!("{version} was asked for, and the result says {said}")
        })?;
        gone?;
    }
    Ok(())
}

pub(super) fn second_add(subject: &Subject, container: &str) -> Result<(), String> {
    with_one(subject, container, |result| {
        expect_error(subject.add(container, subject.newest()), None)?;
        check_of(subject, container, result).map_err(|why| format!("the first: {why}"))
    })
}

pub(super) fn gc(subject: &Subject, container: &str) -> Result<(), String> {
    let ask = |version, more| Ask { netns: "", more, ..Ask::new(Action::Gc, container, version) };
    let listed = |containers: &[&str]| {
        let list: Vec<_> =
            containers.iter().map(|id| json!({"containerID": id, "ifname": "eth0"})).collect();
        json!({"cni.dev/valid-attachments": list})
    };
    with_one(subject, container, |result| {
        expect_error(subject.call(&ask(UNKNOWN, listed(&[]))), Some(1))?;
        expect_success(subject.call(&ask(subject.newest(), listed(&[container]))))?;
        check_of(subject, container, result.clone())
            .map_err(|why| format!("one that is listed: {why}"))?;
        expect_success(subject.call(&ask(subject.newest(), listed(&[]))))?;
        let still = check_of(subject, container, result).is_ok();
        expect(!still, || "one that is not listed is still there".to_owned())
    })
}

pub(super) fn any_request(subject: &Subject, container: &str) -> Result<(), String> {
    let ask = Ask::new(Action::Check, container, UNKNOWN);
    let api = subject.api().unwrap_or(&Api::V1);
    for stdin in ["null", "{}", "[]"] {
        expect_error(
            subject.call_with_stdin(api, &ask, stdin.as_bytes(), subject.deadline()),
            None,
        )
        .map_err(|why| format!("{stdin}: {why}"))?;
    }
    let empty = Api { encode: |_| Some(Vec::new()), ..*api };
    expect_error(subject.call_with_stdin(&empty, &ask, b"", subject.deadline()), None)
        .map(drop)
        .map_err(|why| format!("no arguments: {why}"))
}

fn check_of(subject: &Subject, container: &str, result: Value) -> Result<(), String> {
    expect_success(subject.call(&Ask {
        netns: subject.netns().unwrap_or_default(),
        more: json!({"prevResult": result}),
        ..Ask::new(Action::Check, container, subject.newest())
    }))
}

/// Runs `then` while a container is attached, and always detaches it.
fn with_one(
    subject: &Subject,
    container: &str,
    then: impl FnOnce(Value) -> Result<(), String>,
) -> Result<(), String> {
    let result = expect_object(subject.add(container, subject.newest()));
    let did = result.map_err(|why| format!("ADD: {why}")).and_then(then);
    let gone = expect_success(subject.del(container)).map_err(|why| format!("DEL: {why}"));
    did.and(gone)
}

// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Checks promises without an effect, by calls for containers that do not exist.

use std::rc::Rc;
use std::time::{Duration, Instant};

use antrea_cni::client::{self, Connection, Node};
use antrea_cni::{Action, Api, Deadline};
use bytes::Bytes;
use serde_json::{Value, json};

use super::answers::{expect, expect_error, expect_success};
use super::subject::{Ask, Subject, UNKNOWN};

pub(super) fn socket(subject: &Subject, _: &str) -> Result<(), String> {
    subject.is_private.clone()
}

pub(super) fn api(subject: &Subject, _: &str) -> Result<(), String> {
    let api = subject.api().ok_or("no API of the plugin has an ADD here")?;
    let without = |action: &Action| !subject.serves(api, *action);
    match [Action::Check, Action::Del].iter().find(|action| without(action)) {
        Some(action) => Err(format!("{} has no {}", api.package, action.name())),
        None => Ok(()),
    }
}

pub(super) fn unimplemented(subject: &Subject, _: &str) -> Result<(), String> {
    let package = subject.api().unwrap_or(&Api::V1BETA1).package;
    let mut connection = subject
        .node()
        .connect(&Rc::new(Deadline::at(subject.deadline())), false)
        .map_err(|error| client::Error::from(error).to_string())?;
    // More calls than the plugin makes with all APIs and versions.
    for number in 0..10 {
        for service in [format!("{package}.Cni"), "conformance.none.None".to_owned()] {
            let path = format!("/{service}/CmdNone{number}");
            let answer = connection.call(path.clone(), Bytes::new()).map_err(client::Error::from);
            match answer {
                Err(error) if error.is_unimplemented() => (),
                Ok(_) => return Err(format!("{path} was answered")),
                Err(error) => return Err(format!("{path}: {error}")),
            }
        }
    }
    Ok(())
}

pub(super) fn cni_version(subject: &Subject, _: &str) -> Result<(), String> {
    let accepted = &subject.cni_versions;
    let is_enough = ["1.1.0", "1.0.0", "0.4.0"].iter().any(|version| accepted.contains(version));
    expect(is_enough, || format!("accepted: {accepted:?}"))
}

pub(super) fn unknown_version(subject: &Subject, container: &str) -> Result<(), String> {
    for action in [Action::Check, Action::Del] {
        let answer = subject.call(&Ask::new(action, container, UNKNOWN));
        expect_error(answer, Some(1)).map_err(|why| format!("{}: {why}", action.name()))?;
    }
    Ok(())
}

pub(super) fn absent_version(subject: &Subject, container: &str) -> Result<(), String> {
    let ask = Ask { version: Value::Null, ..Ask::new(Action::Check, container, UNKNOWN) };
    expect_error(subject.call(&ask), Some(1)).map(drop)
}

pub(super) fn malformed(subject: &Subject, container: &str) -> Result<(), String> {
    let ask = Ask::new(Action::Check, container, UNKNOWN);
    let api = subject.api().unwrap_or(&Api::V1BETA1);
    expect_error(subject.call_with_stdin(api, &ask, b"{\"cniVersion\"", subject.deadline()), None)
        .map(drop)
}

pub(super) fn unknown_container(subject: &Subject, container: &str) -> Result<(), String> {
    let ask = Ask::new(Action::Del, container, subject.newest());
    expect_success(subject.call(&ask))?;
    expect_success(subject.call(&Ask { netns: "", ..ask }))
        .map_err(|why| format!("no netns: {why}"))
}

pub(super) fn nothing_there(subject: &Subject, container: &str) -> Result<(), String> {
    let more = json!({"prevResult": {"cniVersion": subject.newest(), "interfaces": [], "ips": []}});
    let ask = Ask { more, ..Ask::new(Action::Check, container, subject.newest()) };
    expect_error(subject.call(&ask), None).map(drop)
}

pub(super) fn at_once(subject: &Subject, container: &str) -> Result<(), String> {
    std::thread::scope(|all| {
        let calls: Vec<_> =
            (0..64).map(|_| all.spawn(|| subject.check(container, UNKNOWN))).collect();
        let answers = calls.into_iter().map(|call| match call.join() {
            Ok(answer) => answer.map(drop).map_err(|error| error.to_string()),
            Err(_) => Err("a thread ended".to_owned()),
        });
        answers.collect::<Vec<_>>().into_iter().collect()
    })
}

pub(super) fn status(subject: &Subject, container: &str) -> Result<(), String> {
    let started = Instant::now();
    let answer =
        subject.call(&Ask { netns: "", ..Ask::new(Action::Status, container, subject.newest()) });
    answer.map_err(|error| error.to_string())?;
    let took = started.elapsed();
    expect(took < Duration::from_secs(1), || format!("it took {:.1} s", took.as_secs_f64()))
}

pub(super) fn capabilities(subject: &Subject, _: &str) -> Result<(), String> {
    let api = subject.api().unwrap_or(&Api::V1);
    let said = subject.capabilities().ok_or("no answer")?;
    let accepted = &subject.cni_versions;
    expect(said.cni_versions == *accepted, || {
        format!("it names {:?}, and accepts {accepted:?}", said.cni_versions)
    })?;
    for action in Action::ALL {
        let Some(method) = (api.method)(action) else { continue };
        let (named, served) =
            (said.rpcs.iter().any(|rpc| rpc == method.name), subject.serves(api, action));
        expect(named == served, || {
            format!("{} is {}served", method.name, if served { "" } else { "not " })
        })?;
    }
    Ok(())
}

// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! What may never happen, read from the agents' journal and the calls.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::Arguments;
use crate::node::Node;
use crate::runtime::Outcome;

/// A sentence for each invariant that broke.
pub(crate) fn broken(arguments: &Arguments, node: &Node, outcome: &Outcome) -> Vec<String> {
    let mut broken = Vec::new();
    if outcome.starts.len() != arguments.pods || outcome.never_gone > 0 {
        let (running, stuck) = (outcome.starts.len(), outcome.never_gone);
        broken
            .push(format!("{running} of {} Pods ran, {stuck} were never deleted", arguments.pods));
    }
    for container in node.left() {
        broken.push(format!("{container} is left behind in the agent's state"));
    }
    for call in &outcome.calls {
        if !call.in_time {
            broken.push(format!("{} took {:?}", call.command, call.elapsed));
        }
        if !call.is_proper {
            broken.push(format!("{} gave more or less than one document", call.command));
        }
    }
    broken.extend(adds(&node.entries()));
    if !node.is_peer {
        broken.extend(status(arguments, node, outcome));
    }
    broken
}

/// An ADD takes effect once, and is sent again only after a refusal of its
/// cniVersion or after a DEL.
fn adds(entries: &[Value]) -> Vec<String> {
    let mut broken = Vec::new();
    let mut attached: HashMap<&str, bool> = HashMap::new();
    let mut sent: HashMap<&str, &str> = HashMap::new();
    for entry in entries {
        let text = |key: &str| entry[key].as_str().unwrap_or_default();
        let container = text("container_id");
        if entry["event"] == "effect" {
            let is_add = text("command") == "ADD";
            if attached.insert(container, is_add) == Some(true) && is_add {
                broken.push(format!("an ADD for {container} took effect twice"));
            }
        } else if entry["served"] == true {
            let configuration = text("network_configuration");
            if text("path").ends_with("/CmdDel") {
                sent.remove(container);
            } else if text("path").ends_with("/CmdAdd")
                && sent.insert(container, configuration) == Some(configuration)
            {
                broken.push(format!("an ADD for {container} was sent again with nothing between"));
            }
        }
    }
    broken
}

/// How many ADDs were undone by the plugin and done again.
pub(crate) fn done_again(entries: &[Value]) -> usize {
    let mut undone: HashMap<&str, bool> = HashMap::new();
    let mut count = 0;
    for entry in entries.iter().filter(|entry| entry["served"] == true) {
        let container = entry["container_id"].as_str().unwrap_or_default();
        match entry["path"].as_str().unwrap_or_default().rsplit('/').next() {
            Some("CmdDel") => drop(undone.insert(container, true)),
            Some("CmdAdd") => count += usize::from(undone.insert(container, false) == Some(true)),
            _ => (),
        }
    }
    count
}

/// "Not ready" only when no agent was there for as long as an ADD waits, and
/// "ready" never for longer.
fn status(arguments: &Arguments, node: &Node, outcome: &Outcome) -> Vec<String> {
    let wait = Duration::from_secs(arguments.wait);
    let served = node.served.lock().unwrap();
    // How long nobody had served at a time.
    let absent = |at: Instant| {
        let last = served.iter().rev().find(|served| served.from <= at);
        match last.and_then(|served| served.until) {
            Some(until) if until < at => at - until,
            _ => Duration::ZERO,
        }
    };
    let mut broken = Vec::new();
    for call in outcome.calls.iter().filter(|call| call.command == "STATUS") {
        let ended = call.started + call.elapsed;
        // STATUS asks once a second and takes up to one: the agent may have
        // been seen that much before it went.
        let margin = Duration::from_secs(2);
        if !call.success && absent(ended) + margin < wait {
            broken.push(format!("STATUS said not ready {:?} after the last agent", absent(ended)));
        }
        if call.success && absent(call.started) > wait {
            broken
                .push(format!("STATUS said ready {:?} after the last agent", absent(call.started)));
        }
    }
    broken
}

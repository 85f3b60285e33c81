// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! A configuration in a lower version, and the agent's result back: what comes
//! out is one JSON object with the right label. The data is the configuration, a
//! NUL, and the result.
#![no_main]

use std::collections::BTreeMap;

use antrea_cni::input::{Configuration, version};
use antrea_cni::{Action, client};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

/// The values of `cniVersion`, whose case libcni ignores.
fn labels(result: &[u8]) -> Vec<Value> {
    let members: BTreeMap<String, Value> = serde_json::from_slice(result).unwrap();
    let is_label = |key: &str| key.to_uppercase() == "CNIVERSION";
    members.into_iter().filter(|(key, _)| is_label(key)).map(|(_, value)| value).collect()
}

fuzz_target!(|data: &[u8]| {
    let at = data.iter().position(|byte| *byte == 0).unwrap_or(data.len());
    let (configuration, result) = (&data[..at], data.get(at + 1..).unwrap_or_default());
    let Ok(parsed) = Configuration::parse(configuration) else { return };
    for action in [Action::Add, Action::Check, Action::Del] {
        let Ok(Some(version)) = parsed.cni_version(action) else { continue };
        for lower in version::SUPPORTED.iter().filter(|lower| {
            **lower < version && ["0.4.0", "1.0.0"].contains(&&*lower.to_string())
        }) {
            let (sent, answer) =
                client::translate(configuration, &version, lower, action, result);
            if let Some(sent) = sent {
                let sent = Configuration::parse(&sent).unwrap();
                assert_eq!(sent.cni_version(action).unwrap().as_ref(), Some(lower));
            }
            // A chained agent's echo is the prevResult as it came in.
            let is_echo = |answer: &Vec<u8>| {
                configuration.windows(answer.len()).any(|part| part == answer)
            };
            if let Some(answer) = answer.filter(|answer| action == Action::Add && !is_echo(answer)) {
                assert_eq!(labels(&answer), [version.to_string()]);
            }
        }
    }
});

// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Settings: the same answer as a second, simple reading of the documentation.
#![no_main]

use antrea_cni::input::Settings;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use serde_json::value::RawValue;

fuzz_target!(|data: &[u8]| {
    let Ok(raw) = serde_json::from_slice::<&RawValue>(data) else { return };
    let accepted = Settings::parse(raw);
    // Values that serde_json does not make a tree of.
    let Ok(value) = serde_json::from_slice::<Value>(data) else { return };
    if let Some(expected) = oracle(&value, data) {
        assert_eq!(accepted.is_ok(), expected, "{value}: {accepted:?}");
    }
});

/// Whether the settings are valid; `None` where a tree does not tell, because of
/// a key that is there twice.
fn oracle(value: &Value, data: &[u8]) -> Option<bool> {
    let members = match value {
        Value::Null => return Some(true),
        Value::Object(members) => members,
        _ => return Some(false),
    };
    let colons = data.iter().filter(|byte| **byte == b':').count();
    if colons != members.len() {
        return None;
    }
    let path = |value: &Value, most: usize| {
        value.as_str().is_some_and(|path| {
            path.starts_with('/') && !path.contains('\0') && path.len() <= most
        })
    };
    let is_device = |path: &str| {
        let mut parts = path.split('/').filter(|it| !matches!(*it, "" | "."));
        match parts.next() {
            Some("dev") => parts.next() != Some("shm"),
            first => matches!(first, Some("proc" | "sys")),
        }
    };
    let is_judged = |name: &str| {
        matches!(
            name,
            "socket" | "addTimeoutSeconds" | "waitForAgentSeconds" | "delWhenAgentDown"
                | "confDir" | "logFile" | "logLevel" | "logMaxBytes" | "requireRootAgent"
        )
    };
    // A newer setting has no rule here yet.
    let is_new = |name: &String| Settings::TABLE.iter().any(|it| it.name == name) && !is_judged(name);
    if members.keys().any(is_new) {
        return None;
    }
    Some(members.iter().all(|(name, value)| {
        is_judged(name)
            && (value.is_null()
                || match &**name {
                    "socket" => value.as_str().is_some_and(|text| {
                        let path = text.strip_prefix("unix:").unwrap_or(text);
                        let path = if path != text { path.strip_prefix("//").unwrap_or(path) } else { path };
                        path.starts_with('/') && !path.contains('\0') && path.len() <= 107
                    }),
                    "addTimeoutSeconds" => {
                        value.as_u64().is_some_and(|seconds| (35..=220).contains(&seconds))
                    }
                    "waitForAgentSeconds" => value.as_u64().is_some_and(|seconds| seconds <= 180),
                    "delWhenAgentDown" => value == "fail" || value == "succeed",
                    "confDir" => path(value, usize::MAX),
                    "logFile" => path(value, usize::MAX) && value.as_str().is_some_and(|it| !is_device(it)),
                    "logLevel" => value == "debug" || value == "info" || value == "error",
                    "logMaxBytes" => {
                        value.as_u64().is_some_and(|it| (65_536..=1_073_741_824).contains(&it))
                    }
                    _ => value.is_boolean(),
                })
    }))
}

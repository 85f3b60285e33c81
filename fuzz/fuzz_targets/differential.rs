// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! The input stage against a second, simple one that builds a tree: they agree
//! on what is accepted, and on the code of what is not.
#![no_main]

mod call;

use std::fmt;
use std::time::Instant;

use antrea_cni::input::read_input;
use antrea_cni::Error;
use libfuzzer_sys::fuzz_target;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;

use crate::call::Call;

const VERSIONS: [&str; 7] = ["0.1.0", "0.2.0", "0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"];

fuzz_target!(|data: &[u8]| {
    let call = Call::read(data);
    let Some(expected) = oracle(&call) else { return };
    let code = fast(&call).map_or_else(|error| error.code(), |()| 0);
    assert_eq!(code, expected, "{:?} {}", call.variables, String::from_utf8_lossy(call.stdin));
});

fn fast(call: &Call<'_>) -> Result<(), Error> {
    let read = read_input(&|name| call.get(name), &mut &*call.stdin, Instant::now());
    read.map(drop).map_err(|refused| refused.error.into())
}

/// The code, 0 for accepted; `None` where a tree cannot tell what Go would say.
fn oracle(call: &Call<'_>) -> Option<u32> {
    let text = |name: &str| call.get(name).map_or(Some(String::new()), |v| v.into_string().ok());
    let Some(command) = text("CNI_COMMAND") else { return Some(4) };
    if command.is_empty() || command == "VERSION" {
        return Some(0);
    }
    let container = ["ADD", "CHECK", "DEL"].contains(&&*command);
    let known = container || ["GC", "STATUS"].contains(&&*command);
    let needs = |name: &str| match name {
        "CNI_PATH" => known,
        "CNI_NETNS" => command == "ADD" || command == "CHECK",
        "CNI_ARGS" => false,
        _ => container,
    };
    let mut missing = false;
    for name in ["CNI_CONTAINERID", "CNI_NETNS", "CNI_IFNAME", "CNI_ARGS", "CNI_PATH"] {
        let Some(value) = text(name) else { return Some(4) };
        if !needs(name) {
            continue;
        }
        missing |= value.is_empty();
        let bad = match name {
            "CNI_CONTAINERID" => !identifier(&value),
            "CNI_IFNAME" => {
                value.len() > 15
                    || [".", ".."].contains(&&*value)
                    || value.chars().any(|c| c == '/' || c == ':' || c.is_whitespace())
            }
            _ => false,
        };
        if bad && !value.is_empty() {
            return Some(4);
        }
    }
    if missing {
        return Some(4);
    }
    if call.stdin.len() > 1 << 20 {
        return Some(7);
    }
    let members = match serde_json::from_slice::<Members>(call.stdin) {
        Ok(Members(members)) => members,
        // Go takes bytes that are no UTF-8, lone surrogates, numbers without
        // bounds and any depth.
        Err(_) if lenient(call.stdin) => return None,
        Err(_) => return Some(6),
    };
    let fields = |name: &str| -> Vec<&Value> {
        members.iter().filter(|(key, _)| folded(key) == name).map(|(_, value)| value).collect()
    };
    let last = |values: &[&Value]| -> Result<String, ()> {
        let values: Vec<_> = values.iter().filter(|value| !value.is_null()).collect();
        if values.iter().any(|value| !value.is_string()) {
            return Err(());
        }
        Ok(values.last().and_then(|value| value.as_str()).unwrap_or_default().to_owned())
    };
    let Ok(name) = last(&fields("name")) else { return Some(6) };
    if name.is_empty() || !identifier(&name) {
        return Some(7);
    }
    if !known {
        return Some(4);
    }
    let Ok(version) = last(&fields("cniversion")) else { return Some(6) };
    let index = match &*version {
        "" => Some(0),
        version => VERSIONS.iter().position(|known| *known == version),
    };
    let least = match &*command {
        "CHECK" => 4,
        "GC" | "STATUS" => 6,
        _ => 0,
    };
    match index {
        Some(index) if index < least => return Some(1),
        None if least > 0 => {
            let parts: Vec<_> = version.split('.').collect();
            let numeric = parts.len() <= 3 && parts.iter().all(|part| part.parse::<i64>().is_ok());
            return Some(if numeric { 1 } else { 6 });
        }
        None => return Some(1),
        Some(_) => (),
    }
    // What settings may be has a target of its own.
    match members.iter().rev().find(|(key, _)| key == "antreaCni") {
        Some((_, Value::Null)) | None => Some(0),
        Some((_, Value::Object(settings))) if settings.is_empty() => Some(0),
        // DEL and GC take the defaults for what is wrong.
        Some(_) if command == "DEL" || command == "GC" => Some(0),
        Some((_, Value::Object(_))) => None,
        Some(_) => Some(7),
    }
}

fn identifier(text: &str) -> bool {
    let word = |c: char| c.is_ascii_alphanumeric();
    text.chars().next().is_some_and(word)
        && text.chars().all(|c| word(c) || ['_', '.', '-'].contains(&c))
}

/// A key as Go compares it.
fn folded(key: &str) -> String {
    key.replace('\u{212a}', "k").replace('\u{17f}', "s").to_ascii_lowercase()
}

fn lenient(stdin: &[u8]) -> bool {
    let has = |part: &[u8]| stdin.windows(part.len()).any(|window| window == part);
    let digits = stdin.iter().filter(|byte| byte.is_ascii_digit()).count();
    let depth = stdin.iter().filter(|byte| matches!(byte, b'[' | b'{')).count();
    str::from_utf8(stdin).is_err() || has(b"\\u") || digits > 2 || depth > 100
}

/// The members of an object, in their order, none left out.
struct Members(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        struct Read;
        impl<'de> Visitor<'de> for Read {
            type Value = Members;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        input.deserialize_map(Read)
    }
}


// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Environment and standard input: whatever they are, there is one answer, and
//! it is one JSON document or nothing.
#![no_main]

mod call;

use std::time::Instant;

use antrea_cni::input::{Input, read_input};
use antrea_cni::run;
use libfuzzer_sys::fuzz_target;

use crate::call::Call;

fuzz_target!(|data: &[u8]| {
    let call = Call::read(data);
    let variables = |name: &str| call.get(name);
    // What is accepted would go to an agent.
    if let Ok(Input::Call(_)) = read_input(&variables, &mut &*call.stdin, Instant::now()) {
        return;
    }
    let output = run(&variables, &mut &*call.stdin);
    if !output.stdout.is_empty() {
        let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        if output.success {
            assert!(document["supportedVersions"].is_array());
        } else {
            assert!(document["code"].as_u64().is_some_and(|code| code != 0));
            assert!(!document["msg"].as_str().unwrap().is_empty());
            assert!(document["cniVersion"].is_string());
        }
    }
});

// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! A log file, whatever is in it: a summary as text, metrics and JSON, and nothing
//! that a terminal would take for a command.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::Value;

fuzz_target!(|data: &[u8]| {
    let [events, summary, metrics, json] = antrea_cnictl::fuzz_log(data);
    let json: Value = serde_json::from_str(&json).unwrap();
    let lines = data.split(|byte| *byte == b'\n').count() as u64;
    assert!(json["calls"].as_u64().unwrap() <= lines);
    assert!(json["tornLines"].as_u64().unwrap() <= lines);
    for text in [&events, &summary] {
        // Styles are all that may be there: ESC [ digits m.
        for part in text.split('\u{1b}').skip(1) {
            let style = part.strip_prefix('[').and_then(|rest| rest.split_once('m'));
            assert!(style.is_some_and(|(it, _)| it.bytes().all(|b| b.is_ascii_digit() || b == b';')), "{text:?}");
        }
        assert!(text.chars().all(|c| !c.is_control() || matches!(c, '\n' | '\u{1b}')), "{text:?}");
    }
    for line in metrics.lines().filter(|line| !line.starts_with('#')) {
        let value = line.rsplit(' ').next().unwrap();
        assert!(value.parse::<f64>().is_ok(), "{line}");
    }
});

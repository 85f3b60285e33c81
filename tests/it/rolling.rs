// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! A small rolling upgrade; the example of that name does large ones.

use std::process::Command;

use serde_json::Value;

use antrea_cni_test_support::plugin;

#[test]
fn no_pod_is_lost_while_its_agent_is_replaced() {
    let output = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["run", "--quiet", "--example", "rolling_upgrade", "--", "--json", "--no-compare"])
        .args(["--pods", "80", "--agents", "8", "--seed", "7", "--wait", "10"])
        .args(["--concurrency", "4"])
        .env("ANTREA_CNI_PLUGIN", plugin())
        .output()
        .unwrap();
    let (text, calls) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{text}{calls}");
    let report: Value = serde_json::from_str(&text).unwrap();
    let ours = &report["this plugin"];
    for none in ["Pods that lost a sandbox", "DELs that failed", "invariants broken"] {
        assert_eq!(ours[none], 0, "{report:#}{calls}");
    }
    assert_eq!(ours["Pods"], 80);
}

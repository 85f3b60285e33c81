// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! The dashboard's panels on what a keeper wrote.

use std::fs;

use antrea_cni_agent::{Agent, Api, Options};
use serde_json::Value;

use super::{Watched, has_promtool, query};

const DASHBOARD: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/helm/dashboard.json");

/// Each panel has metrics that keepers write, with the labels that it names.
#[test]
fn each_panel_of_the_dashboard_shows_what_a_keeper_wrote() {
    if !has_promtool() {
        return;
    }
    let mut watched = Watched::new("n1");
    let agent = Agent::start(Options::new(watched.node.socket(), &[Api::V1BETA1])).unwrap();
    // An alert is pending.
    let other = r#"{"cniVersion":"1.0.0","name":"x","plugins":[{"type":"cilium-cni"}]}"#;
    fs::write(watched.node.path("net.d/05-cilium.conflist"), other).unwrap();
    let keeper = watched.keeper();
    watched.add(2);
    watched.scrape();
    drop(agent);
    watched.add(1);
    watched.scrape();
    watched.scrape();
    let dashboard: Value = serde_json::from_slice(&fs::read(DASHBOARD).unwrap()).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    assert!(!panels.is_empty());
    for target in panels.iter().flat_map(|panel| panel["targets"].as_array().unwrap()) {
        let expression = target["expr"].as_str().unwrap();
        let mut filled = expression.to_owned();
        // What Grafana puts in.
        for (variable, value) in
            [("$instance", "n1"), ("$plugin", "antrea"), ("$__rate_interval", "5m")]
        {
            filled = filled.replace(variable, value);
        }
        let samples = query(&[&watched], &filled, 2);
        assert!(!samples.is_empty(), "nothing: {expression}");
        for label in target["legendFormat"].as_str().unwrap().split("{{").skip(1) {
            let (label, _) = label.split_once("}}").unwrap();
            assert!(samples.contains(&format!("{label}=\"")), "{label}: {expression}: {samples}");
        }
    }
    drop(keeper);
}

// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! The alerts on what keepers wrote, judged by promtool.

use std::collections::BTreeMap;
use std::fs;

use antrea_cni_agent::{Agent, Api, Options};
use nix::sys::signal::Signal;

use super::{Watched, has_promtool, query};
use crate::support::eventually;

/// A storm, a quiet node and one whose keeper is killed, across many rotations.
#[test]
#[ignore = "takes long; make test-release runs it"]
fn alerts_fire_on_what_keepers_wrote_and_nowhere_else() {
    if !has_promtool() {
        return;
    }
    let minutes = 30;
    let mut storm = Watched::new("storm");
    let mut quiet = Watched::new("quiet");
    let mut killed = Watched::new("killed");
    let mut bypassed = Watched::new("bypassed");
    let mut dead = Watched::new("dead");
    let other = r#"{"cniVersion":"1.0.0","name":"x","plugins":[{"type":"cilium-cni"}]}"#;
    fs::write(bypassed.node.path("net.d/05-cilium.conflist"), other).unwrap();
    let mut replaced = Watched::new("replaced");
    let mut fleet = [("old", Api::OLDEST), ("new", Api::V1BETA1), ("newer", Api::V1)]
        .map(|(name, api)| (Watched::new(name), api));
    let agent =
        |node: &Watched, api| Agent::start(Options::new(node.node.socket(), &[api])).unwrap();
    let mut agents = vec![agent(&quiet, Api::V1)];
    agents.extend(fleet.iter().map(|(node, api)| agent(node, *api)));
    let mut keepers =
        [&storm, &quiet, &bypassed, &replaced].map(Watched::keeper).into_iter().collect::<Vec<_>>();
    keepers.extend(fleet.iter().map(|(node, _)| node.keeper()));
    fleet.iter_mut().for_each(|(node, _)| node.add(1));
    replaced.scrape();
    // Nothing can be put in the place of a folder.
    fs::remove_file(replaced.node.target()).unwrap();
    fs::create_dir(replaced.node.target()).unwrap();
    let says = |line| fs::read_to_string(replaced.textfile()).unwrap().contains(line);
    eventually(|| says("antrea_cni_installed{plugin=\"antrea\"} 0"));
    // A keeper and a node-exporter that do not answer from minute 16 on.
    let mut gone =
        [("gone", false), ("exporter", true)].map(|(name, has)| (Watched::new(name), has));
    let of_gone = [gone[0].0.keeper(), gone[1].0.keeper()];
    gone.iter_mut().for_each(|(node, _)| node.add(1));
    let mut last = killed.keeper();
    let of_dead = dead.keeper();
    dead.scrape();
    of_dead.signal(Signal::SIGKILL);
    drop(of_dead);
    dead.is_kept = false;
    for minute in 0..minutes {
        storm.add(15);
        killed.add(6);
        if minute == 15 {
            last.signal(Signal::SIGKILL);
            drop(last);
            last = killed.keeper();
        }
        match minute {
            // One Pod that came while its agent was away.
            12 => {
                let socket = quiet.node.socket();
                let away = socket.with_extension("away");
                fs::rename(&socket, &away).unwrap();
                quiet.add(1);
                fs::rename(&away, &socket).unwrap();
            }
            _ if minute % 3 == 0 => quiet.add(1),
            _ => (),
        }
        for node in [&mut storm, &mut quiet, &mut killed, &mut bypassed, &mut replaced] {
            node.scrape();
        }
        fleet.iter_mut().for_each(|(node, _)| node.scrape());
        dead.scrape_as_it_is();
        for (node, is_exporter) in &mut gone {
            if *is_exporter && minute < 16 {
                node.note("node_textfile_scrape_error", "0");
            }
            if minute < 16 { node.scrape() } else { node.miss() }
        }
    }
    // Then an hour without a Pod.
    for _ in 0..65 {
        for node in [&mut storm, &mut quiet, &mut killed, &mut bypassed, &mut replaced, &mut dead] {
            node.scrape_as_it_is();
        }
        fleet.iter_mut().for_each(|(node, _)| node.scrape_as_it_is());
        gone.iter_mut().for_each(|(node, _)| node.miss());
    }
    let [(old, _), (new, _), (newer, _)] = &fleet;
    let [(gone, _), (exporter, _)] = &gone;
    let nodes =
        [&storm, &quiet, &killed, &bypassed, &replaced, &dead, old, new, newer, gone, exporter];
    let all = |minute: usize| {
        let is_storm = minute < 30;
        let fires = [
            ("storm", "AntreaCNIAddFails", is_storm),
            ("killed", "AntreaCNIAddFails", is_storm),
            ("bypassed", "AntreaCNIBypassed", true),
            ("replaced", "AntreaCNIPluginReplaced", true),
            ("dead", "AntreaCNIMetricsStale", minute >= 16),
            ("gone", "AntreaCNIMetricsStale", minute >= 21),
            ("old", "AntreaCNIOldAPI", minute > 60),
        ];
        let fires = fires.into_iter().filter(|(_, _, is)| *is);
        let row = |(node, alert, _): (&str, &str, bool)| (node.to_owned(), vec![alert.to_owned()]);
        fires.map(row).collect::<BTreeMap<_, _>>()
    };
    for minute in [10, 16, 20, 29, 90] {
        let found = firing(&nodes, minute);
        assert_eq!(found, all(minute), "minute {minute}");
    }
    drop((keepers, last, of_gone));
}

/// The alerts that fire at a minute, by instance.
fn firing(nodes: &[&Watched], minute: usize) -> BTreeMap<String, Vec<String>> {
    let text = query(nodes, "ALERTS{alertstate=\"firing\"}", minute);
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for sample in text.split("alertname=\"").skip(1) {
        let (alert, rest) = sample.split_once('"').unwrap();
        let (_, rest) = rest.split_once("instance=\"").unwrap();
        let (instance, _) = rest.split_once('"').unwrap();
        found.entry(instance.to_owned()).or_default().push(alert.to_owned());
    }
    found
}

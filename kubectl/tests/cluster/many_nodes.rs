// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! A cluster of many nodes: each is a row, and not all are asked at once.

use std::time::Instant;

use nix::sys::resource::{UsageWho, getrusage};

use crate::api_server::{Answer, ApiServer, Pod};
use crate::node::RealNode;

/// Number of nodes.
const NODES: usize = 200;

#[test]
fn two_hundred_nodes_are_rows_and_32_are_asked_at_once() {
    let nodes = (1..=NODES).map(|number| {
        let pod = if number % 100 == 0 { Pod::Silent } else { Pod::Tool(RealNode::empty()) };
        (format!("n{number}"), pod)
    });
    let cluster = ApiServer::start(nodes.collect(), &[]);
    let start = Instant::now();
    let answer = cluster.run(&["status", "--timeout=60s", "--node=n1", "-o", "json"]);
    assert_eq!(answer.json()["nodes"].as_array().unwrap().len(), 1);
    let answer: Answer = cluster.kubectl(&["status", "-o", "json"]).output().unwrap().into();
    let rows = answer.json()["nodes"].as_array().unwrap().len();
    let memory = getrusage(UsageWho::RUSAGE_CHILDREN).unwrap().max_rss() / 1024;
    let most = cluster.most_at_once();
    eprintln!(
        "{rows} rows in {:.1} s, {most} at once, at most {memory} MiB",
        start.elapsed().as_secs_f64()
    );
    assert_eq!((rows, answer.exit), (NODES, 1));
    assert!((2..=32).contains(&most), "{most} at once");
    assert!(answer.out.contains("no answer within 10 s"));
}

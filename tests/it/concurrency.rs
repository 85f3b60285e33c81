// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Many plugins at once, as when a node restarts.

use antrea_cni_agent::Api;

use antrea_cni_test_support::TestNode;

#[test]
fn two_hundred_adds_at_once_succeed() {
    let place = TestNode::new();
    let agent = place.agent(&[Api::V1BETA1]);
    let calls: Vec<_> = (0..200)
        .map(|number| {
            let call = place.call("ADD", "1.0.0");
            call.env("CNI_CONTAINERID", format!("c{number}")).spawn()
        })
        .collect();
    let mut addresses: Vec<_> = calls
        .into_iter()
        .map(|call| {
            let answer = call.wait();
            assert_eq!(answer.exit(), 0, "{answer:?}");
            answer.document().unwrap()["ips"][0]["address"].to_string()
        })
        .collect();
    addresses.sort();
    addresses.dedup();
    assert_eq!((addresses.len(), agent.containers().len()), (200, 200));
}

// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! The kubectl plugin, with an API server that runs the real `antrea-cnictl` for each exec.
//! `tests/cluster` has a real cluster, in which the scenario `desk` runs all commands.
#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]

mod api_server;
mod bundle;
mod commands;
mod many_nodes;
mod node;

// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! The plugin as its users see it: a process with an environment, standard
//! input and output, and an agent behind a socket.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]

mod agent;
mod agent_process;
mod busy;
mod captures;
mod concurrency;
#[cfg(unix)]
mod conf_dir;
#[cfg(unix)]
mod deadline;
#[cfg(unix)]
mod docs;
#[cfg(unix)]
mod error_page;
mod fallback;
mod frozen;
#[cfg(unix)]
mod go_answers;
mod input;
#[cfg(unix)]
mod json_page;
mod log;
mod output;
mod owed;
#[cfg(unix)]
mod properties;
mod protos;
mod recorded_agents;
mod recovery;
#[cfg(unix)]
mod rolling;
mod settings;
#[cfg(unix)]
mod settings_page;
#[cfg(unix)]
mod socket;
mod status;
mod trace_context;
mod translation;
#[cfg(unix)]
mod transport;
#[cfg(unix)]
mod waiting;
#[cfg(windows)]
mod windows;

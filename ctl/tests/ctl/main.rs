// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! The tool as its users see it: arguments in, text, files and exit status out.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod check;
mod cli;
#[cfg(unix)]
mod endpoint;
mod fleet;
#[cfg(unix)]
mod history;
mod install;
mod json;
#[cfg(unix)]
mod keep;
#[cfg(unix)]
mod kill;
#[cfg(unix)]
mod libcni;
mod log;
#[cfg(unix)]
mod metrics;
mod owed;
#[cfg(unix)]
mod plain;
mod probe;
mod settings;
#[cfg(unix)]
mod staged;
mod status;
mod support;
#[cfg(unix)]
mod unattended;

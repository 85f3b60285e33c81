// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Implements the CNI plugin of Antrea as a library. It asks the node's `antrea-agent` over gRPC to
//! connect Pods, and works with every release of the agent.
//!
//! ```text
//! environment ─┐
//!              ├─▶ input ──▶ client ──▶ outcome ─────▶ output ──▶ one JSON document
//! stdin ───────┘   checks    asks the   what the                  or nothing
//!                            agent      answer means
//! ```
//!
//! [`run()`] is the whole program. [`Action::request`] offers what the Go package
//! `antrea.io/antrea/pkg/cni` offers: one command, sent to the agent.

mod action;
pub mod api;
mod backoff;
pub mod client;
mod cni_error;
mod deadline;
mod error;
pub mod error_codes;
pub mod grpc;
pub mod input;
mod json;
pub mod log;
mod moment;
mod outcome;
mod output;
mod owed_folder;
mod platform;
mod run;
mod this_node;

use std::sync::LazyLock;

use semver::Version;

pub use self::action::{Action, Command, Rules};
pub use self::api::Api;
pub use self::cni_error::CniError;
pub use self::deadline::{Change, Deadline, LastChange};
pub use self::error::Error;
pub use self::input::CmdArgs;
pub use self::input::settings::SOCKET_PATH;
pub use self::outcome::{Memory, Note, Outcome};
pub use self::output::Output;
pub use self::owed_folder::{Entry, MAX_DELS, OwedFolder};
pub use self::run::{ask_and_interpret, run};
pub use self::this_node::{TYPE, ThisNode};

/// Lists the versions of the agent's CNI API that are compiled in, newest first.
///
/// The major version is the last part of the proto package's name. An API that agents serve under
/// several package names counts once.
///
/// ```
/// assert!(antrea_cni::API_VERSION.is_sorted_by(|newer, older| newer > older));
/// ```
#[doc(alias = "AntreaCNIVersion")]
pub static API_VERSION: LazyLock<Vec<Version>> = LazyLock::new(|| {
    let mut versions: Vec<Version> =
        Api::ALL.iter().filter_map(|api| api.version.parse().ok()).collect();
    versions.dedup();
    versions
});

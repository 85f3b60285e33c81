//! The CNI plugin of Antrea, as a library: it asks the node's `antrea-agent`
//! over gRPC to connect Pods, whatever release that agent is.
//!
//! ```text
//! environment ─┐
//!              ├─▶ input ──▶ ladder ──▶ verdict ──▶ output ─▶ one JSON document
//! stdin ───────┘   parsed    who        what it     or nothing
//!                            answers    means
//! ```
//!
//! [`run()`] is the whole program. [`Action::request`] is what the Go package
//! `antrea.io/antrea/pkg/cni` offers: one command, asked of the agent.

mod action;
mod backoff;
mod codes;
mod deadline;
mod document;
mod error;
pub mod grpc;
pub mod input;
mod json;
pub mod ladder;
mod last_seen;
pub mod log;
mod node;
mod output;
mod owed;
mod platform;
mod run;
mod verdict;

use std::sync::LazyLock;

use semver::Version;

pub use self::action::{Action, Command, Rules};
pub use self::deadline::{Changed, Deadline};
pub use self::document::CniError;
pub use self::error::Error;
pub use self::input::CmdArgs;
pub use self::input::settings::SOCKET_PATH;
pub use self::ladder::Api;
pub use self::node::ThisNode;
pub use self::output::Output;
pub use self::owed::{Entry, MAX_DELS, Owed};
pub use self::run::{answer, run};
pub use self::verdict::{Memory, Note, Verdict};

/// The versions of the CNI API that are compiled in, newest first.
///
/// The major version is the last part of the proto package's name. An API
/// that is served under several names counts once.
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

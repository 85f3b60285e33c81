// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Implements antrea-agent's CNI service as a reference.
//!
//! It serves any subset of the APIs that agents ever had, behaves as recorded releases do, and can
//! be told to misbehave. It records all calls in a journal.
//!
//! ```text
//! server ──▶ service ──▶ script ──▶ commands ──▶ delegate
//! sockets    which API   what to    CNI          a real CNI plugin,
//!            is served   break      commands     if there is one
//! ```

mod api;
mod attachment;
mod commands;
mod conformance;
mod delegate;
mod journal;
mod link;
mod listener;
mod options;
mod proto;
mod result;
mod script;
mod server;
mod service;

pub use self::api::{named, path, servable};
pub use self::conformance::{Kept, Question, Report, Row, conformance};
pub use self::journal::{Call, Effect, Entry};
pub use self::options::{ALL_CNI_VERSIONS, Options};
pub use self::script::{Behaviour, Close, Die, InBandError, Script, Status};
pub use self::server::{Agent, Error};
pub use antrea_cni::{Action, Api};

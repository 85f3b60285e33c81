// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Records the RPCs of a command, for error texts and the log.

use std::time::Duration;

use semver::Version;

use crate::action::Action;
use crate::api::{Api, Method};

/// Records what was done to get a command to the agent.
#[derive(Debug, Default)]
pub struct CallLog {
    /// RPCs, oldest first
    pub rpcs: Vec<Rpc>,
    /// Number of connections that the command was sent on
    pub connections: u32,
    /// Duration of the whole command
    pub elapsed: Duration,
    /// How often the agent answered "try again later" and was asked again
    pub busy_retries: u32,
    /// What became of owed DELs
    pub settled_dels: SettledDels,
}

/// Describes what became of owed DELs once an agent was reached.
#[derive(Debug, Default)]
pub struct SettledDels {
    /// Number of DELs that an agent answered
    pub done: u32,
    /// Errors of the agent, and DELs that could not be read
    pub errors: Vec<String>,
}

/// Returns a duration as text, such as `1.2 s`. Formatting a floating-point number would add 8 KB
/// of code.
pub(crate) fn format_seconds(time: Duration) -> String {
    let tenths = (time.as_millis() + 50) / 100;
    format!("{}.{} s", tenths / 10, tenths % 10)
}

/// Records one RPC.
#[derive(Clone, Debug)]
pub struct Rpc {
    /// API of the RPC
    pub api: Api,
    /// RPC of that API
    pub method: Method,
    /// The `cniVersion` in which the configuration was sent; `None` if it had none
    pub cni_version: Option<Version>,
    /// Number of the connection within the command, from 1
    pub connection: u32,
    /// CNI command that was asked for
    pub action: Action,
    /// How the RPC ended
    pub outcome: RpcOutcome,
    /// Time until the RPC ended, or until the plugin stopped waiting
    pub elapsed: Duration,
}

/// Describes how one RPC ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RpcOutcome {
    /// A reply, with the code of the error in it, or 0
    Reply(i32),
    /// Code and text of the gRPC status, what kept the RPC from being sent, or that the message of
    /// the reply cannot be decoded
    Status(String),
    /// The connection or the stream ended, or the reply cannot be read: the agent may have done the
    /// command, or may yet do it
    Interrupted(String),
    /// No answer before the deadline
    NoAnswer,
}

//! What happened to a command on its way, for error texts and logs.

use std::time::Duration;

use semver::Version;

use crate::action::Action;
use crate::api::{Api, Method};

/// What happened to a command.
#[derive(Debug, Default)]
pub struct CallLog {
    /// The RPCs in the order of asking
    pub rpcs: Vec<Rpc>,
    /// Connections that the command was sent on
    pub connections: u32,
    /// Whole time of the command
    pub elapsed: Duration,
    /// How often the agent answered "try again later" and was asked again
    pub asked_again: u32,
    /// What became of DELs that were owed
    pub settled_dels: SettledDels,
}

/// What became of DELs that were owed when an agent was reached.
#[derive(Debug, Default)]
pub struct SettledDels {
    /// How many an agent answered
    pub done: u32,
    /// What it said where it failed, and what could not be read
    pub errors: Vec<String>,
}

/// Returns a time for people, as `1.2 s`. Floating point is 8 KB of code.
pub(crate) fn seconds(time: Duration) -> String {
    let tenths = (time.as_millis() + 50) / 100;
    format!("{}.{} s", tenths / 10, tenths % 10)
}

/// One RPC and its end.
#[derive(Clone, Debug)]
pub struct Rpc {
    /// The API that was asked
    pub api: Api,
    /// The RPC of that API
    pub method: Method,
    /// The version of the configuration as it was sent, if it had one
    pub cni_version: Option<Version>,
    /// On which connection of the command, from 1
    pub connection: u32,
    /// The command that was asked for
    pub action: Action,
    /// What came back
    pub outcome: RpcOutcome,
    /// Time until the answer, or until nobody waited for it any more
    pub elapsed: Duration,
}

/// How one RPC ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RpcOutcome {
    /// A reply, with the code of the error in it, or 0
    Reply(i32),
    /// The gRPC status that ended the call, as code and text, or what the
    /// transport saw instead of one
    Status(String),
    /// The connection was lost: the call may have been done
    ConnectionLost(String),
    /// No answer in time
    NoAnswer,
}

// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Describes how asking the agent ended.

use crate::api::Response;

/// Describes the answer to a command, or what replaces it.
#[derive(Debug)]
pub enum Answer {
    /// The agent answered
    Agent(Response),
    /// STATUS: the agent lacks it, or refuses the `cniVersion` that has it, but it serves ADD
    ServesAdd {
        /// Whether the agent refused the `cniVersion`
        refused_version: bool,
    },
    /// DEL: no agent did it, so it is owed to the next agent
    Owed,
    /// DEL: no agent did it, and it could not be stored
    Lost,
}

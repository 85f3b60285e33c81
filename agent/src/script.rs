// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Describes deviations from an agent's usual behaviour.

use std::collections::BTreeMap;
use std::sync::Mutex;

use antrea_cni::{Action, Api};
use serde::{Deserialize, Serialize};

/// Maps a method (`v1.CmdAdd`), a command (`ADD`) or `*` to a behaviour. The first key that exists,
/// in this order, applies. The key `unknown` has the `status` of methods that are not served.
pub type Script = BTreeMap<String, Behaviour>;

/// Describes what to do with a call, in the order of the fields.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Behaviour {
    /// Applies only to container ids with this prefix
    pub only_for: String,
    /// Applies only to this many calls
    pub times: Option<u32>,
    /// Wait before everything else
    pub delay_ms: u64,
    /// Never answer
    pub hang: bool,
    /// End the process, as a crash does
    pub die: Option<Die>,
    /// End with this gRPC status, without effect
    pub status: Option<Status>,
    /// Return this error, without effect
    pub error: Option<InBandError>,
    /// Close the connection, before the command or after its success
    pub close: Option<Close>,
    /// Wait between the command and the answer
    pub delay_after_ms: u64,
    /// Answer with this result instead of the real one
    pub reply: Option<String>,
    /// Answer with these bytes as the message, in base64
    pub raw_b64: Option<String>,
}

/// Describes a gRPC status.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// Number of the status
    pub code: i32,
    /// Text of the status
    #[serde(default)]
    pub message: String,
}

/// Describes an error in the reply.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct InBandError {
    /// `code`
    pub code: i32,
    /// `message`
    #[serde(default)]
    pub message: String,
    /// `details_text`
    #[serde(default)]
    pub details: String,
}

impl InBandError {
    /// Creates an error without details.
    pub fn new(code: i32, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), details: String::new() }
    }
}

/// Tells when to close the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Close {
    /// Before the command is done
    Before,
    /// After its success, before the answer
    After,
}

/// Tells when to end the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Die {
    /// Before the command is done
    Before,
    /// When ADD has created the interface (option `links`) and no client knows of it yet
    HalfMade,
}

/// Applies a script, and counts how often each key was used.
#[derive(Debug, Default)]
pub(crate) struct ScriptRunner {
    script: Script,
    used: Mutex<BTreeMap<String, u32>>,
}

impl ScriptRunner {
    pub(crate) fn new(script: Script) -> Self {
        Self { script, used: Mutex::default() }
    }

    /// Returns what to do with the next call of `method` for `container`. `action` is the command,
    /// if `method` is one.
    pub(crate) fn next_behaviour(
        &self,
        api: &Api,
        method: &str,
        action: Option<Action>,
        container: &str,
    ) -> Behaviour {
        let command = action.map_or("", Action::name);
        let keys = [format!("{}.{method}", api.name), command.to_owned(), "*".to_owned()];
        let of_key = |key: String| self.script.get(&key).map(|behaviour| (key, behaviour));
        let Some((key, behaviour)) = keys
            .into_iter()
            .find_map(of_key)
            .filter(|(_, behaviour)| container.starts_with(&behaviour.only_for))
        else {
            return Behaviour::default();
        };
        let mut used = self.used.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let used = used.entry(key).or_default();
        *used += 1;
        match behaviour.times {
            Some(times) if *used > times => Behaviour::default(),
            _ => behaviour.clone(),
        }
    }

    /// Returns the status of a path that is not served. `None` means UNIMPLEMENTED.
    pub(crate) fn unserved_status(&self) -> Option<&Status> {
        self.script.get("unknown")?.status.as_ref()
    }
}

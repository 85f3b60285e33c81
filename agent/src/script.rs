//! What an agent does otherwise than usual.

use std::collections::BTreeMap;
use std::sync::Mutex;

use antrea_cni::{Action, Api};
use serde::{Deserialize, Serialize};

/// Behaviours by `v1.CmdAdd`, by `ADD`, or for all calls by `*`; the first of
/// these that there is counts. By `unknown`: the `status` of what is not served.
pub type Script = BTreeMap<String, Behaviour>;

/// What to do with a call, in the order of the fields.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Behaviour {
    /// Only for container ids that begin so
    pub only_for: String,
    /// Only for so many calls; the usual after that
    pub times: Option<u32>,
    /// Wait before anything else
    pub delay_ms: u64,
    /// Never answer
    pub hang: bool,
    /// End the process, as a crash does
    pub die: Option<Die>,
    /// End with a gRPC status, nothing done
    pub status: Option<Status>,
    /// Return this error, nothing done
    pub error: Option<InBandError>,
    /// Close the connection, before the command is done, or after it succeeded
    pub close: Option<Close>,
    /// Wait after the command is done, before the answer
    pub delay_after_ms: u64,
    /// Answer with this result instead of the real one
    pub reply: Option<String>,
    /// Answer with these bytes as the message, in base64
    pub raw_b64: Option<String>,
}

/// A gRPC status.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// Its number
    pub code: i32,
    /// Its text
    #[serde(default)]
    pub message: String,
}

/// An error in the reply.
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
    /// An error without details.
    pub fn new(code: i32, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), details: String::new() }
    }
}

/// When to close the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Close {
    /// Before the command is done
    Before,
    /// After it succeeded, before the answer
    After,
}

/// When to end the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Die {
    /// Before the command is done
    Before,
    /// When an ADD has made the interface (option `links`), and nobody knows of it yet
    HalfMade,
}

/// A script and how often its parts were used.
#[derive(Debug, Default)]
pub(crate) struct ScriptRunner {
    script: Script,
    used: Mutex<BTreeMap<String, u32>>,
}

impl ScriptRunner {
    pub(crate) fn new(script: Script) -> Self {
        Self { script, used: Mutex::default() }
    }

    /// What to do with the next call of `method` for `container`, which does `action` if
    /// it does a command.
    pub(crate) fn next(
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

    /// The status of a path that is not served; UNIMPLEMENTED if the script has none.
    pub(crate) fn unserved_status(&self) -> Option<&Status> {
        self.script.get("unknown")?.status.as_ref()
    }
}

// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Describes a call as one event, which is a line of the log. The plugin writes it, and the tool
//! reads the same type.

use std::borrow::Cow;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::time::rfc3339;
use crate::client::addresses;
use crate::client::call_log::{CallLog, Rpc, RpcOutcome};
use crate::error::Error;
use crate::input::Call;
use crate::outcome::Note;

/// Longest text in an event, in bytes. The agent's texts have no limit of their own.
const MAX_TEXT_BYTES: usize = 1024;

/// Most RPCs in an event, of which the last ones are kept, and most errors of owed DELs.
const MAX_RPCS: usize = 16;

/// Describes one call of the plugin. It never has the configuration or the environment. Keys that a
/// call has nothing for are left out.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Event<'a> {
    /// Time of the end of the call: RFC 3339, UTC, microseconds. It is the first key, so that
    /// readers find where an event starts
    pub time: String,
    /// Version of the plugin
    #[serde(default)]
    pub version: Cow<'a, str>,
    /// `CNI_COMMAND`
    pub command: Cow<'a, str>,
    /// `CNI_CONTAINERID`
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub container: Cow<'a, str>,
    /// `K8S_POD_NAMESPACE` in `CNI_ARGS`
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub pod_namespace: Cow<'a, str>,
    /// `K8S_POD_NAME` in `CNI_ARGS`
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub pod_name: Cow<'a, str>,
    /// `K8S_POD_UID` in `CNI_ARGS`
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub pod_uid: Cow<'a, str>,
    /// `CNI_IFNAME`
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub interface: Cow<'a, str>,
    /// `CNI_NETNS`
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub netns: Cow<'a, str>,
    /// cniVersion of the configuration
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cni_version: Option<String>,
    /// Socket of the agent
    #[serde(default)]
    pub socket: Cow<'a, str>,
    /// The last 16 RPCs, oldest first
    #[serde(default)]
    pub tried: Vec<TriedRpc<'a>>,
    /// Number of connections to agents
    #[serde(default)]
    pub attempts: u32,
    /// Code of the CNI error, 0 for success
    pub code: u32,
    /// Message of the CNI error
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<Cow<'a, str>>,
    /// What the exit status does not tell, such as a DEL that is owed
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Cow<'a, str>>,
    /// Addresses of an ADD's result from 0.3.0 on
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ips: Vec<String>,
    /// Errors in the settings. Such a setting has the value of the node's file, or the default
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ignored: Vec<String>,
    /// Number of owed DELs that an agent answered after this call
    #[serde(default, skip_serializing_if = "is_zero")]
    pub owed_done: u32,
    /// Errors of these DELs
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub owed_errors: Vec<Cow<'a, str>>,
    /// Time that the call took
    pub milliseconds: f64,
    /// Trace of W3C Trace Context that the call is part of
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace_id: Option<Cow<'a, str>>,
}

/// Describes one RPC: the `code` of its reply, or the `status` instead.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TriedRpc<'a> {
    /// Number of the connection to an agent, from 1 on
    #[serde(default)]
    pub attempt: u32,
    /// Command of the RPC, which is DEL where the plugin undoes half an ADD
    #[serde(default)]
    pub command: Cow<'a, str>,
    /// Proto package of the API
    pub api: Cow<'a, str>,
    /// cniVersion in the request
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cni_version: Option<String>,
    /// Code in the reply, 0 for success
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<i32>,
    /// gRPC status, or why there is no reply
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<Cow<'a, str>>,
    /// Time that the RPC took
    #[serde(default)]
    pub milliseconds: f64,
}

/// Describes a call and its result.
pub(super) fn describe_call<'a>(
    call: &'a Call,
    call_log: &'a CallLog,
    result: &Result<Bytes, Error>,
    note: Option<Note>,
) -> Event<'a> {
    let args = &call.args;
    let error = result.as_ref().err();
    let pod = |key| shorten(value_of(&args.args, key)).into();
    let CallLog { rpcs, connections, elapsed, settled_dels, .. } = call_log;
    Event {
        time: rfc3339(SystemTime::now()),
        version: env!("CARGO_PKG_VERSION").into(),
        command: call.action.name().into(),
        container: shorten(&args.container_id).into(),
        pod_namespace: pod("K8S_POD_NAMESPACE"),
        pod_name: pod("K8S_POD_NAME"),
        pod_uid: pod("K8S_POD_UID"),
        interface: shorten(&args.ifname).into(),
        netns: shorten(&args.netns).into(),
        cni_version: call.cni_version.as_ref().map(ToString::to_string),
        socket: (&*call.settings.socket).into(),
        tried: rpcs.iter().skip(rpcs.len().saturating_sub(MAX_RPCS)).map(describe_rpc).collect(),
        attempts: *connections,
        code: error.map_or(0, Error::code),
        message: error.map(|error| shorten(&error.to_string()).to_owned().into()),
        note: note.map(|note| note.log_text().into()),
        ips: result.as_ref().map(|it| addresses(it)).unwrap_or_default(),
        ignored: call.ignored.iter().map(|it| shorten(&it.to_string()).to_owned()).collect(),
        owed_done: settled_dels.done,
        owed_errors: settled_dels
            .errors
            .iter()
            .take(MAX_RPCS)
            .map(|it| shorten(it).into())
            .collect(),
        milliseconds: milliseconds(*elapsed),
        trace_id: args.trace.trace_id().map(Into::into),
    }
}

fn describe_rpc(rpc: &Rpc) -> TriedRpc<'_> {
    let (code, status) = match &rpc.outcome {
        RpcOutcome::Reply(code) => (Some(*code), None),
        RpcOutcome::Status(status) | RpcOutcome::Interrupted(status) => {
            (None, Some(shorten(status)))
        }
        RpcOutcome::NoAnswer => (None, Some("no answer")),
    };
    TriedRpc {
        attempt: rpc.connection,
        command: rpc.action.name().into(),
        api: rpc.api.package.into(),
        cni_version: rpc.cni_version.as_ref().map(ToString::to_string),
        code,
        status: status.map(Into::into),
        milliseconds: milliseconds(rpc.elapsed),
    }
}

/// Returns the value of `key` in `CNI_ARGS`.
fn value_of<'a>(args: &'a str, key: &str) -> &'a str {
    let mut pairs = args.split(';').filter_map(|pair| pair.split_once('='));
    pairs.find(|(name, _)| *name == key).map_or("", |(_, value)| value)
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's way of asking")]
fn is_zero(count: &u32) -> bool {
    *count == 0
}

fn shorten(text: &str) -> &str {
    text.get(..text.floor_char_boundary(MAX_TEXT_BYTES)).unwrap_or_default()
}

/// Returns a duration in milliseconds, in whole microseconds.
fn milliseconds(duration: Duration) -> f64 {
    let microseconds = u32::try_from(duration.as_micros()).unwrap_or(u32::MAX);
    f64::from(microseconds) / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cut_between_characters() {
        assert_eq!(shorten(&"é".repeat(600)).len(), 1024);
        assert_eq!(shorten(&format!("a{}", "é".repeat(600))).len(), 1023);
    }
}

// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Describes a call as one event of the log.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use serde::{Serialize, Serializer};

use super::time::rfc3339;
use crate::client::addresses;
use crate::client::call_log::{CallLog, Rpc, RpcOutcome};
use crate::error::Error;
use crate::input::Call;
use crate::outcome::Note;

/// Longest text in an event, in bytes. The agent's texts have no limit of their own.
const MAX_TEXT_BYTES: usize = 1024;

/// Most RPCs in an event. The last ones are kept.
const MAX_RPCS: usize = 16;

/// Holds what is logged of a call. It never has the configuration or the environment.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Event<'a> {
    /// RFC 3339; the first member, so that readers find where an event starts
    time: String,
    /// Version of the plugin
    version: &'static str,
    command: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    container: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    pod_namespace: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    pod_name: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    pod_uid: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    interface: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    netns: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    cni_version: Option<String>,
    socket: &'a str,
    tried: Vec<Tried<'a>>,
    attempts: u32,
    /// Code of the CNI error, 0 for success
    code: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<&'static str>,
    /// Addresses of an ADD's result from 0.3.0 on
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ips: Vec<String>,
    /// Errors in the settings, in place of which the defaults apply
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ignored: Vec<String>,
    /// Number of owed DELs that an agent answered after this call
    #[serde(skip_serializing_if = "is_zero")]
    owed_done: u32,
    /// Errors of these DELs
    #[serde(skip_serializing_if = "Vec::is_empty")]
    owed_errors: Vec<&'a str>,
    #[serde(serialize_with = "milliseconds")]
    milliseconds: Duration,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_id: Option<&'a str>,
}

/// Holds one RPC: the `code` of its reply, or the `status` instead.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Tried<'a> {
    attempt: u32,
    command: &'static str,
    api: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    cni_version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<&'a str>,
    #[serde(serialize_with = "milliseconds")]
    milliseconds: Duration,
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
    let pod = |key| shorten(value_of(&args.args, key));
    let CallLog { rpcs, connections, elapsed, settled_dels, .. } = call_log;
    Event {
        time: rfc3339(SystemTime::now()),
        version: env!("CARGO_PKG_VERSION"),
        command: call.action.name(),
        container: shorten(&args.container_id),
        pod_namespace: pod("K8S_POD_NAMESPACE"),
        pod_name: pod("K8S_POD_NAME"),
        pod_uid: pod("K8S_POD_UID"),
        interface: shorten(&args.ifname),
        netns: shorten(&args.netns),
        cni_version: call.cni_version.as_ref().map(ToString::to_string),
        socket: &call.settings.socket,
        tried: rpcs.iter().skip(rpcs.len().saturating_sub(MAX_RPCS)).map(describe_rpc).collect(),
        attempts: *connections,
        code: error.map_or(0, Error::code),
        message: error.map(|error| shorten(&error.to_string()).to_owned()),
        note: note.map(Note::log_text),
        ips: result.as_ref().map(|it| addresses(it)).unwrap_or_default(),
        ignored: call.ignored.iter().map(|it| shorten(&it.to_string()).to_owned()).collect(),
        owed_done: settled_dels.done,
        owed_errors: settled_dels.errors.iter().take(MAX_RPCS).map(|it| shorten(it)).collect(),
        milliseconds: *elapsed,
        trace_id: args.trace.trace_id(),
    }
}

fn describe_rpc(rpc: &Rpc) -> Tried<'_> {
    let (code, status) = match &rpc.outcome {
        RpcOutcome::Reply(code) => (Some(*code), None),
        RpcOutcome::Status(status) | RpcOutcome::ConnectionLost(status) => {
            (None, Some(shorten(status)))
        }
        RpcOutcome::NoAnswer => (None, Some("no answer")),
    };
    Tried {
        attempt: rpc.connection,
        command: rpc.action.name(),
        api: rpc.api.package,
        cni_version: rpc.cni_version.as_ref().map(ToString::to_string),
        code,
        status,
        milliseconds: rpc.elapsed,
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

fn milliseconds<S: Serializer>(duration: &Duration, out: S) -> Result<S::Ok, S::Error> {
    let microseconds = u32::try_from(duration.as_micros()).unwrap_or(u32::MAX);
    out.serialize_f64(f64::from(microseconds) / 1000.0)
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

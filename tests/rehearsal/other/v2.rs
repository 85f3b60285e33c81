// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! API 2.0.0: the Pod and its network as messages. It cannot express a chained
//! plugin's `prevResult`.

use std::collections::{BTreeMap, HashMap};

use bytes::Bytes;
use prost::{DecodeError, Message};
use serde_json::json;
use serde_json::value::RawValue;

use super::{AgentError, Api, Method, Request, Response};
use crate::action::Action;

#[expect(unreachable_pub, reason = "generated code")]
mod proto {
    include!(concat!(env!("OUT_DIR"), "/antrea_io.antrea.pkg.apis.cni.v2.rs"));
}

impl Api {
    /// API 2.0.0, which no release serves.
    pub const V2: Self = Self {
        name: "v2",
        releases: None,
        package: proto::PACKAGE,
        service: proto::SERVICE,
        version: "2.0.0",
        method,
        encode,
        decode,
        capabilities: None,
    };
}

fn method(action: Action) -> Option<Method> {
    match action {
        Action::Add => Some(proto::ADD),
        Action::Check => Some(proto::CHECK),
        Action::Del => Some(proto::REMOVE),
        Action::Gc | Action::Status => None,
    }
}

fn encode(request: &Request<'_>) -> Option<Vec<u8>> {
    let Request { args, configuration, cni_version, .. } = request;
    let members: BTreeMap<String, Box<RawValue>> = serde_json::from_slice(&args.stdin_data).ok()?;
    if request.action == Action::Add && members.contains_key("prevResult") {
        return None;
    }
    let options = members.into_iter().map(|(key, value)| (key, value.get().to_owned()));
    let labels = args.args.split(';').filter_map(|pair| pair.split_once('='));
    let labels: HashMap<_, _> =
        labels.map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
    let pod = proto::Pod {
        container_id: args.container_id.clone(),
        netns: args.netns.clone(),
        interface: args.ifname.clone(),
        labels,
    };
    let network = proto::Network {
        name: configuration.name().to_owned(),
        cni_version: cni_version.map(ToString::to_string).unwrap_or_default(),
        options: options.collect(),
    };
    Some(proto::AddRequest { pod: Some(pod), network: Some(network) }.encode_to_vec())
}

fn decode(request: &Request<'_>, reply: Bytes) -> Result<Response, DecodeError> {
    let failed = |failure: Option<proto::Failure>| {
        failure.map(|failure| AgentError {
            code: failure.code,
            message: failure.message,
            ..AgentError::default()
        })
    };
    if request.action != Action::Add {
        let reply = proto::Reply::decode(reply)?;
        return Ok(Response { result: Bytes::new(), error: failed(reply.failure) });
    }
    let reply = proto::AddReply::decode(reply)?;
    let ips = reply.addresses.into_iter();
    let ips: Vec<_> = ips.map(|ip| json!({"address": ip.cidr, "gateway": ip.gateway})).collect();
    let version = request.cni_version.map(ToString::to_string).unwrap_or_default();
    let result = json!({"cniVersion": version, "ips": ips}).to_string().into();
    Ok(Response { result, error: failed(reply.failure) })
}

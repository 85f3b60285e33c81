// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Encodes and decodes API 1.1.0, which adds GC, STATUS, capabilities and error details to v1beta1.

use bytes::Bytes;
use prost::{DecodeError, Message};

use super::{AgentError, Api, Capabilities, CapabilitiesRpc, Method, Request, Response};
use crate::action::Action;

#[expect(unreachable_pub, reason = "generated code")]
mod proto {
    include!(concat!(env!("OUT_DIR"), "/antrea_io.antrea.pkg.apis.cni.v1.rs"));
}

impl Api {
    /// API 1.1.0, which no release serves yet.
    pub const V1: Self = Self {
        name: "v1",
        releases: None,
        package: proto::PACKAGE,
        service: proto::SERVICE,
        version: "1.1.0",
        method,
        encode,
        decode,
        capabilities: Some(CapabilitiesRpc {
            method: proto::GET_CAPABILITIES,
            encode: || proto::GetCapabilitiesRequest {}.encode_to_vec(),
            decode: decode_capabilities,
        }),
    };
}

fn method(action: Action) -> Option<Method> {
    Some(match action {
        Action::Add => proto::CMD_ADD,
        Action::Check => proto::CMD_CHECK,
        Action::Del => proto::CMD_DEL,
        Action::Gc => proto::CMD_GC,
        Action::Status => proto::CMD_STATUS,
    })
}

fn encode(Request { args, .. }: &Request<'_>) -> Option<Vec<u8>> {
    let args = proto::CniCmdArgs {
        container_id: args.container_id.clone(),
        netns: args.netns.clone(),
        ifname: args.ifname.clone(),
        args: args.args.clone(),
        path: args.path.clone(),
        network_configuration: args.stdin_data.clone(),
    };
    Some(proto::CniCmdRequest { cni_args: Some(args) }.encode_to_vec())
}

fn decode(_: &Request<'_>, reply: Bytes) -> Result<Response, DecodeError> {
    let reply = proto::CniCmdResponse::decode(reply)?;
    let error = reply.error.map(|error| AgentError {
        code: error.code,
        message: error.message,
        details: error.details_text,
        note: String::new(),
    });
    Ok(Response { result: reply.cni_result.into(), error })
}

fn decode_capabilities(reply: Bytes) -> Result<Capabilities, DecodeError> {
    let reply = proto::GetCapabilitiesResponse::decode(reply)?;
    Ok(Capabilities {
        api_version: reply.api_version,
        cni_versions: reply.cni_versions,
        rpcs: reply.rpcs,
        agent_version: reply.agent_version,
    })
}

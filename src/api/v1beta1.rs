// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Encodes and decodes API 1.0.0-beta.1, which agents v0.1.0 to v2.7.0 serve under three package
//! names.

use bytes::Bytes;
use prost::{DecodeError, Message};

use super::{AgentError, Api, Method, Request, Response};
use crate::action::Action;

#[expect(unreachable_pub, reason = "generated code")]
mod proto {
    include!(concat!(env!("OUT_DIR"), "/antrea_io.antrea.pkg.apis.cni.v1beta1.rs"));
}

impl Api {
    /// API 1.0.0-beta.1, as v1.1.0 to v2.7.0 serve it.
    pub const V1BETA1: Self = Self {
        name: "v1beta1",
        releases: Some(["v1.1.0", "v2.7.0"]),
        package: proto::PACKAGE,
        service: proto::SERVICE,
        version: "1.0.0-beta.1",
        method,
        encode,
        decode,
        capabilities: None,
    };

    /// API 1.0.0-beta.1, as v0.3.0 to v1.0.3 serve it.
    pub const VMWARE: Self = Self {
        name: "vmware",
        releases: Some(["v0.3.0", "v1.0.3"]),
        package: "github.com.vmware_tanzu.antrea.pkg.apis.cni.v1beta1",
        ..Self::V1BETA1
    };

    /// API 1.0.0-beta.1, as v0.1.0 and v0.2.0 serve it.
    pub const OLDEST: Self = Self {
        name: "first",
        releases: Some(["v0.1.0", "v0.2.0"]),
        package: "antrea.io.pkg.apis.cni.v1beta1",
        ..Self::V1BETA1
    };
}

fn method(action: Action) -> Option<Method> {
    match action {
        Action::Add => Some(proto::CMD_ADD),
        Action::Check => Some(proto::CMD_CHECK),
        Action::Del => Some(proto::CMD_DEL),
        Action::Gc | Action::Status => None,
    }
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
        ..AgentError::default()
    });
    Ok(Response { result: reply.cni_result.into(), error })
}

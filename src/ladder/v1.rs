//! API 1.1.0: v1beta1 with GC, STATUS, capabilities, and details of errors.
//! No released agent serves it yet.

use bytes::Bytes;
use prost::Message;

use super::{AgentError, Request, Response, Rung};

#[expect(unreachable_pub, clippy::allow_attributes, reason = "generated code")]
#[allow(dead_code, reason = "no command asks for capabilities; rustc finds `expect` unfulfilled")]
mod proto {
    include!(concat!(env!("OUT_DIR"), "/antrea_io.antrea.pkg.apis.cni.v1.rs"));
}

pub(super) const RUNG: Rung =
    Rung { package: proto::PACKAGE, api_version: "1.1.0", methods: proto::METHODS, encode, decode };

fn encode(Request { args, .. }: &Request<'_>) -> Vec<u8> {
    let args = proto::CniCmdArgs {
        container_id: args.container_id.clone(),
        netns: args.netns.clone(),
        ifname: args.ifname.clone(),
        args: args.args.clone(),
        path: args.path.clone(),
        network_configuration: args.stdin_data.clone(),
    };
    proto::CniCmdRequest { cni_args: Some(args) }.encode_to_vec()
}

fn decode(reply: Bytes) -> Result<Response, prost::DecodeError> {
    let reply = proto::CniCmdResponse::decode(reply)?;
    let error = reply.error.map(|error| AgentError {
        code: error.code,
        message: error.message,
        details: error.details_text,
    });
    Ok(Response { result: reply.cni_result.into(), error })
}

//! API 1.1.0: v1beta1 with GC, STATUS, capabilities, and details of errors.
//! No released agent serves it yet.

use bytes::Bytes;
use prost::Message;

use super::{AgentError, Request, Response, Rung};

#[expect(unreachable_pub, reason = "generated code")]
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

/// The RPC that tells what an agent can do.
pub(super) const CAPABILITIES: &str = "GetCapabilities";

/// What an agent says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Capabilities {
    /// Version of the API, as in <https://semver.org>
    pub api_version: String,
    /// The values of `cniVersion` that it accepts
    pub cni_versions: Vec<String>,
    /// The RPCs that it serves
    pub rpcs: Vec<String>,
    /// Its release
    pub agent_version: String,
}

impl Capabilities {
    pub(super) fn request() -> Bytes {
        proto::GetCapabilitiesRequest {}.encode_to_vec().into()
    }

    pub(super) fn decode(reply: Bytes) -> Result<Self, prost::DecodeError> {
        let reply = proto::GetCapabilitiesResponse::decode(reply)?;
        Ok(Self {
            api_version: reply.api_version,
            cni_versions: reply.cni_versions,
            rpcs: reply.rpcs,
            agent_version: reply.agent_version,
        })
    }
}

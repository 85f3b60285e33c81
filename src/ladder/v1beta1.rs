//! API 1.0.0-beta.1, as v0.1.0 to v2.7.0 of the agent serve it: one shape under
//! three names.

use bytes::Bytes;
use prost::Message;

use super::{AgentError, Request, Response, Rung};

#[expect(unreachable_pub, reason = "generated code")]
mod proto {
    include!(concat!(env!("OUT_DIR"), "/antrea_io.antrea.pkg.apis.cni.v1beta1.rs"));
}

/// The name since v1.1.0.
pub(super) const RUNG: Rung = Rung {
    package: proto::PACKAGE,
    api_version: "1.0.0-beta.1",
    methods: proto::METHODS,
    encode,
    decode,
};

/// The name from v0.3.0 to v1.0.3.
pub(super) const VMWARE: Rung =
    Rung { package: "github.com.vmware_tanzu.antrea.pkg.apis.cni.v1beta1", ..RUNG };

/// The name from v0.1.0 to v0.2.0.
pub(super) const FIRST: Rung = Rung { package: "antrea.io.pkg.apis.cni.v1beta1", ..RUNG };

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
        details: String::new(),
    });
    Ok(Response { result: reply.cni_result.into(), error })
}

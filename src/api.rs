//! An API as data, and what all of them have in common: a request and a response
//! in no API's own terms.

mod v1;
mod v1beta1;

use std::fmt;

use bytes::Bytes;
use prost::DecodeError;
use semver::Version;
use thiserror::Error;

use crate::action::Action;
use crate::error_codes;
use crate::input::{Call, CmdArgs, Configuration};

/// One API under one name. Each has a file of its own, which makes it from its
/// proto.
#[derive(Clone, Copy)]
pub struct Api {
    /// Name in options, scripts and reports
    pub name: &'static str,
    /// First and last release of antrea-agent that serves it, if any does yet
    pub releases: Option<[&'static str; 2]>,
    /// Proto package; its last part is the major version
    pub package: &'static str,
    /// Service in the package
    pub service: &'static str,
    /// Version of the API, as in <https://semver.org>
    pub version: &'static str,
    /// The RPC for a command; `None` where the API lacks it
    pub method: fn(Action) -> Option<Method>,
    /// Writes the request message; `None` where the API cannot express it, which
    /// counts like an RPC that it lacks
    pub encode: fn(&Request<'_>) -> Option<Vec<u8>>,
    /// Reads the reply to a request
    pub decode: fn(&Request<'_>, Bytes) -> Result<Response, DecodeError>,
    /// How an agent is asked what it can do, where the API has that question
    pub capabilities: Option<CapabilitiesRpc>,
}

impl Api {
    /// Every API that this plugin speaks, newest first.
    ///
    /// # Adding an API version
    /// 1. `proto/v2/cni.proto`: the new service. `build.rs` finds it.
    /// 2. `src/api/v2.rs`: an `Api` that encodes a [`Request`] and decodes a [`Response`]. If
    ///    the service can do what no older one can, [`Request`] or [`Response`] get a field
    ///    that older APIs ignore.
    /// 3. `Self::V2` at the front of this list, and `mod v2;` above.
    pub const ALL: &'static [Self] = &[Self::V1, Self::V1BETA1, Self::VMWARE, Self::FIRST];

    /// The path of a method on the wire.
    pub fn path(&self, method: &Method) -> String {
        format!("/{}.{}/{}", self.package, self.service, method.name)
    }
}

/// The package tells APIs apart.
impl PartialEq for Api {
    fn eq(&self, other: &Self) -> bool {
        self.package == other.package
    }
}

impl Eq for Api {}

impl fmt::Debug for Api {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.package)
    }
}

/// An RPC, as its proto has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Method {
    /// Its name
    pub name: &'static str,
    /// Whether a call whose outcome is unknown may be made again: its
    /// `idempotency_level`
    pub may_be_repeated: bool,
}

/// What an agent is asked.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The command
    pub action: Action,
    /// Its arguments
    pub args: &'a CmdArgs,
    /// The configuration in them, as the runtime gave it
    pub configuration: &'a Configuration,
    /// The version that the configuration is sent in, if it has one
    pub cni_version: Option<&'a Version>,
}

impl<'a> From<&'a Call> for Request<'a> {
    fn from(call: &'a Call) -> Self {
        let Call { action, args, configuration, cni_version, .. } = call;
        Self { action: *action, args, configuration, cni_version: cni_version.as_ref() }
    }
}

/// What an agent answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Response {
    /// The CNI result as the agent wrote it
    pub result: Bytes,
    /// Present if the command failed
    pub error: Option<AgentError>,
}

/// An error that the agent returned, in its own words.
#[derive(Clone, Debug, Default, PartialEq, Eq, Error)]
#[error("{message}")]
pub struct AgentError {
    /// Code of the CNI specification or of Antrea, also one that is not known
    /// here
    pub code: i32,
    /// What went wrong
    pub message: String,
    /// More about it, where the API has that
    pub details: String,
    /// What this plugin has to say about it
    pub note: String,
}

impl Response {
    /// Whether the agent did nothing, and wants to be asked again: code 11, "try again
    /// later" (CNI specification, "Error"). Agents say so when their node's network was not
    /// ready for 30 s, before a command has an effect.
    pub fn is_try_again_later(&self) -> bool {
        self.error.as_ref().is_some_and(|error| error.has(error_codes::TRY_AGAIN_LATER))
    }
}

impl AgentError {
    /// Whether the agent refuses the configuration's cniVersion. It does so before
    /// anything has an effect.
    pub fn is_refused_version(&self) -> bool {
        self.has(error_codes::INCOMPATIBLE_CNI_VERSION)
    }

    fn has(&self, code: u32) -> bool {
        u32::try_from(self.code) == Ok(code)
    }
}

/// The RPC that tells what an agent can do.
#[derive(Clone, Copy)]
pub struct CapabilitiesRpc {
    /// The RPC
    pub method: Method,
    /// Writes its request message
    pub encode: fn() -> Vec<u8>,
    /// Reads its reply
    pub decode: fn(Bytes) -> Result<Capabilities, DecodeError>,
}

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

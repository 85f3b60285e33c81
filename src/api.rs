// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Describes each agent API as data: a table of functions that encode an API-independent
//! [`Request`] and decode an API-independent [`Response`].

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

/// Describes one agent API under one proto package. The file of each API fills it in from its
/// proto.
#[derive(Clone, Copy)]
pub struct Api {
    /// Name in options, scripts and reports
    pub name: &'static str,
    /// First and last release of antrea-agent that serves the API; `None` if no release does yet
    pub releases: Option<[&'static str; 2]>,
    /// Proto package; its last part is the major version
    pub package: &'static str,
    /// Name of the service in the package
    pub service: &'static str,
    /// Version of the API, as in <https://semver.org>
    pub version: &'static str,
    /// Returns the RPC for a command; `None` if the API has none
    pub method: fn(Action) -> Option<Method>,
    /// Encodes the request; `None` if the API cannot express it, which counts as an RPC that the
    /// API does not have
    pub encode: fn(&Request<'_>) -> Option<Vec<u8>>,
    /// Decodes the reply to a request
    pub decode: fn(&Request<'_>, Bytes) -> Result<Response, DecodeError>,
    /// RPC that tells what the agent can do, if the API has one
    pub capabilities: Option<CapabilitiesRpc>,
}

impl Api {
    /// Lists every API that this plugin speaks, newest first.
    ///
    /// # Adding an API version
    /// 1. `proto/v2/cni.proto`: the new service, in a package that ends with `.v2`. `build.rs` finds
    ///    it, and writes its names and each `idempotency_level` as constants.
    /// 2. `src/api/v2.rs`: an `Api` that encodes a [`Request`] and decodes a [`Response`]. If the
    ///    service can do what no older one can, [`Request`] or [`Response`] get a field that older
    ///    APIs ignore.
    /// 3. `Self::V2` at the front of this list, and `mod v2;` above.
    pub const ALL: &'static [Self] = &[Self::V1, Self::V1BETA1, Self::VMWARE, Self::OLDEST];

    /// Returns the path of a method, as gRPC sends it.
    pub fn path(&self, method: &Method) -> String {
        format!("/{}.{}/{}", self.package, self.service, method.name)
    }
}

/// Compares packages, which are unique.
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

/// Describes an RPC of the proto.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Method {
    /// Name of the RPC
    pub name: &'static str,
    /// Whether the RPC may be sent again while its outcome is unknown, from its `idempotency_level`
    pub may_be_repeated: bool,
}

/// Holds what the agent is asked to do.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// CNI command
    pub action: Action,
    /// Arguments of the command
    pub args: &'a CmdArgs,
    /// Parsed network configuration, as the container runtime sent it
    pub configuration: &'a Configuration,
    /// The `cniVersion` in which the configuration is sent; `None` if it has none
    pub cni_version: Option<&'a Version>,
}

impl<'a> From<&'a Call> for Request<'a> {
    fn from(call: &'a Call) -> Self {
        let Call { action, args, configuration, cni_version, .. } = call;
        Self { action: *action, args, configuration, cni_version: cni_version.as_ref() }
    }
}

/// Holds what the agent answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Response {
    /// CNI result, byte for byte as the agent wrote it
    pub result: Bytes,
    /// CNI error, if the command failed
    pub error: Option<AgentError>,
}

/// Holds an error that the agent returned in its reply, and a remark of this plugin on it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Error)]
#[error("{message}")]
pub struct AgentError {
    /// Code of the CNI specification or of Antrea, which this plugin need not know
    pub code: i32,
    /// Message of the agent
    pub message: String,
    /// Details of the agent, if the API has them
    pub details: String,
    /// Remark of this plugin
    pub note: String,
}

impl Response {
    /// Returns whether the agent answered with code 11, "try again later" (CNI specification,
    /// "Error"). Agents send it when their node's network was not ready for 30 s, before the
    /// command had any effect.
    pub fn is_try_again_later(&self) -> bool {
        self.error.as_ref().is_some_and(|error| error.has(error_codes::TRY_AGAIN_LATER))
    }

    /// Returns whether the agent refused the `cniVersion`. Agents do so before the command has any
    /// effect.
    pub fn refuses_version(&self) -> bool {
        self.error.as_ref().is_some_and(AgentError::is_refused_version)
    }
}

impl AgentError {
    /// Returns whether the agent refused the `cniVersion`. Agents do so before the command has any
    /// effect.
    pub fn is_refused_version(&self) -> bool {
        self.has(error_codes::INCOMPATIBLE_CNI_VERSION)
    }

    fn has(&self, code: u32) -> bool {
        u32::try_from(self.code) == Ok(code)
    }
}

/// Describes the RPC that tells what an agent can do.
#[derive(Clone, Copy)]
pub struct CapabilitiesRpc {
    /// The RPC
    pub method: Method,
    /// Encodes the request message
    pub encode: fn() -> Vec<u8>,
    /// Decodes the reply
    pub decode: fn(Bytes) -> Result<Capabilities, DecodeError>,
}

/// Holds what an agent reports about itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Capabilities {
    /// Version of the API, as in <https://semver.org>
    pub api_version: String,
    /// Values of `cniVersion` that the agent accepts
    pub cni_versions: Vec<String>,
    /// Names of the RPCs that it serves
    pub rpcs: Vec<String>,
    /// Release of the agent
    pub agent_version: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_apis_have_one_package_or_one_name() {
        for (number, api) in Api::ALL.iter().enumerate() {
            for other in Api::ALL.iter().skip(number + 1) {
                assert_ne!(api.package, other.package, "two APIs have the same package");
                assert_ne!(api.name, other.name, "two APIs have the same name");
            }
        }
    }
}

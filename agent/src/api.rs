// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Tells which of the plugin's APIs the reference agent can serve, and how options name them.

use antrea_cni::{Action, Api};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serializer};

/// Returns the APIs that the agent can serve, newest first: those whose messages are the same as in
/// v1, or a part of them.
pub fn servable() -> Vec<Api> {
    Api::ALL.iter().copied().filter(|api| api.service == Api::V1.service).collect()
}

/// Looks up an API by name.
///
/// # Errors
/// A text with the valid names.
pub fn named(name: &str) -> Result<Api, String> {
    let apis = servable();
    apis.iter().find(|api| api.name == name).copied().ok_or_else(|| {
        let names: Vec<_> = apis.iter().map(|api| api.name).collect();
        format!("no API {name}: use {}", names.join(", "))
    })
}

/// Returns the path of a command's RPC; empty if the API lacks it.
pub fn path(api: &Api, action: Action) -> String {
    (api.method)(action).map(|method| api.path(&method)).unwrap_or_default()
}

/// Tells what an RPC does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rpc {
    /// A CNI command
    Command(Action),
    /// GetCapabilities
    Capabilities,
}

impl Rpc {
    /// Returns the RPCs of an API with their names.
    pub(crate) fn all(api: &Api) -> impl Iterator<Item = (Self, &'static str)> {
        let commands = Action::ALL
            .into_iter()
            .filter_map(|action| Some((Self::Command(action), (api.method)(action)?.name)));
        let capabilities = api.capabilities.map(|rpc| (Self::Capabilities, rpc.method.name));
        commands.chain(capabilities)
    }
}

/// Writes APIs as their names.
pub(crate) fn serialize<S: Serializer>(apis: &[Api], out: S) -> Result<S::Ok, S::Error> {
    out.collect_seq(apis.iter().map(|api| api.name))
}

pub(crate) fn deserialize<'a, D: Deserializer<'a>>(input: D) -> Result<Vec<Api>, D::Error> {
    let names = Vec::<String>::deserialize(input)?;
    names.iter().map(|name| named(name).map_err(D::Error::custom)).collect()
}

// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Stands in for Linux' network namespaces, which on Windows are compartments of the host's network
//! service and not files. Only the agent interprets `CNI_NETNS`: a GUID, `none` or `container:ID`.

use std::io;

/// Stands for the identity of a network namespace, which the plugin cannot determine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity(());

impl Identity {
    /// Returns `None`: the plugin cannot identify a namespace.
    pub(crate) fn at_path(_: &str) -> Option<Self> {
        None
    }

    /// Returns `false`, as the Go skeleton does.
    pub(crate) fn is_own(self) -> bool {
        false
    }
}

/// Returns whether there is certainly no namespace of that name.
pub(crate) fn is_gone(path: &str) -> bool {
    path.is_empty()
}

/// Fails, because only the agent removes interfaces.
///
/// # Errors
/// Always.
pub(crate) fn remove_veth(_: &str, _: Identity, _: &str) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

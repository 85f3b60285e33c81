//! Network namespaces are compartments of the host's network service, and no files: what
//! `CNI_NETNS` names, a GUID, `none` or `container:ID`, is the agent's to know.

use std::io;

/// What tells a network namespace from another one: nobody here can tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity(());

impl Identity {
    /// The identity of the namespace at `path`: none.
    pub(crate) fn at_path(_: &str) -> Option<Self> {
        None
    }

    /// Whether the plugin runs in this namespace: never, as in the Go skeleton.
    pub(crate) fn is_own(self) -> bool {
        false
    }
}

/// Returns whether there certainly is no namespace of that name.
pub(crate) fn is_gone(path: &str) -> bool {
    path.is_empty()
}

/// Removes an interface: the agent does.
///
/// # Errors
/// Always.
pub(crate) fn remove_veth(_: &str, _: Identity, _: &str) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

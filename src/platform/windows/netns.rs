//! Network namespaces are compartments of the host's network service, and no files: what
//! `CNI_NETNS` names, a GUID, `none` or `container:ID`, is the agent's to know.

use std::io;

/// Whether `path` names the namespace that the plugin runs in: never, as in the Go
/// skeleton.
pub(crate) fn is_own(_: &str) -> bool {
    false
}

/// Whether there certainly is no namespace of that name: nobody here can tell.
pub(crate) fn is_gone(_: &str) -> bool {
    false
}

/// Removes an interface: the agent does.
///
/// # Errors
/// Always.
pub(crate) fn remove_link(_: &str, _: &str) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

//! Locates the container runtime's folder of network configurations.

/// Where Antrea's installer for Windows writes the conflist.
pub(crate) const PATH: &str = r"C:\etc\cni\net.d";

//! The container runtime's folder of network configurations.

/// The default of containerd and CRI-O.
pub(crate) const PATH: &str = "/etc/cni/net.d";

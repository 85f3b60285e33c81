//! Locates the container runtime's folder of network configurations.

/// Default of containerd and CRI-O.
pub(crate) const PATH: &str = "/etc/cni/net.d";

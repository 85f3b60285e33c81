//! The path of the agent's socket.

/// Where `antrea-agent` listens.
pub(crate) const PATH: &str = "/var/run/antrea/cni.sock";

/// Longest path that the kernel takes for a unix socket.
pub(crate) const MAX_PATH_BYTES: usize = 107;

/// What is said of a longer one.
pub(crate) const TOO_LONG: &str =
    "at most 107 bytes long, the most that the kernel takes: shorten the path";

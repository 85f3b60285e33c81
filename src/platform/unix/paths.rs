// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Defines the default paths on a node, and parses the path of the agent's socket.

/// Default folder of network configurations of containerd and CRI-O.
pub(crate) const CONF_DIR: &str = "/etc/cni/net.d";

/// Where `antrea-agent` listens.
pub(crate) const SOCKET: &str = "/var/run/antrea/cni.sock";

/// Longest path of a unix socket that the kernel accepts.
pub(crate) const MAX_SOCKET_BYTES: usize = 107;

/// Description of the valid paths of a socket.
pub(crate) const SOCKET_VALUES: &str =
    "an absolute path of at most 107 bytes, the most that the kernel takes";

/// Parses the path in a setting: a path, or a gRPC target `unix:PATH` or `unix://PATH` (gRPC, "Name
/// Resolution"). Returns `None` if it cannot be a socket.
pub(crate) fn parse_socket(text: &str) -> Option<String> {
    let path = text.strip_prefix("unix:").map_or(text, |it| it.strip_prefix("//").unwrap_or(it));
    let is_path = path.starts_with('/') && !path.contains('\0') && path.len() <= MAX_SOCKET_BYTES;
    is_path.then(|| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_of_grpc_are_paths() {
        for target in ["/run/x.sock", "unix:/run/x.sock", "unix:///run/x.sock"] {
            assert_eq!(parse_socket(target).as_deref(), Some("/run/x.sock"));
        }
        for wrong in ["", "x", "unix:x", "unix://x", "unix:", "tcp:///x", "unix-abstract:x"] {
            assert_eq!(parse_socket(wrong), None, "{wrong}");
        }
    }
}

//! The path of the agent's socket.

/// Where `antrea-agent` listens.
pub(crate) const PATH: &str = "/var/run/antrea/cni.sock";

/// Longest path that the kernel takes for a unix socket.
pub(crate) const MAX_PATH_BYTES: usize = 107;

/// What a path has to be.
pub(crate) const VALUES: &str =
    "an absolute path of at most 107 bytes, the most that the kernel takes";

/// The path that a setting names: a path, or a target of gRPC, `unix:PATH` or
/// `unix://PATH` (gRPC, "Name Resolution"). `None` if it can be no socket.
pub(crate) fn parse(text: &str) -> Option<String> {
    let path = text.strip_prefix("unix:").map_or(text, |it| it.strip_prefix("//").unwrap_or(it));
    let is_path = path.starts_with('/') && !path.contains('\0') && path.len() <= MAX_PATH_BYTES;
    is_path.then(|| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_of_grpc_are_paths() {
        for target in ["/run/x.sock", "unix:/run/x.sock", "unix:///run/x.sock"] {
            assert_eq!(parse(target).as_deref(), Some("/run/x.sock"));
        }
        for wrong in ["", "x", "unix:x", "unix://x", "unix:", "tcp:///x", "unix-abstract:x"] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}

//! The path of the agent's socket.

/// Where `antrea-agent` listens.
pub(crate) const PATH: &str = r"\\.\pipe\cnisock";

/// Longest path that Windows takes for a named pipe (CreateNamedPipe).
pub(crate) const MAX_PATH_BYTES: usize = 256;

/// What is said of a longer one.
pub(crate) const TOO_LONG: &str =
    "at most 256 bytes long, the most that Windows takes: shorten the path";

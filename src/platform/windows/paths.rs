// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Defines the default paths on a node, and parses the path of the agent's named pipe.

/// Folder of network configurations in which Antrea's installer for Windows writes the conflist.
pub(crate) const CONF_DIR: &str = r"C:\etc\cni\net.d";

/// Where `antrea-agent` listens.
pub(crate) const SOCKET: &str = r"\\.\pipe\cnisock";

/// Longest path of a named pipe that Windows accepts (CreateNamedPipe).
pub(crate) const MAX_SOCKET_BYTES: usize = 256;

/// Description of the valid paths of a socket.
pub(crate) const SOCKET_VALUES: &str =
    r"the path of a named pipe, \\.\pipe\NAME, of at most 256 bytes, the most that Windows takes";

/// The folder of all pipes.
const FOLDER: &str = r"\\.\pipe\";

/// Parses the pipe in a setting: a path with slashes of either kind, or a gRPC target
/// `npipe:////./pipe/NAME`. Returns `None` if it cannot be a pipe.
pub(crate) fn parse_socket(text: &str) -> Option<String> {
    let path = text.strip_prefix("npipe:").map_or(text, |it| {
        let rest = it.strip_prefix("//").filter(|it| it.starts_with("//"));
        rest.unwrap_or(it)
    });
    let path = path.replace('/', "\\");
    let start = path.get(..FOLDER.len())?;
    let is_pipe = start.eq_ignore_ascii_case(FOLDER) && path.len() > FOLDER.len();
    (is_pipe && !path.contains('\0') && path.len() <= MAX_SOCKET_BYTES).then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pipes_are_written_in_several_ways() {
        for text in [r"\\.\pipe\x", "//./pipe/x", "npipe:////./pipe/x", "npipe://./pipe/x"] {
            assert_eq!(parse_socket(text).as_deref(), Some(r"\\.\pipe\x"), "{text}");
        }
        for wrong in ["", "x", r"C:\x", r"\\.\pipe\", "npipe:x", "unix:///x", r"\\host\pipe\x"] {
            assert_eq!(parse_socket(wrong), None, "{wrong}");
        }
    }
}

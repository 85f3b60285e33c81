//! Whether a path names the network namespace that the plugin runs in.

use std::fs;
use std::os::unix::fs::MetadataExt;

/// A namespace is told by the device and inode of its file. What cannot be
/// looked at is not ours: the agent says what is wrong with it.
pub(crate) fn is_own(path: &str) -> bool {
    let identity = |path| fs::metadata(path).map(|file| (file.dev(), file.ino()));
    // Ours only if there is another one: /proc is slow.
    identity(path)
        .is_ok_and(|theirs| identity("/proc/self/ns/net").is_ok_and(|ours| theirs == ours))
}

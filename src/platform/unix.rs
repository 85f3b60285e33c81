//! Implements the platform for Linux.

pub(crate) mod conf_dir;
pub(crate) mod files;
pub(crate) mod folder;
pub(crate) mod netns;
pub(crate) mod socket_path;
pub(crate) mod stdio;

//! Implements the platform for Windows.

pub(crate) mod files;
pub(crate) mod folder;
pub(crate) mod netns;
pub(crate) mod paths;
pub(crate) mod stdio;

//! Linux.

pub(crate) mod files;
pub(crate) mod netns;
pub(crate) mod socket;
pub(crate) mod stdio;

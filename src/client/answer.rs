//! What a command came to.

use crate::api::Response;

/// What a command came to.
#[derive(Debug)]
pub enum Answer {
    /// An agent answered
    Agent(Response),
    /// STATUS: the agent does not do it, or refuses the version that has it; it serves ADD
    ServesAdd {
        /// Whether the agent refuses the cniVersion
        refused_version: bool,
    },
    /// No agent did a DEL, which is written down for the next one
    Owed,
    /// No agent did a DEL, and it could not be written down
    Lost,
}

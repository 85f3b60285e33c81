//! Stage 2: who answers. The APIs that agents of all releases speak, and the
//! walk down to the newest one that this agent has.
//!
//! ```text
//! ladder ──▶ recovery ──▶ delivery ──▶ walk ──▶ translation ──▶ calls ──▶ node
//! which way  an agent     waits,       down     lower           one       the agent
//! for which  that died    repeats      the APIs cniVersions     call
//! command
//! ```

pub mod api;
mod calls;
mod delivery;
mod error;
pub mod history;
pub mod node;
mod recovery;
mod single;
mod status;
mod translation;
mod v1;
mod v1beta1;
mod walk;

use std::time::Instant;

use crate::action::Action;
use crate::input::Limits;

use self::delivery::Delivery;

pub use self::api::{AgentError, Api, Capabilities, Request, Response};
pub use self::error::Error;
pub use self::history::{History, Outcome};
pub use self::node::{Connection, Node};
pub use self::single::{capabilities, is_served, single};
#[cfg(fuzzing)]
pub use self::translation::translate;

impl Api {
    /// Every API that this plugin speaks, newest first.
    ///
    /// # Adding an API version
    /// 1. `proto/v2/cni.proto`: the new service. `build.rs` finds it.
    /// 2. `src/ladder/v2.rs`: an `Api` that says how a [`Request`] and a
    ///    [`Response`] look in it. If the service can do what no older one can,
    ///    [`Request`] or [`Response`] grow a field that older APIs leave alone.
    /// 3. `Self::V2` at the front of this list, and `mod v2;` above.
    pub const ALL: &'static [Self] = &[Self::V1, Self::V1BETA1, Self::VMWARE, Self::FIRST];
}

/// Asks the agent, within the command's time since `started`.
///
/// # Errors
/// All of them.
pub fn deliver(
    node: &impl Node,
    request: Request<'_>,
    limits: Limits,
    started: Instant,
    history: &mut History,
) -> Result<Response, Error> {
    let (deadline, wait) = (started + limits.total, limits.wait);
    let mut delivery =
        Delivery { node, apis: Api::ALL, request, deadline, wait, history, connection: None };
    let answer = match request.action {
        Action::Add => recovery::add(&mut delivery),
        Action::Status => status::status(&mut delivery),
        Action::Check | Action::Del | Action::Gc => delivery.repeat(request.action),
    };
    history.elapsed = node.now() - started;
    answer
}

//! Stage 2: who answers. The APIs that agents of all releases speak, and the
//! walk down to the newest one that this agent has.
//!
//! ```text
//! ladder ──▶ owed ──▶ recovery ──▶ delivery ──▶ translation ──▶ calls ──▶ node
//! which way  DELs     an agent     asks API by  lower           one       the agent
//! for which  without  that died    API, asks    cniVersions     call        ▲
//! command    agent                 again ──────▶ waiting for an agent ──────┘
//! ```

mod answer;
pub mod api;
mod calls;
mod delivery;
mod error;
pub mod history;
pub mod node;
mod owed;
mod recovery;
mod single;
mod status;
mod translation;
mod v1;
mod v1beta1;
mod waiting;

use std::rc::Rc;
use std::time::Instant;

use crate::action::Action;
use crate::deadline::Deadline;
use crate::grpc;
use crate::input::{Call, Limits};

use self::delivery::Delivery;

pub use self::answer::Answer;
pub use self::api::{AgentError, Api, Capabilities, Request, Response};
pub use self::error::Error;
pub use self::history::{History, Outcome, Settled};
pub use self::node::{Connection, Node, OwedDels};
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
/// Any variant of [`Error`].
pub fn deliver(
    node: &impl Node,
    call: &Call,
    started: Instant,
    history: &mut History,
) -> Result<Answer, Error> {
    let (request, limits, may_be_owed) = (Request::from(call), call.limits(), call.may_be_owed());
    let Limits { total, wait } = if may_be_owed { limits.of_owed() } else { limits };
    let deadline = Rc::new(Deadline::new(started, total, node.conf_dir_changed()));
    let mut delivery = Delivery::new(node, request, Rc::clone(&deadline), wait, history);
    let answer = match request.action {
        Action::Add => add(&mut delivery),
        Action::Status => status::status(&mut delivery),
        Action::Del if may_be_owed => owed::del(&mut delivery, limits),
        Action::Check | Action::Del | Action::Gc => delivery.repeat(request).map(Answer::Agent),
    };
    if request.action != Action::Add && is_answered(request.action, &answer) {
        settle_owed(&mut delivery);
    }
    let now = node.now();
    history.elapsed = now - started;
    match answer {
        Ok(Answer::Agent(response)) => {
            Ok(Answer::Agent(told_how_often(response, history, deadline.gave_way())))
        }
        Err(cause) if cause.is_unreached() && deadline.gave_way() && deadline.end(now) <= now => {
            Err(Error::GaveWay(Box::new(cause)))
        }
        answer => answer,
    }
}

/// ADD: not before a DEL that is owed for the same container and interface.
fn add(delivery: &mut Delivery<'_, impl Node>) -> Result<Answer, Error> {
    let owed = delivery.node.owed().map_err(grpc::Error::NoSocket)?;
    if let Some(owed) = &owed
        && let Some(busy) = owed::settle_before_add(delivery, owed)?
    {
        return Ok(Answer::Agent(busy));
    }
    let is_any_owed = owed.is_some();
    drop(owed);
    let answer = recovery::add(delivery).map(Answer::Agent);
    if !is_answered(Action::Add, &answer) {
        owed::after_unknown_add(delivery);
    } else if is_any_owed {
        settle_owed(delivery);
    }
    answer
}

/// Whether an agent answered, so that it can be sent what is owed. One without GC has
/// answered, too.
fn is_answered(action: Action, answer: &Result<Answer, Error>) -> bool {
    match answer {
        Ok(Answer::Agent(_) | Answer::ServesAdd { .. }) => true,
        Ok(Answer::Owed | Answer::Lost) => false,
        Err(Error::Exhausted) => action == Action::Gc,
        Err(error) => error.is_served(),
    }
}

fn settle_owed<N: Node>(delivery: &mut Delivery<'_, N>) {
    if let Ok(Some(owed)) = delivery.node.owed() {
        owed::settle(delivery, &owed);
    }
}

/// The agent's words, with how often it was asked, if it said "try again later" to the end.
fn told_how_often(mut response: Response, history: &History, gave_way: bool) -> Response {
    let is_last_word = response.is_try_again_later();
    if let Some(error) = response.error.as_mut().filter(|_| is_last_word) {
        let times = history.asked_again + 1;
        let plural = if times == 1 { "" } else { "s" };
        let why = if gave_way {
            ", and not again: the container runtime waits to read its network configuration"
        } else {
            ""
        };
        let asked =
            format!("asked {times} time{plural} in {}{why}", history::seconds(history.elapsed));
        let and = if error.note.is_empty() { "" } else { "; " };
        error.note = [&*error.note, and, &asked].concat();
    }
    response
}

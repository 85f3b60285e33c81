// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Checks whether the agent behind a socket keeps the promises that the plugin relies on.
//!
//! ```text
//! promises ──▶ safe, effects ──▶ subject ──▶ the agent
//!     │        one check each    the calls
//!     └──▶ report
//! ```

mod answers;
mod effects;
mod promises;
mod report;
mod safe;
mod subject;

use self::promises::PROMISES;
use self::subject::Subject;

pub use self::report::{Kept, Report, Row};
pub use self::subject::Question;

/// Asks the agent, and reports on each promise in a row.
///
/// Without a namespace, nothing happens to the node, because all calls are for containers that do
/// not exist. With a namespace, interfaces are created there and removed again, and GC removes what
/// the agent created for all other containers.
pub fn conformance(question: &Question) -> Report {
    let subject = match Subject::find(question) {
        Ok(subject) => subject,
        Err(why) => return Report::without_an_agent(why),
    };
    let rows = PROMISES.iter().map(|promise| promise.row(&subject));
    Report { api: subject.api().map(|api| api.package), rows: rows.collect(), no_agent: None }
}

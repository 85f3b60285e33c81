// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Lists the promises, and tells which agents make them.

use antrea_cni::Api;

use super::report::{Kept, Row};
use super::subject::Subject;
use super::{effects, safe};

/// Describes one promise of an agent.
pub(super) struct Promise {
    name: &'static str,
    says: &'static str,
    by: PromisedBy,
    check: Check,
}

/// Checks a promise. `Err` tells what happened instead.
#[derive(Clone, Copy)]
enum Check {
    Always(fn(&Subject, &str) -> Result<(), String>),
    /// Applies only if the agent did something that it cannot be made to do; `false` if it did not
    IfSeen(fn(&Subject, &str) -> Result<bool, String>, &'static str),
}

/// Tells which agents make a promise, and whether checking it has an effect.
#[derive(Clone, Copy, PartialEq, Eq)]
enum PromisedBy {
    /// All agents that work with the plugin
    All,
    /// All agents that work with the plugin; checking has an effect
    AllByEffect,
    /// Agents that serve v1 or a newer API
    V1,
    /// Agents that serve v1 or a newer API; checking has an effect
    V1ByEffect,
}

/// All promises, the simplest first.
pub(super) const PROMISES: &[Promise] = &[
    promise(
        "socket",
        "the socket is the agent's user's alone, and that is root or the caller",
        PromisedBy::All,
        safe::socket,
    ),
    promise(
        "api",
        "an API of the plugin is served, with ADD, CHECK and DEL",
        PromisedBy::All,
        safe::api,
    ),
    promise(
        "unimplemented",
        "an unknown service or method is UNIMPLEMENTED, and the connection goes on",
        PromisedBy::All,
        safe::unimplemented,
    ),
    promise(
        "cni-version",
        "at least one of 1.1.0, 1.0.0 and 0.4.0 is accepted",
        PromisedBy::All,
        safe::cni_version,
    ),
    promise(
        "unknown-version",
        "a cniVersion that is unknown is refused with code 1",
        PromisedBy::All,
        safe::unknown_version,
    ),
    promise(
        "absent-version",
        "so is a configuration without one",
        PromisedBy::All,
        safe::absent_version,
    ),
    promise(
        "malformed",
        "a configuration that is no JSON is an error in the reply",
        PromisedBy::All,
        safe::malformed,
    ),
    promise(
        "unknown-container",
        "DEL of a container that is not there succeeds",
        PromisedBy::All,
        safe::unknown_container,
    ),
    promise(
        "nothing-there",
        "CHECK of a container that is not there fails",
        PromisedBy::All,
        safe::nothing_there,
    ),
    promise("at-once", "64 calls at once are all answered", PromisedBy::All, safe::at_once),
    promise("status", "STATUS is answered within a second", PromisedBy::V1, safe::status),
    promise(
        "capabilities",
        "GetCapabilities names what is accepted and served",
        PromisedBy::V1,
        safe::capabilities,
    ),
    promise(
        "add",
        "ADD gives one JSON object, and what it made is gone after DEL",
        PromisedBy::AllByEffect,
        effects::add,
    ),
    promise(
        "refused-add",
        "an ADD that is refused with code 1 leaves nothing",
        PromisedBy::AllByEffect,
        effects::refused_add,
    ),
    Promise {
        name: "try-again",
        says: "an ADD that is answered with code 11, try again later, leaves nothing",
        by: PromisedBy::AllByEffect,
        check: Check::IfSeen(effects::try_again, "no ADD was answered with code 11"),
    },
    promise("check", "CHECK of what an ADD made succeeds", PromisedBy::AllByEffect, effects::check),
    promise(
        "del-again",
        "DEL succeeds again, also without the namespace",
        PromisedBy::AllByEffect,
        effects::del_again,
    ),
    promise(
        "cut-off",
        "DEL after an ADD whose caller went away leaves nothing",
        PromisedBy::AllByEffect,
        effects::cut_off,
    ),
    promise(
        "label",
        "a result has the cniVersion of its configuration",
        PromisedBy::V1ByEffect,
        effects::label,
    ),
    promise(
        "second-add",
        "a second ADD fails and leaves the first alone",
        PromisedBy::V1ByEffect,
        effects::second_add,
    ),
    promise(
        "gc",
        "GC removes what is not listed, and nothing in an unknown cniVersion",
        PromisedBy::V1ByEffect,
        effects::gc,
    ),
    promise(
        "any-request",
        "null, {} and a request without arguments are errors, no crash",
        PromisedBy::V1ByEffect,
        effects::any_request,
    ),
];

const fn promise(
    name: &'static str,
    says: &'static str,
    by: PromisedBy,
    check: fn(&Subject, &str) -> Result<(), String>,
) -> Promise {
    Promise { name, says, by, check: Check::Always(check) }
}

impl Promise {
    pub(super) fn row(&self, subject: &Subject) -> Row {
        let Self { name, says, by, check } = *self;
        // `Api::ALL` is newest first, and newer APIs keep the promises of v1.
        let newer = Api::ALL.iter().take_while(|api| **api != Api::V1);
        let is_v1 = subject.api().is_some_and(|api| newer.chain([&Api::V1]).any(|it| it == api));
        let kept = match by {
            PromisedBy::V1 | PromisedBy::V1ByEffect if !is_v1 => {
                Kept::NotAsked("only v1 promises it")
            }
            PromisedBy::AllByEffect | PromisedBy::V1ByEffect if subject.netns().is_none() => {
                Kept::NotAsked("it has an effect: --with-effects")
            }
            _ => check.run(subject, &format!("conformance-{name}")),
        };
        Row { promise: name, says, kept }
    }
}

impl Check {
    fn run(self, subject: &Subject, container: &str) -> Kept {
        match self {
            Self::Always(check) => check(subject, container).map_or_else(Kept::No, |()| Kept::Yes),
            Self::IfSeen(check, unseen) => match check(subject, container) {
                Ok(true) => Kept::Yes,
                Ok(false) => Kept::NotAsked(unseen),
                Err(why) => Kept::No(why),
            },
        }
    }
}

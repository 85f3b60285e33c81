// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Concludes from a probe what would happen to a Pod that is started now.

use antrea_cni::input::Settings;
use antrea_cni::input::version::{LOWER, NEWEST};
use antrea_cni::{Action, Api};
use semver::Version;

use super::report::{MethodReport, ProbeReport, State};
use crate::error::Exit;
use crate::platform::TRUSTED;

impl ProbeReport {
    /// Returns the first API whose ADD is not UNIMPLEMENTED. The plugin's fallback ends there.
    fn answers_add(&self) -> Option<(&'static str, &MethodReport)> {
        Api::ALL.iter().find_map(|api| {
            let method = self.method(api, Action::Add)?;
            (method.state != State::Unimplemented).then_some((api.package, method))
        })
    }

    /// Sets the conclusion from the other fields.
    pub(super) fn conclude(&mut self) {
        let not_ready = self.status.as_ref().and_then(MethodReport::why_not_ready);
        let (state, sentence) = match (&self.state, self.answers_add(), not_ready) {
            (
                State::Unimplemented,
                Some((_, MethodReport { state: State::Served, .. })),
                Some(why),
            ) => {
                let said =
                    format!("A Pod started now would fail: the agent answers STATUS with {why}");
                (State::Failed, said)
            }
            (
                State::Unimplemented,
                Some((package, MethodReport { state: State::Served, .. })),
                None,
            ) => (State::Served, self.would_use(package)),
            (State::Unimplemented, Some((package, MethodReport { message, .. })), _) => {
                let why = message.as_deref().unwrap_or("an error");
                (
                    State::Failed,
                    format!("A Pod started now would fail: {package} answers with {why}"),
                )
            }
            (other, ..) => (other.clone(), other.sentence(&self.socket)),
        };
        (self.ready, self.state, self.sentence) = (state == State::Served, state, sentence);
    }

    /// Returns a sentence that says how an ADD would be sent, for each cniVersion of a conflist.
    fn would_use(&self, package: &str) -> String {
        let mut text = format!("A Pod started now would use {package}");
        if self.status.is_none() {
            text +=
                " (which has no STATUS, so it is not known whether the agent's network is ready)";
        }
        let takes = |version: &Version| self.cni_versions.contains(version);
        if self.cni_versions.is_empty() {
            return format!("{text}; the agent does not tell which cniVersions it accepts");
        }
        if takes(&NEWEST) {
            return format!("{text}, with the cniVersion of the conflist");
        }
        match LOWER.iter().find(|lower| takes(lower)) {
            Some(lower) => format!(
                "{text}; for a conflist of a cniVersion above {lower}, the plugin sends {lower} and converts the result"
            ),
            None => format!("{text}, if the agent accepts the cniVersion of the conflist"),
        }
    }

    pub(crate) fn exit(&self) -> Exit {
        match self.state {
            State::Served => Exit::Success,
            State::Absent | State::NotASocket => Exit::NoAgent,
            State::Forbidden | State::Unusable(_) => Exit::Usage,
            State::Unimplemented | State::Silent | State::Failed | State::Untrusted(_) => {
                Exit::Failure
            }
        }
    }
}

impl State {
    /// Returns a sentence that says how an ADD would end.
    fn sentence(&self, socket: &str) -> String {
        let Settings { add_timeout, wait_for_agent, .. } = Settings::default();
        let (seconds, wait) = (add_timeout.as_secs(), wait_for_agent.as_secs());
        match self {
            Self::Absent => format!(
                "No agent listens on {socket}: a Pod started now would wait for one, {wait} s by default, and then fail with code 11"
            ),
            Self::NotASocket => format!(
                "No agent: {socket} is not a socket, so a Pod started now would fail; correct the path, or remove that file and restart the agent's Pod"
            ),
            Self::Forbidden => {
                format!("This user may not connect to {socket}: run the probe as {TRUSTED}")
            }
            Self::Silent => format!(
                "Something listens on {socket} but does not answer: a Pod started now would wait until its deadline, {seconds} s by default, and then fail with code 11; look at the agent's log"
            ),
            Self::Untrusted(user) => format!(
                "The process behind {socket} is that of user {user}: a Pod started now would fail with code 5, because the plugin talks only to {TRUSTED} and to its own user"
            ),
            Self::Unusable(why) => format!("{socket} cannot be used: {why}"),
            Self::Served | Self::Unimplemented | Self::Failed => {
                "A Pod started now would fail with code 202: something answers, but serves none of the APIs of this plugin; install the plugin that came with the agent".to_owned()
            }
        }
    }
}

// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Timeouts of a command.

use std::time::Duration;

use super::settings::Settings;
use crate::action::Action;

/// Limits the duration of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// From start to answer
    pub total: Duration,
    /// Longest wait for an agent that is unavailable
    pub wait_for_agent: Duration,
}

/// Timeouts of a DEL that may be owed. They are short, because the end of a Pod waits for the DEL,
/// and so does every call that needs the container runtime's lock.
const OF_OWED_DEL: Timeouts =
    Timeouts { total: Duration::from_secs(20), wait_for_agent: Duration::from_secs(2) };

impl Timeouts {
    /// Returns the timeouts of a command.
    pub fn for_action(action: Action, settings: &Settings) -> Self {
        let rules = action.rules();
        let total = if action == Action::Add { settings.add_timeout } else { rules.timeout };
        Self { total, wait_for_agent: settings.wait_for_agent.min(rules.wait_for_agent) }
    }

    /// Returns the shorter timeouts of a DEL that may be owed.
    pub(crate) fn shortened_for_owed_del(self) -> Self {
        Self {
            total: self.total.min(OF_OWED_DEL.total),
            wait_for_agent: self.wait_for_agent.min(OF_OWED_DEL.wait_for_agent),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_add_waits_as_long_as_the_setting_says() {
        let longest = Settings { wait_for_agent: Duration::from_secs(180), ..Settings::default() };
        let waits = Action::ALL
            .map(|action| Timeouts::for_action(action, &longest).wait_for_agent.as_secs());
        let expected = Action::ALL.map(|action| match action {
            Action::Add => 180,
            Action::Check | Action::Gc => 5,
            Action::Del => 15,
            Action::Status => 0,
        });
        assert_eq!(waits, expected);
        let none = Settings { wait_for_agent: Duration::ZERO, ..longest };
        assert!(
            Action::ALL
                .iter()
                .all(|action| Timeouts::for_action(*action, &none).wait_for_agent.is_zero())
        );
    }

    #[test]
    fn the_help_of_the_setting_has_the_figures_of_the_rules() {
        let [check, gc, del] = [Action::Check, Action::Gc, Action::Del].map(Action::rules);
        assert_eq!(check.wait_for_agent, gc.wait_for_agent);
        let [others, owed, del] =
            [check.wait_for_agent, OF_OWED_DEL.wait_for_agent, del.wait_for_agent]
                .map(|it| it.as_secs());
        let expected = format!(
            "CHECK and GC wait at most {others} s. DEL waits {owed} s, or {del} s if it cannot be stored."
        );
        let setting = Settings::TABLE.iter().find(|it| it.name == "waitForAgentSeconds").unwrap();
        assert!(setting.help.contains(&expected), "{expected}");
        let most = Action::Add.rules().wait_for_agent.as_secs();
        assert!(setting.values().ends_with(&format!(" to {most}")), "{most}");
    }
}

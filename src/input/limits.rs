//! How long a command may take, and how much of that may be spent on waiting.

use std::time::Duration;

use super::settings::Settings;
use crate::action::Action;

/// The timeouts of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// From start to answer
    pub total: Duration,
    /// For an agent that is away
    pub wait: Duration,
}

/// The timeouts of a DEL that is owed where no agent does it. It is in nobody's way: a Pod
/// that ends waits for it, and so does whatever wants the runtime's lock.
const OWED: Limits = Limits { total: Duration::from_secs(20), wait: Duration::from_secs(2) };

impl Limits {
    /// Returns the timeouts of a command.
    pub fn of(action: Action, settings: &Settings) -> Self {
        let rules = action.rules();
        let total = if action == Action::Add { settings.add_timeout } else { rules.total };
        Self { total, wait: settings.wait_for_agent.min(rules.wait) }
    }

    /// Returns the shorter timeouts of a DEL that is owed where no agent does it.
    pub(crate) fn of_owed(self) -> Self {
        Self { total: self.total.min(OWED.total), wait: self.wait.min(OWED.wait) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_add_waits_as_long_as_the_setting_says() {
        let longest = Settings { wait_for_agent: Duration::from_secs(180), ..Settings::default() };
        let waits = Action::ALL.map(|action| Limits::of(action, &longest).wait.as_secs());
        let expected = Action::ALL.map(|action| match action {
            Action::Add => 180,
            Action::Check | Action::Gc => 5,
            Action::Del => 15,
            Action::Status => 0,
        });
        assert_eq!(waits, expected);
        let none = Settings { wait_for_agent: Duration::ZERO, ..longest };
        assert!(Action::ALL.iter().all(|action| Limits::of(*action, &none).wait.is_zero()));
    }

    #[test]
    fn the_default_of_an_adds_timeout_is_the_rule() {
        assert_eq!(Settings::default().add_timeout, Action::Add.rules().total);
    }
}

//! How long a command may take, and how much of that may be spent on waiting.

use std::time::Duration;

use super::settings::Settings;
use crate::action::Action;

/// The time of a command. Runtimes decide the totals: kubelet gives up after
/// 120 s, CRI-O gives a DEL 60 s and a GC 30 s, and containerd calls STATUS under
/// a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// From start to answer
    pub total: Duration,
    /// For an agent that is away
    pub wait: Duration,
}

impl Limits {
    /// Those of a command.
    pub fn of(action: Action, settings: &Settings) -> Self {
        let (total, wait) = match action {
            Action::Add => (settings.add_timeout, 60),
            Action::Check => (Duration::from_secs(45), 5),
            Action::Del => (Duration::from_secs(45), 15),
            Action::Gc => (Duration::from_secs(25), 5),
            Action::Status => (Duration::from_secs(1), 0),
        };
        Self { total, wait: settings.wait_for_agent.min(Duration::from_secs(wait)) }
    }

    /// Those of a DEL that succeeds also where no agent does it: there is little to
    /// wait for.
    pub(super) fn of_what_may_be_left(self) -> Self {
        let Self { total, wait } = self;
        Self { total: total.min(Duration::from_secs(15)), wait: wait.min(Duration::from_secs(2)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_add_waits_as_long_as_the_setting_says() {
        let longest = Settings { wait_for_agent: Duration::from_secs(60), ..Settings::default() };
        let waits = Action::ALL.map(|action| Limits::of(action, &longest).wait.as_secs());
        let expected = Action::ALL.map(|action| match action {
            Action::Add => 60,
            Action::Check | Action::Gc => 5,
            Action::Del => 15,
            Action::Status => 0,
        });
        assert_eq!(waits, expected);
        let none = Settings { wait_for_agent: Duration::ZERO, ..longest };
        assert!(Action::ALL.iter().all(|action| Limits::of(*action, &none).wait.is_zero()));
    }
}

// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Lists the commands that go to the agent, and what differs between them, in one table.

use std::time::Duration;

use semver::Version;

/// Defines the commands and the list of them, so that none is missing from the list.
macro_rules! actions {
    ($(#[$of_type:meta])* pub enum Action { $($(#[$of_command:meta])* $command:ident,)* }) => {
        $(#[$of_type])*
        pub enum Action {
            $($(#[$of_command])* $command,)*
        }

        impl Action {
            /// All commands that go to the agent.
            pub const ALL: [Self; [$(stringify!($command)),*].len()] = [$(Self::$command),*];
        }
    };
}

actions! {
    /// Names a CNI command that the agent does for the plugin.
    #[doc(alias = "ActionAdd")]
    #[doc(alias = "ActionCheck")]
    #[doc(alias = "ActionDel")]
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub enum Action {
        /// ADD: connect a container
        Add,
        /// CHECK: verify that the container is still connected
        Check,
        /// DEL: disconnect the container
        Del,
        /// GC: disconnect all containers that the configuration does not list
        Gc,
        /// STATUS: tell whether an ADD can be expected to succeed
        Status,
    }
}

/// Describes what differs between the commands.
#[derive(Clone, Debug)]
pub struct Rules {
    /// The value of `CNI_COMMAND`
    pub name: &'static str,
    /// First version of the CNI specification that has the command
    pub since: Version,
    /// Whether the command is about one container and not about the whole network, so that
    /// `CNI_CONTAINERID` and `CNI_IFNAME` are required
    pub has_container: bool,
    /// Whether `CNI_NETNS` is required
    pub requires_netns: bool,
    /// Timeout of the whole command; for ADD, the default of `addTimeoutSeconds`
    pub timeout: Duration,
    /// Longest wait for an agent that is unavailable; for ADD, the upper bound of
    /// `waitForAgentSeconds`
    pub wait_for_agent: Duration,
    /// Whether the command fails if the settings are wrong. DEL and GC do not, so that Pods can be
    /// removed all the same
    pub refuses_wrong_settings: bool,
    /// Time that must be left to retry after the agent answered "try again later". `None`: the
    /// command is not retried
    pub retry_if_left: Option<Duration>,
}

impl Action {
    /// Returns the rules of the command. All differences between commands are in this table.
    ///
    /// Container runtimes limit the timeouts: kubelet allows 240 s to create a sandbox and 120 s to
    /// stop it, CRI-O allows 60 s for DEL and 30 s for GC, and containerd calls STATUS while it
    /// holds a lock.
    pub const fn rules(self) -> Rules {
        const fn s(seconds: u64) -> Duration {
            Duration::from_secs(seconds)
        }
        match self {
            Self::Add => Rules {
                name: "ADD",
                since: Version::new(0, 1, 0),
                has_container: true,
                requires_netns: true,
                timeout: s(120),
                wait_for_agent: s(180),
                refuses_wrong_settings: true,
                // An agent needs 30 s to answer "try again later" once more. If the plugin's own
                // deadline interrupted that ADD, its outcome would be unknown.
                retry_if_left: Some(s(35)),
            },
            Self::Check => Rules {
                name: "CHECK",
                since: Version::new(0, 4, 0),
                has_container: true,
                requires_netns: true,
                timeout: s(45),
                wait_for_agent: s(5),
                refuses_wrong_settings: true,
                retry_if_left: Some(Duration::ZERO),
            },
            Self::Del => Rules {
                name: "DEL",
                since: Version::new(0, 1, 0),
                has_container: true,
                requires_netns: false,
                timeout: s(45),
                wait_for_agent: s(15),
                refuses_wrong_settings: false,
                retry_if_left: Some(Duration::ZERO),
            },
            Self::Gc => Rules {
                name: "GC",
                since: Version::new(1, 1, 0),
                has_container: false,
                requires_netns: false,
                timeout: s(25),
                wait_for_agent: s(5),
                refuses_wrong_settings: false,
                retry_if_left: Some(Duration::ZERO),
            },
            Self::Status => Rules {
                name: "STATUS",
                since: Version::new(1, 1, 0),
                has_container: false,
                requires_netns: false,
                timeout: s(1),
                wait_for_agent: Duration::ZERO,
                refuses_wrong_settings: true,
                retry_if_left: None,
            },
        }
    }

    /// Returns the value of `CNI_COMMAND`.
    pub fn name(self) -> &'static str {
        self.rules().name
    }
}

/// Holds the raw `CNI_COMMAND`. Like the Go skeleton, the plugin reports an unknown command only
/// after it has validated the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// Value of the variable
    pub name: String,
    /// Command of that name; `None` if it is unknown
    pub action: Option<Action>,
}

impl Command {
    /// Looks up the command of that name.
    pub fn new(name: String) -> Self {
        let action = Action::ALL.into_iter().find(|action| action.name() == name);
        Self { name, action }
    }
}

impl From<Action> for Command {
    fn from(action: Action) -> Self {
        Self { name: action.name().to_owned(), action: Some(action) }
    }
}

//! The commands of the CNI specification, and what differs between them.

use std::time::Duration;

use semver::Version;

/// A CNI command that the plugin has the agent do.
#[doc(alias = "ActionAdd")]
#[doc(alias = "ActionCheck")]
#[doc(alias = "ActionDel")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// ADD: connect a container
    Add,
    /// CHECK: verify that it is still connected
    Check,
    /// DEL: disconnect it
    Del,
    /// GC: disconnect all that the configuration does not list
    Gc,
    /// STATUS: say whether an ADD can be expected to succeed
    Status,
}

/// What differs between the commands.
#[derive(Clone, Debug)]
pub struct Rules {
    /// The value of `CNI_COMMAND`
    pub name: &'static str,
    /// The version of the CNI specification that brought the command
    pub since: Version,
    /// Whether it is about one container, and not about the network: `CNI_CONTAINERID` and
    /// `CNI_IFNAME` are required
    pub has_container: bool,
    /// Whether `CNI_NETNS` is required
    pub requires_netns: bool,
    /// Timeout of the whole command; of an ADD the default of a setting
    pub timeout: Duration,
    /// How long it waits at most for an agent that is away
    pub wait_for_agent: Duration,
    /// Whether wrong settings are an error; Pods must be removable all the same
    pub refuses_wrong_settings: bool,
    /// How much of its time has to be left to ask again after "try again later"; `None`:
    /// that is the answer
    pub retry_if_left: Option<Duration>,
}

impl Action {
    /// Every command, in the order of the specification.
    pub const ALL: [Self; 5] = [Self::Add, Self::Check, Self::Del, Self::Gc, Self::Status];

    /// Returns the rules of the command: the one table of what differs.
    ///
    /// Runtimes decide the timeouts: kubelet gives a sandbox 240 s and its end 120 s, CRI-O
    /// gives DEL 60 s and GC 30 s, and containerd calls STATUS under a lock.
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
                // An agent takes 30 s to say it again. An ADD that our own deadline cuts
                // off has an unknown outcome.
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

/// The raw `CNI_COMMAND`. Like the Go skeleton, an unknown one is reported only after the
/// configuration was validated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// As the runtime wrote it
    pub name: String,
    /// What the agent is to do, if there is such a command
    pub action: Option<Action>,
}

impl Command {
    /// The command of that name.
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

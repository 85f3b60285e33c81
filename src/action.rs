//! The commands of the CNI specification, as words.

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

impl Action {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Add, Self::Check, Self::Del, Self::Gc, Self::Status];

    /// The value of `CNI_COMMAND`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Add => "ADD",
            Self::Check => "CHECK",
            Self::Del => "DEL",
            Self::Gc => "GC",
            Self::Status => "STATUS",
        }
    }

    /// The version of the CNI specification that brought the command.
    pub const fn since(self) -> Version {
        match self {
            Self::Add | Self::Del => Version::new(0, 1, 0),
            Self::Check => Version::new(0, 4, 0),
            Self::Gc | Self::Status => Version::new(1, 1, 0),
        }
    }

    /// Whether the command is about one container, and not about the network.
    pub const fn has_container(self) -> bool {
        matches!(self, Self::Add | Self::Check | Self::Del)
    }
}

/// The value of `CNI_COMMAND`, which need not be a command: the runtime hears of
/// that after its configuration was looked at.
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

//! Stage 1: what the runtime handed over, parsed in the order that the CNI
//! project's Go skeleton checks it, so that the same wrong input gets the same
//! code from both.

pub mod configuration;
pub mod environment;
mod error;
pub mod node_settings;
pub mod settings;
pub mod stdin;
pub mod timeouts;
pub mod trace_context;
pub mod version;

use std::time::Instant;

use semver::Version;

use self::settings::DelWhenAgentDown;
use crate::action::{Action, Command};
use crate::platform::netns;

pub use self::configuration::Configuration;
pub use self::environment::{CmdArgs, Environment};
pub use self::error::Error;
pub use self::settings::Settings;
pub use self::stdin::{Source, Stdin};
pub use self::timeouts::Timeouts;
pub use self::trace_context::TraceContext;

/// What a runtime, or a person, asks of the program.
#[derive(Debug)]
pub enum Input {
    /// No command: a person wants to know what this program is
    About,
    /// VERSION, which needs nothing else
    Version,
    /// A command for the agent
    Call(Box<Call>),
}

/// A command for the agent, checked: nothing is sent without one.
#[derive(Debug)]
pub struct Call {
    /// The command
    pub action: Action,
    /// Its arguments
    pub args: CmdArgs,
    /// The network configuration in them
    pub configuration: Configuration,
    /// The version that the configuration names, if it names one
    pub cni_version: Option<Version>,
    /// The plugin's settings
    pub settings: Settings,
    /// What is wrong with those that were given, where the command does not fail
    /// for it
    pub ignored: Vec<settings::Error>,
}

/// Why there is no call, and how its error document is headed.
#[derive(Debug)]
pub struct Rejected {
    /// What is wrong
    pub error: Error,
    /// What is known of the call
    pub context: ErrorContext,
}

/// What an error document needs to know of the call that failed.
#[derive(Clone, Debug)]
pub struct ErrorContext {
    /// Version of the document: the configuration's where it is supported, else
    /// the newest
    pub cni_version: Version,
    /// Whether the command is DEL, of whose errors runtimes read the words
    pub is_del: bool,
}

/// Reads and checks a command. Standard input has to end within the time of the
/// command since `started`.
///
/// # Errors
/// The first thing that is wrong, in the order of the Go skeleton.
pub fn read_input(
    environment: Environment<'_>,
    stdin: &mut dyn Source,
    started: Instant,
) -> Result<Input, Rejected> {
    let mut context = ErrorContext { cni_version: version::NEWEST, is_del: false };
    let input = (|| {
        let command = match environment::command(environment)? {
            Some(command) => command,
            None => return Ok(Input::About),
        };
        if command.name == "VERSION" {
            return Ok(Input::Version);
        }
        context.is_del = command.action == Some(Action::Del);
        let mut args = environment::cmd_args(environment, &command)?;
        args.stdin_data = stdin::read_stdin(stdin, command.action, started)?;
        let node = node_settings::for_this_program;
        check(&command, args, node, &mut context.cni_version)
            .map(|call| Input::Call(Box::new(call)))
    })();
    input.map_err(|error| Rejected { error, context })
}

impl Call {
    /// Checks a command whose variables were looked at already, or are not a
    /// runtime's. The settings of the node are left out: they are the plugin's.
    ///
    /// # Errors
    /// As [`read_input`], but for standard input and variables.
    pub fn check(command: &Command, args: CmdArgs) -> Result<Self, Rejected> {
        let is_del = command.action == Some(Action::Del);
        let mut context = ErrorContext { cni_version: version::NEWEST, is_del };
        check(command, args, Default::default, &mut context.cni_version)
            .map_err(|error| Rejected { error, context })
    }

    /// Returns how long it may take.
    pub fn timeouts(&self) -> Timeouts {
        Timeouts::for_action(self.action, &self.settings)
    }

    /// Returns whether this is a DEL that succeeds also where no agent does it, and is owed
    /// then. A runtime may still name the network namespace of a container that is gone.
    pub fn may_succeed_without_agent(&self) -> bool {
        let may_wait = self.settings.del_when_agent_down == DelWhenAgentDown::Fail;
        self.action == Action::Del && (!may_wait || netns::is_gone(&self.args.netns))
    }

    /// What an error document of the call needs to know.
    pub fn error_context(&self) -> ErrorContext {
        let cni_version = self.configuration.version_for_errors();
        ErrorContext { cni_version, is_del: self.action == Action::Del }
    }
}

fn check(
    command: &Command,
    mut args: CmdArgs,
    node_settings: fn() -> (Settings, Vec<settings::Error>),
    label: &mut Version,
) -> Result<Call, Error> {
    let configuration = Configuration::parse(&args.stdin_data)?;
    *label = configuration.version_for_errors();
    let action = command.action.ok_or_else(|| Error::UnknownCommand(command.name.clone()))?;
    let cni_version = configuration.cni_version(action)?;
    let (mut settings, mut ignored) = node_settings();
    ignored.extend(configuration.apply_settings(&mut settings));
    let rules = action.rules();
    if rules.refuses_wrong_settings
        && let Some(wrong) = ignored.iter().position(settings::Error::is_fatal)
    {
        return Err(ignored.swap_remove(wrong).into());
    }
    if !rules.has_container {
        (args.container_id, args.netns, args.ifname) = Default::default();
    }
    Ok(Call { action, args, configuration, cni_version, settings, ignored })
}

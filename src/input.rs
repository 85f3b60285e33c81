// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Stage 1: reads what the container runtime passed. Checks it in the order of the CNI project's Go
//! skeleton, so that the same invalid input gets the same code from both.

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

/// Describes what the program is asked to do.
#[derive(Debug)]
pub enum Input {
    /// No command: a person started the program
    About,
    /// VERSION, which needs no other input
    Version,
    /// A command for the agent
    Call(Box<Call>),
}

/// Holds a checked command. The agent is sent nothing that was not checked first.
#[derive(Debug)]
pub struct Call {
    /// CNI command
    pub action: Action,
    /// Arguments of the command
    pub args: CmdArgs,
    /// Network configuration, parsed from the arguments
    pub configuration: Configuration,
    /// The configuration's `cniVersion`, if it has one
    pub cni_version: Option<Version>,
    /// Settings of the plugin
    pub settings: Settings,
    /// Errors in the settings that the command tolerates
    pub ignored: Vec<settings::Error>,
}

/// Describes why the input was rejected.
#[derive(Debug)]
pub struct Rejected {
    /// The error
    pub error: Error,
    /// What the CNI error needs to know of the call
    pub context: ErrorContext,
}

/// Holds what a CNI error needs to know of the call that failed.
#[derive(Clone, Debug)]
pub struct ErrorContext {
    /// The configuration's `cniVersion` if it is supported, otherwise the newest
    pub cni_version: Version,
    /// Whether the command is DEL, because container runtimes interpret the text of its errors
    pub is_del: bool,
}

/// Reads and checks a command. Standard input must end within the command's timeout since
/// `started`.
///
/// # Errors
/// The first error, in the order of the Go skeleton.
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
        check_call(&command, args, node, &mut context.cni_version)
            .map(|call| Input::Call(Box::new(call)))
    })();
    input.map_err(|error| Rejected { error, context })
}

impl Call {
    /// Checks a command whose variables were checked already, or that does not come from a
    /// container runtime. The node's settings file is not read, because it is for the plugin only.
    ///
    /// # Errors
    /// As [`read_input`], except for standard input and variables.
    pub fn check(command: &Command, args: CmdArgs) -> Result<Self, Rejected> {
        let is_del = command.action == Some(Action::Del);
        let mut context = ErrorContext { cni_version: version::NEWEST, is_del };
        check_call(command, args, Default::default, &mut context.cni_version)
            .map_err(|error| Rejected { error, context })
    }

    /// Returns the timeouts of the command.
    pub fn timeouts(&self) -> Timeouts {
        Timeouts::for_action(self.action, &self.settings)
    }

    /// Returns whether this is a DEL that may succeed without an agent and is owed then. A
    /// container runtime may still name the network namespace of a container that is gone. If the
    /// settings do not tell the socket, the DEL could be owed to an agent that never comes.
    pub fn may_succeed_without_agent(&self) -> bool {
        let fails = self.settings.del_when_agent_down == DelWhenAgentDown::Fail;
        self.action == Action::Del
            && self.is_socket_known()
            && (!fails || netns::is_gone(&self.args.netns))
    }

    /// Returns whether the settings tell where the agent listens. A socket in the network configuration
    /// is in force whatever is wrong with the node's settings.
    fn is_socket_known(&self) -> bool {
        !self.ignored.iter().any(settings::Error::may_hide_socket)
            || self.configuration.has_valid_socket()
    }

    /// Returns what a CNI error needs to know of the call.
    pub fn error_context(&self) -> ErrorContext {
        let cni_version = self.configuration.version_for_errors();
        ErrorContext { cni_version, is_del: self.action == Action::Del }
    }
}

fn check_call(
    command: &Command,
    mut args: CmdArgs,
    node_settings: fn() -> (Settings, Vec<settings::Error>),
    version_for_errors: &mut Version,
) -> Result<Call, Error> {
    let configuration = Configuration::parse(&args.stdin_data)?;
    *version_for_errors = configuration.version_for_errors();
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

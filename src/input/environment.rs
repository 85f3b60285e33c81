// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Reads the `CNI_*` variables.

use std::ffi::OsString;

use super::error::Error;
use super::trace_context::TraceContext;
use crate::action::{Action, Command};

/// Longest interface name in bytes: the kernel's `IFNAMSIZ` without the NUL.
const MAX_INTERFACE_NAME_BYTES: usize = 15;

/// Looks up a variable, as [`std::env::var_os`] does.
pub type Environment<'a> = &'a dyn Fn(&str) -> Option<OsString>;

/// Holds what a container runtime passes to a plugin for one command.
///
/// This is the counterpart of `CmdArgs` in the Go skeleton. The fields hold the values of the
/// variables named beside them, and are empty if the variable is not set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CmdArgs {
    /// `CNI_CONTAINERID`
    pub container_id: String,
    /// `CNI_NETNS`: path of the network namespace
    pub netns: String,
    /// `CNI_IFNAME`
    pub ifname: String,
    /// `CNI_ARGS`: `KEY=VALUE;KEY=VALUE`
    pub args: String,
    /// `CNI_PATH`: folders with plugins, separated by colons
    pub path: String,
    /// Standard input: the network configuration, byte for byte
    pub stdin_data: Vec<u8>,
    /// `TRACEPARENT`, `TRACESTATE` and `BAGGAGE`
    pub trace: TraceContext,
}

/// Reads `CNI_COMMAND`. Returns `None` if it is not set, because a person started the program then.
///
/// # Errors
/// [`Error::NotUtf8`].
pub fn command(environment: Environment<'_>) -> Result<Option<Command>, Error> {
    let name = variable_text(environment, "CNI_COMMAND")?;
    Ok((!name.is_empty()).then(|| Command::new(name)))
}

/// Reads the other variables in the order of the Go skeleton. The first invalid value is reported
/// alone; otherwise all missing variables are reported together.
///
/// # Errors
/// [`Error::NotUtf8`], [`Error::ContainerId`], [`Error::InterfaceName`],
/// [`Error::MissingVariables`].
pub fn cmd_args(environment: Environment<'_>, command: &Command) -> Result<CmdArgs, Error> {
    let mut missing = Vec::new();
    let mut read = |variable, is_required, check: Check| -> Result<String, Error> {
        let value = variable_text(environment, variable)?;
        if is_required && value.is_empty() {
            missing.push(variable);
        } else if is_required {
            check(&value)?;
        }
        Ok(value)
    };
    // An unknown command requires nothing.
    let rules = command.action.map(Action::rules);
    let has_container = rules.as_ref().is_some_and(|it| it.has_container);
    let requires_netns = rules.as_ref().is_some_and(|it| it.requires_netns);
    let args = CmdArgs {
        container_id: read("CNI_CONTAINERID", has_container, check_container_id)?,
        netns: read("CNI_NETNS", requires_netns, |_| Ok(()))?,
        ifname: read("CNI_IFNAME", has_container, check_interface_name)?,
        args: read("CNI_ARGS", false, |_| Ok(()))?,
        path: read("CNI_PATH", rules.is_some(), |_| Ok(()))?,
        stdin_data: Vec::new(),
        trace: TraceContext::from_environment(environment),
    };
    if missing.is_empty() { Ok(args) } else { Err(Error::MissingVariables(missing)) }
}

/// Returns whether `CNI_NETNS_OVERRIDE` allows an ADD into the plugin's own network namespace, read
/// as the Go skeleton does.
pub fn own_netns_allowed(environment: Environment<'_>) -> bool {
    environment("CNI_NETNS_OVERRIDE")
        .is_some_and(|value| value == "1" || value.eq_ignore_ascii_case("true"))
}

fn variable_text(environment: Environment<'_>, variable: &'static str) -> Result<String, Error> {
    environment(variable).unwrap_or_default().into_string().map_err(|_| Error::NotUtf8(variable))
}

type Check = fn(&str) -> Result<(), Error>;

fn check_container_id(value: &str) -> Result<(), Error> {
    if is_identifier(value) { Ok(()) } else { Err(Error::ContainerId(value.to_owned())) }
}

fn check_interface_name(value: &str) -> Result<(), Error> {
    let reason = if value.len() > MAX_INTERFACE_NAME_BYTES {
        "at most 15 bytes are allowed"
    } else if matches!(value, "." | "..") {
        "it cannot be . or .."
    } else if value.contains(|c: char| matches!(c, '/' | ':') || c.is_whitespace()) {
        "'/', ':' and white space are not allowed"
    } else {
        return Ok(());
    };
    Err(Error::InterfaceName { name: value.to_owned(), reason })
}

/// Returns whether `value` has the specification's pattern for container ids and network names:
/// `[a-zA-Z0-9][a-zA-Z0-9_.-]*`.
pub(crate) fn is_identifier(value: &str) -> bool {
    value.starts_with(|c: char| c.is_ascii_alphanumeric())
        && value.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_follow_the_pattern_of_the_specification() {
        for good in ["a", "0", "a-_.b", "A..", &"a".repeat(4096)] {
            assert!(is_identifier(good), "{good}");
        }
        for bad in ["", ".a", "-a", "_a", "a b", "a/b", "a\n", "é", "a:b", "ａ"] {
            assert!(!is_identifier(bad), "{bad:?}");
        }
    }

    #[test]
    fn interface_names_are_what_the_kernel_takes() {
        for good in ["e", "eth0", "a.b", "123456789012345", "\u{200b}", "..."] {
            assert!(check_interface_name(good).is_ok(), "{good:?}");
        }
        for bad in [".", "..", "a/b", "a:b", "a b", "\u{2028}", "1234567890123456", "ééééééééa"]
        {
            assert!(check_interface_name(bad).is_err(), "{bad:?}");
        }
    }
}

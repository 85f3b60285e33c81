// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Implements `probe`: asks an agent what it can do, without an effect on the node.
//!
//! A message that no agent can decode shows whether a method is served, whatever cniVersions the
//! agent accepts. A CHECK of cniVersion 0.0.0 shows which cniVersions it accepts, because agents
//! list them when they refuse it (code 1).

mod conclusion;
mod report;
mod text;

use std::path::Path;
use std::time::{Duration, Instant};

use antrea_cni::api::Request;
use antrea_cni::client::{self, Node};
use antrea_cni::input::{CmdArgs, Configuration, Settings, TraceContext};
use antrea_cni::{Action, Api, ThisNode, grpc};
use semver::Version;

use self::report::{Capabilities, MethodReport, Peer, SocketFile};
use crate::cli::Probe;
use crate::commands::{owed, settings};
use crate::error::{Error, Exit};
use crate::{output, platform};

pub(crate) use self::report::{ApiReport, ProbeReport, State};

/// Default time limit of an answer.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(5);

/// A configuration that agents refuse.
const REFUSED: &str = r#"{"cniVersion":"0.0.0","name":"antrea-cnictl-probe","type":"antrea"}"#;

/// A configuration with which an agent that has STATUS reports its state.
const STATUS: &str = r#"{"cniVersion":"1.1.0","name":"antrea-cnictl-probe","type":"antrea"}"#;

pub(crate) fn run(arguments: &Probe, out: &mut impl std::io::Write) -> Result<Exit, Error> {
    let settings = settings::for_agent(&arguments.agent)?;
    let spinner = output::waiting(format!("asking the agent behind {}", settings.socket));
    let report = probe(&settings, arguments.timeout);
    spinner.finish_and_clear();
    output::answer(out, arguments.output, &report)?;
    Ok(report.exit())
}

/// Probes the agent behind the setting `socket`, and waits `timeout` for each answer.
pub(crate) fn probe(settings: &Settings, timeout: Duration) -> ProbeReport {
    let mut report = ProbeReport::new(Path::new(&settings.socket));
    match inspect_socket(settings, timeout, &mut report) {
        Ok(()) => ask_agent(settings, timeout, &mut report),
        Err(state) => report.state = state,
    }
    report.owed = owed::count(&settings.socket);
    report.conclude();
    report
}

/// Inspects the socket's file, and the process that listens on it.
fn inspect_socket(
    settings: &Settings,
    timeout: Duration,
    report: &mut ProbeReport,
) -> Result<(), State> {
    let file = platform::socket_file(&settings.socket).map_err(State::from_io_error)?;
    report.socket_file =
        file.map(|(uid, gid, mode)| SocketFile { uid, gid, mode: format!("{mode:04o}") });
    let started = Instant::now();
    // Like the plugin, the tool sends nothing to a process that it does not trust.
    let anybody = !settings.require_root_agent;
    let connected = grpc::connect(&settings.socket, anybody, false, started + timeout);
    let (_, peer) = connected.map_err(State::from_grpc_error)?;
    report.connect_milliseconds = Some(milliseconds(started.elapsed()));
    report.peer = Some(Peer { uid: platform::user(&peer), pid: peer.pid });
    Ok(())
}

fn ask_agent(settings: &Settings, timeout: Duration, report: &mut ProbeReport) {
    let trace = TraceContext::default();
    let node = ThisNode::new(settings, &trace);
    for api in Api::ALL {
        let mut found = ApiReport::new(api);
        for action in Action::ALL {
            let Some(method) = ask_if_served(api, action, &node, timeout) else { continue };
            let stuck = method.state == State::Silent;
            found.methods.push(method);
            // Each other method would take as long.
            if stuck {
                report.state = State::Silent;
                report.apis.push(found);
                return;
            }
        }
        report.apis.push(found);
    }
    if let Some(api) = Api::ALL.iter().find(|api| report.serves(api, Action::Check)) {
        call_method(api, Action::Check, REFUSED, &node, timeout, report);
    }
    let said = |api| client::capabilities(&node, api, node.now() + timeout).ok().flatten();
    if let Some(said) = Api::ALL.iter().find_map(said) {
        report.set_cni_versions(
            said.cni_versions.iter().filter_map(|text| text.parse().ok()).collect(),
        );
        report.capabilities = Some(Capabilities::from(said));
    }
    if let Some(api) = Api::ALL.iter().find(|api| report.serves(api, Action::Status)) {
        report.status = call_method(api, Action::Status, STATUS, &node, timeout, report);
    }
}

/// Asks whether a method is served. Returns `None` if the API lacks the command.
fn ask_if_served(
    api: &Api,
    action: Action,
    node: &ThisNode<'_>,
    timeout: Duration,
) -> Option<MethodReport> {
    let method = (api.method)(action)?.name.to_owned();
    let started = Instant::now();
    let answer = client::probe_method(node, api, action, started + timeout);
    let elapsed = milliseconds(started.elapsed());
    let (state, message) = answer.map_or_else(state_of, |()| (State::Served, None));
    Some(MethodReport { method, state, message, milliseconds: elapsed })
}

/// Makes one call and describes its answer. Returns `None` if the API lacks the command.
fn call_method(
    api: &Api,
    action: Action,
    configuration: &str,
    node: &ThisNode<'_>,
    timeout: Duration,
    report: &mut ProbeReport,
) -> Option<MethodReport> {
    let method = (api.method)(action)?.name.to_owned();
    let parsed = Configuration::parse(configuration.as_bytes()).ok()?;
    let args = CmdArgs {
        container_id: "antrea-cnictl-probe".to_owned(),
        ifname: "probe0".to_owned(),
        stdin_data: configuration.into(),
        ..CmdArgs::default()
    };
    let request = Request { action, args: &args, configuration: &parsed, cni_version: None };
    let started = Instant::now();
    let answer = client::call_one_api(node, api, &request, started + timeout);
    let elapsed = milliseconds(started.elapsed());
    let (state, message) = match answer {
        Ok(response) => match response.error {
            None => (State::Served, None),
            // An agent that refuses this cniVersion still serves ADD, which the plugin translates.
            Some(error) if error.is_refused_version() => {
                if configuration == REFUSED {
                    report.set_cni_versions(parse_accepted(&error.message));
                }
                (State::Served, None)
            }
            Some(error) => (State::Served, Some(format!("code {}: {}", error.code, error.message))),
        },
        Err(error) => state_of(error),
    };
    Some(MethodReport { method, state, message, milliseconds: elapsed })
}

fn state_of(error: client::Error) -> (State, Option<String>) {
    match error {
        error if error.is_unimplemented() => (State::Unimplemented, None),
        client::Error::Call(grpc::Error::Deadline) => (State::Silent, None),
        error => (State::Failed, Some(error_text(&error))),
    }
}

/// Returns an error as text, with the transport's own text if there is one.
fn error_text(error: &client::Error) -> String {
    match error {
        client::Error::Call(grpc::Error::ConnectionLost(why) | grpc::Error::NoValidReply(why)) => {
            why.clone()
        }
        other => other.to_string(),
    }
}

/// Returns the cniVersions in an error such as `Unsupported CNI version [0.0.0], supported versions
/// [0.1.0 0.2.0]`. Older agents separate them by commas.
fn parse_accepted(message: &str) -> Vec<Version> {
    let list = message.rsplit('[').next().and_then(|rest| rest.split(']').next());
    let words = list.unwrap_or_default().split([' ', ',']);
    words.filter_map(|word| word.parse().ok()).filter(|it| *it != Version::new(0, 0, 0)).collect()
}

fn milliseconds(elapsed: Duration) -> f64 {
    (elapsed.as_secs_f64() * 1e6).round() / 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_both_forms_of_the_refusal() {
        let expected = [Version::new(0, 4, 0), Version::new(1, 0, 0)];
        for list in ["0.4.0 1.0.0", "0.4.0,1.0.0", "0.4.0, 1.0.0"] {
            let text = format!("Unsupported CNI version [0.0.0], supported versions [{list}]");
            assert_eq!(parse_accepted(&text), expected, "{list}");
        }
        assert!(parse_accepted("unsupported version [0.0.0]").is_empty());
        assert!(parse_accepted("").is_empty());
    }
}

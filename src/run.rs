// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Runs the stages of the program, from the container runtime's input to standard output.

use std::time::Instant;

use bytes::Bytes;

use crate::action::{Action, Command};
use crate::client::{self, CallLog, Node};
use crate::cni_error::CniError;
use crate::input::{self, Call, CmdArgs, Environment, Input, Source};
use crate::log;
use crate::moment::Moment;
use crate::outcome::{Memory, Outcome};
use crate::output::Output;
use crate::platform::netns;
use crate::this_node::ThisNode;

/// Runs the plugin for one command. It never panics and never prints.
pub fn run(environment: Environment<'_>, stdin: &mut dyn Source) -> Output {
    let started = Instant::now();
    let result = match input::read_input(environment, stdin, started) {
        Ok(Input::About) => return Output::about(),
        Ok(Input::Version) => return Output::version(),
        Ok(Input::Call(call)) => {
            perform(&call, input::environment::own_netns_allowed(environment), started)
        }
        Err(rejected) => Err(CniError::rejected(rejected)),
    };
    match result {
        Ok(result) => Output::success(result),
        Err(error) => Output::failure(&error),
    }
}

impl Action {
    /// Asks the agent to do the command and returns the bytes for standard output: the agent's
    /// result for ADD, nothing for the other commands.
    ///
    /// This is the counterpart of the Go package's `Action.Request`. It checks the configuration in
    /// `args`, but not the values of the `CNI_*` variables; [`run`] checks those of a container
    /// runtime. It blocks until there is an answer, or until the command's timeout.
    ///
    /// # Errors
    /// The CNI error, which is either the agent's own or one of the plugin's.
    ///
    /// # Examples
    /// ```
    /// use antrea_cni::{Action, CmdArgs};
    ///
    /// let configuration = br#"{"cniVersion": "1.1.0", "name": "antrea", "type": "antrea",
    ///     "antreaCni": {"socket": "/nowhere/cni.sock", "waitForAgentSeconds": 0}}"#;
    /// let args = CmdArgs {
    ///     container_id: "c0ffee".to_owned(),
    ///     netns: "/var/run/netns/c0ffee".to_owned(),
    ///     ifname: "eth0".to_owned(),
    ///     stdin_data: configuration.to_vec(),
    ///     ..CmdArgs::default()
    /// };
    /// let error = Action::Add.request(&args).unwrap_err();
    /// assert_eq!(error.code, 11);
    /// assert!(error.msg.starts_with("antrea-agent cannot be reached"));
    /// ```
    #[doc(alias = "Request")]
    pub fn request(self, args: &CmdArgs) -> Result<Bytes, CniError> {
        let started = Instant::now();
        let call = Call::check(&Command::from(self), args.clone()).map_err(CniError::rejected)?;
        perform(&call, true, started)
    }
}

/// Does a checked command, remembers whether the agent is ready, and logs the call.
fn perform(call: &Call, own_netns_allowed: bool, started: Instant) -> Result<Bytes, CniError> {
    let mut call_log = CallLog::default();
    let Outcome { result, note, memory } = match check_netns(call, own_netns_allowed) {
        Ok(netns) => {
            let node = ThisNode::new(&call.settings, &call.args.trace).with_netns(netns);
            ask_and_interpret(&node, call, started, &mut call_log)
        }
        Err(rejected) => Outcome::failed(rejected.into()),
    };
    match memory {
        Memory::Seen => Moment::AgentSeen.record(&call.settings.socket),
        Memory::NotReady => Moment::AgentSeen.forget(&call.settings.socket),
        Memory::Unchanged => (),
    }
    log::log_call(call, &call_log, &result, note);
    result.map_err(|error| {
        CniError::new(&error, &call.error_context(), &call.settings.socket, &call_log)
    })
}

/// Asks the agent and interprets its answer. Records each RPC in `call_log`.
pub fn ask_and_interpret(
    node: &impl Node,
    call: &Call,
    started: Instant,
    call_log: &mut CallLog,
) -> Outcome {
    let answer = client::ask_agent(node, call, started, call_log);
    Outcome::interpret(node, call, answer)
}

/// Returns the network namespace of an ADD. Refuses the one that the plugin itself runs in. If the
/// path cannot be examined, the agent is asked all the same, because its error says what is wrong.
fn check_netns(call: &Call, own_is_allowed: bool) -> Result<Option<netns::Identity>, input::Error> {
    let path = &call.args.netns;
    if call.action != Action::Add {
        return Ok(None);
    }
    let netns = netns::Identity::at_path(path);
    match !own_is_allowed && netns.is_some_and(netns::Identity::is_own) {
        true => Err(input::Error::OwnNetns(path.clone())),
        false => Ok(netns),
    }
}

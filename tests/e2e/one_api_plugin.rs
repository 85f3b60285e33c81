// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! A plugin as others are, for tests beside it: it speaks one API of the agent, tries once
//! and never waits. The API is v1beta1, or the one that the last line of the plugin's own
//! file names (`printf '\n%s' vmware >>one_api_plugin`).
#![expect(clippy::print_stdout, reason = "a plugin")]

use std::process::ExitCode;
use std::time::{Duration, Instant};

use antrea_cni::api::Request;
use antrea_cni::client::call_one_api;
use antrea_cni::input::{self, Input, Stdin};
use antrea_cni::{Action, Api, ThisNode};
use serde_json::json;

fn main() -> ExitCode {
    let started = Instant::now();
    let call = match input::read_input(&|name| std::env::var_os(name), &mut Stdin, started) {
        Ok(Input::Call(call)) => call,
        Ok(Input::Version) => {
            println!(
                "{}",
                json!({"cniVersion": "1.0.0", "supportedVersions": ["0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"]})
            );
            return ExitCode::SUCCESS;
        }
        Ok(Input::About) => return ExitCode::SUCCESS,
        Err(refused) => return failure(7, &refused.error.to_string()),
    };
    if matches!(call.action, Action::Status | Action::Gc) {
        return ExitCode::SUCCESS; // without a question, as Antrea's does
    }
    let node = ThisNode::new(&call.settings, &call.args.trace);
    let limit = started + Duration::from_secs(60);
    match call_one_api(&node, spoken(), &Request::from(&*call), limit) {
        Ok(response) => match response.error {
            Some(error) => failure(error.code.unsigned_abs(), &error.message),
            None => {
                print!("{}", String::from_utf8_lossy(&response.result));
                ExitCode::SUCCESS
            }
        },
        Err(error) => failure(202, &error.to_string()),
    }
}

fn spoken() -> &'static Api {
    let file = std::env::current_exe().and_then(std::fs::read).unwrap_or_default();
    let last_line = file.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
    Api::ALL.iter().find(|api| api.name.as_bytes() == last_line).unwrap_or(&Api::V1BETA1)
}

fn failure(code: u32, text: &str) -> ExitCode {
    println!(
        "{}",
        json!({"cniVersion": "1.0.0", "code": code, "msg": format!("the other plugin: {text}")})
    );
    ExitCode::FAILURE
}

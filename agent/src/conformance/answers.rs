// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Checks the answers of the agent.

use antrea_cni::api::{AgentError, Response};
use antrea_cni::client;
use serde_json::Value;

pub(super) type Answer = Result<Response, client::Error>;

pub(super) fn expect(holds: bool, why: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(why()) }
}

/// Returns the error in the reply, which must have `code` if one is given.
pub(super) fn expect_error(answer: Answer, code: Option<i32>) -> Result<AgentError, String> {
    let error = answer.map_err(|error| error.to_string())?.error.ok_or("it succeeded")?;
    match code {
        Some(code) if error.code != code => {
            Err(format!("code {} instead of {code}: {}", error.code, error.message))
        }
        _ => Ok(error),
    }
}

pub(super) fn expect_success(answer: Answer) -> Result<(), String> {
    match answer.map_err(|error| error.to_string())?.error {
        Some(error) => Err(format!("code {}: {}", error.code, error.message)),
        None => Ok(()),
    }
}

/// Returns the result, which must be one JSON object.
pub(super) fn expect_object(answer: Answer) -> Result<Value, String> {
    let result = match answer {
        Ok(Response { result, error: None }) => result,
        other => return Err(expect_success(other).err().unwrap_or_default()),
    };
    match serde_json::from_slice(&result) {
        Ok(Value::Object(members)) => Ok(Value::Object(members)),
        _ => Err(format!("no JSON object: {}", String::from_utf8_lossy(&result))),
    }
}

// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Runs a real CNI plugin in place of Open vSwitch, so that a Pod gets a real network.

use std::path::Path;
use std::process::Stdio;

use serde_json::{Map, Value};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use crate::proto::CniCmdArgs;
use crate::script::InBandError;

/// Runs the plugin that `delegate` names by `type`, with the rest of `delegate`
/// as its configuration.
pub(crate) async fn run(
    folder: &Path,
    command: &str,
    args: &CniCmdArgs,
    configuration: &Map<String, Value>,
    delegate: &Value,
) -> Result<Vec<u8>, InBandError> {
    let mut input = delegate.as_object().cloned().unwrap_or_default();
    for key in ["cniVersion", "name", "prevResult", "runtimeConfig"] {
        if let Some(value) = configuration.get(key) {
            input.insert(key.to_owned(), value.clone());
        }
    }
    let plugin = input.get("type").and_then(Value::as_str).unwrap_or_default();
    if plugin.is_empty() || plugin.contains('/') {
        return Err(InBandError::new(7, "delegate.type must be the name of a plugin"));
    }
    let failed = |why| InBandError::new(102, format!("cannot run plugin {plugin}: {why}"));
    let input_json = serde_json::to_vec(&input).map_err(|why| failed(why.to_string()))?;
    let mut child = Command::new(folder.join(plugin))
        .env("CNI_COMMAND", command)
        .env("CNI_CONTAINERID", &args.container_id)
        .env("CNI_NETNS", &args.netns)
        .env("CNI_IFNAME", &args.ifname)
        .env("CNI_ARGS", &args.args)
        .env("CNI_PATH", format!("{}:{}", folder.display(), args.path))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .map_err(|why| failed(why.to_string()))?;
    if let Some(mut stdin) = child.stdin.take() {
        let _ = stdin.write_all(&input_json).await;
    }
    let output = child.wait_with_output().await.map_err(|why| failed(why.to_string()))?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let document: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    let code = document.get("code").and_then(Value::as_i64);
    let message = document.get("msg").and_then(Value::as_str);
    Err(InBandError::new(
        code.and_then(|code| i32::try_from(code).ok()).unwrap_or(102),
        message.map_or_else(|| failed(output.status.to_string()).message, str::to_owned),
    ))
}

// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Creates real links in a container's network namespace, in place of Open vSwitch's.

use tokio::process::Command;

use crate::script::InBandError;

/// Creates a link. If it exists already, that is an error, as with real agents.
pub(crate) async fn add(netns: &str, ifname: &str) -> Result<(), InBandError> {
    let peer = format!("{ifname}-peer");
    ip(netns, &["link", "add", ifname, "type", "veth", "peer", "name", &peer]).await
}

/// Removes a link.
pub(crate) async fn remove(netns: &str, ifname: &str) -> Result<(), InBandError> {
    ip(netns, &["link", "del", ifname]).await
}

async fn ip(netns: &str, arguments: &[&str]) -> Result<(), InBandError> {
    let failed = |why: String| InBandError::new(102, format!("cannot configure the link: {why}"));
    let output = Command::new("nsenter")
        .arg(format!("--net={netns}"))
        .arg("ip")
        .args(arguments)
        .output()
        .await
        .map_err(|error| failed(error.to_string()))?;
    if output.status.success() {
        return Ok(());
    }
    Err(failed(String::from_utf8_lossy(&output.stderr).trim().to_owned()))
}

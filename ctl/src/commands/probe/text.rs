// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Shows the result of a probe as text.

use std::fmt;

use super::report::{ApiReport, Capabilities, MethodReport, Peer, ProbeReport, SocketFile, State};
use crate::style::{BAD, GOOD, TITLE, WEAK, plain};

impl fmt::Display for ProbeReport {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let style = if self.ready { GOOD } else { BAD };
        writeln!(out, "{style}{}{style:#}.", plain(&self.sentence))?;
        let file = self.socket_file.as_ref().map(|SocketFile { uid, gid, mode }| {
            format!("socket {}: owner {uid}:{gid}, mode {mode}", self.socket)
        });
        let peer = self.peer.as_ref().map(|Peer { uid, pid }| {
            let uid = uid.map(|uid| format!("user {uid}"));
            let pid = pid.map(|pid| format!("process {pid}"));
            format!("served by {}", uid.into_iter().chain(pid).collect::<Vec<_>>().join(", "))
        });
        let there: Vec<_> = file.into_iter().chain(peer).collect();
        if !there.is_empty() {
            writeln!(out, "\n{}", there.join("; "))?;
        }
        if !self.cni_versions.is_empty() {
            let versions: Vec<_> = self.cni_versions.iter().map(ToString::to_string).collect();
            writeln!(out, "accepts cniVersion {}", versions.join(", "))?;
        }
        if let Some(Capabilities { api_version, agent_version, rpcs }) = &self.capabilities {
            let rpcs = rpcs.join(" ");
            let said = format!("agent {agent_version}, API {api_version}, {rpcs}");
            writeln!(out, "says of itself: {}", plain(&said))?;
        }
        if let Some(status) = &self.status {
            let said = status.why_not_ready().unwrap_or("ready");
            writeln!(out, "answers STATUS: {}", plain(said))?;
        }
        if self.owed > 0 {
            writeln!(out, "DELs that are owed to it: {} (antrea-cnictl owed)", self.owed)?;
        }
        for api in &self.apis {
            let of = match &api.releases {
                Some([first, last]) => format!("antrea-agent {first} to {last}"),
                None => "no release so far".to_owned(),
            };
            let ApiReport { package, version, .. } = api;
            writeln!(out, "\n{TITLE}{package}{TITLE:#} {WEAK}({version}; {of}){WEAK:#}")?;
            if api.is_absent() {
                let normal =
                    if api.releases.is_none() { " (normal: no release has it)" } else { "" };
                writeln!(out, "  not in this agent: UNIMPLEMENTED{normal}")?;
                continue;
            }
            for method in &api.methods {
                writeln!(out, "  {method}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for MethodReport {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (style, text) = match &self.state {
            State::Served => (GOOD, "served"),
            State::Unimplemented => (WEAK, "UNIMPLEMENTED"),
            State::Silent => (BAD, "no answer"),
            _ => (BAD, "error"),
        };
        let Self { method, milliseconds, .. } = self;
        write!(out, "{method:<10} {style}{text:<14}{style:#} {milliseconds:>8.3} ms")?;
        match &self.message {
            Some(message) => write!(out, "  {}", plain(message)),
            None => Ok(()),
        }
    }
}

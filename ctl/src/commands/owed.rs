// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Implements `owed`: lists or drops the owed DELs.

use std::fmt;
use std::io::{self, Write};
use std::path::PathBuf;
use std::time::SystemTime;

use antrea_cni::OwedFolder;
use antrea_cni::client::OwedDels;
use jiff::Timestamp;
use serde::Serialize;

use crate::cli::Owed as Arguments;
use crate::commands::settings;
use crate::error::{Error, Exit};
use crate::output;
use crate::style::{TITLE, plain};

pub(crate) fn run(arguments: &Arguments, out: &mut impl Write) -> Result<Exit, Error> {
    let socket = settings::for_agent(&arguments.agent)?.socket;
    let report = OwedReport::list(socket, arguments.drop)?;
    output::answer(out, arguments.output, &report)?;
    Ok(Exit::Success)
}

/// Returns the number of DELs that are owed to the agent behind a socket.
pub(crate) fn count(socket: &str) -> usize {
    let opened = OwedFolder::open(socket).ok().flatten();
    opened.and_then(|owed| owed.entries().ok()).unwrap_or_default().len()
}

/// Lists the owed DELs.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct OwedReport {
    /// Socket of the agent that they are owed to
    socket: String,
    /// The owed DELs
    owed: Vec<Del>,
    /// Whether this command dropped them
    dropped: bool,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Del {
    /// `CONTAINER@INTERFACE`
    key: String,
    /// Time from which on the plugin sends it
    due: Option<Timestamp>,
}

impl OwedReport {
    fn list(socket: String, drop: bool) -> Result<Self, Error> {
        let folder = PathBuf::from(OwedFolder::folder(&socket).unwrap_or_default());
        let Some(owed) = OwedFolder::open(&socket).map_err(Error::file("look at", &folder))? else {
            return Ok(Self { socket, owed: Vec::new(), dropped: false });
        };
        if drop && !owed.try_lock() {
            return Err(Error::OwedAreSent);
        }
        let entries = owed.entries().map_err(Error::file("read", &folder))?;
        if drop && !entries.iter().all(|entry| owed.remove(entry)) {
            let why = io::Error::other(
                "it may be mounted read-only in this container: run the command on the node, as root",
            );
            return Err(Error::file("remove all files in", &folder)(why));
        }
        let del = |entry: &antrea_cni::Entry| Del {
            key: entry.key().to_owned(),
            due: Timestamp::try_from(SystemTime::UNIX_EPOCH + entry.due()).ok(),
        };
        Ok(Self { socket, owed: entries.iter().map(del).collect(), dropped: drop })
    }
}

impl fmt::Display for OwedReport {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { socket, owed, dropped } = self;
        for Del { key, due } in owed {
            let due = due.map(|due| due.to_string()).unwrap_or_default();
            writeln!(out, "{TITLE}{}{TITLE:#}  due {due}", plain(key))?;
        }
        let (count, socket) = (owed.len(), plain(socket));
        match dropped {
            true => writeln!(out, "{count} dropped: the plugin does not send them"),
            false => writeln!(out, "{count} owed to the agent behind {socket}"),
        }
    }
}

// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Records what the agent was asked and what it did.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Serialize, Serializer};

/// Holds one line of the journal.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "lowercase")]
pub enum Entry {
    /// A call came in
    Call(Box<Call>),
    /// A command took effect
    Effect(Effect),
}

/// Describes a call as it was received.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Call {
    /// Seconds since 1970
    pub time: f64,
    /// Path of the method
    pub path: String,
    /// Whether a handler received it; if not, nothing more is known of the call
    pub served: bool,
    /// Whether the agent has the method but could not decode the message
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub broken: bool,
    /// `grpc-timeout` as it was sent
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<String>,
    /// `:authority`
    pub authority: String,
    /// The other metadata
    pub metadata: BTreeMap<String, String>,
    /// `container_id`
    pub container_id: String,
    /// `netns`
    pub netns: String,
    /// `ifname`
    pub ifname: String,
    /// `args`
    pub args: String,
    /// `path` of the arguments
    pub cni_path: String,
    /// `network_configuration` as text, or in base64 after `base64:`
    #[serde(serialize_with = "text_or_base64")]
    pub network_configuration: Vec<u8>,
}

/// Describes a change of the attachments.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Effect {
    /// Seconds since 1970
    pub time: f64,
    /// `ADD`, `DEL` or `GC`
    pub command: &'static str,
    /// Container of the interface
    pub container_id: String,
}

/// Returns the seconds since 1970.
pub(crate) fn unix_seconds() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}

fn text_or_base64<S: Serializer>(bytes: &[u8], out: S) -> Result<S::Ok, S::Error> {
    match std::str::from_utf8(bytes) {
        Ok(text) => out.serialize_str(text),
        Err(_) => out.serialize_str(&format!("base64:{}", STANDARD.encode(bytes))),
    }
}

/// Keeps entries in memory, and in a file if there is one.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    entries: Mutex<Vec<Entry>>,
    file: Option<File>,
}

impl Journal {
    pub(crate) fn open(file: Option<&Path>) -> io::Result<Self> {
        let open = |path| OpenOptions::new().create(true).append(true).open(path);
        Ok(Self { entries: Mutex::default(), file: file.map(open).transpose()? })
    }

    pub(crate) fn write(&self, entry: Entry) {
        if let (Some(mut file), Ok(mut line)) = (self.file.as_ref(), serde_json::to_vec(&entry)) {
            line.push(b'\n');
            // Each line is one write, so that several agents can share a file.
            let _ = file.write_all(&line);
        }
        self.entries.lock().unwrap_or_else(PoisonError::into_inner).push(entry);
    }

    pub(crate) fn entries(&self) -> Vec<Entry> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Writes the log: one line of JSON for each call, if the settings ask for it.

mod event;
mod file;
mod time;

use bytes::Bytes;

pub use self::event::{Event, TriedRpc};
pub use self::file::ROTATED;

use crate::action::Action;
use crate::client::CallLog;
use crate::error::Error;
use crate::input::Call;
use crate::input::settings::{LogLevel, Settings};
use crate::outcome::Note;
use crate::platform::files;

/// Logs a call, if the settings ask for it. A log that cannot be written never fails a call.
pub(crate) fn log_call(
    call: &Call,
    call_log: &CallLog,
    result: &Result<Bytes, Error>,
    note: Option<Note>,
) {
    let Settings { log_file: Some(path), log_level, log_max_bytes, .. } = &call.settings else {
        return;
    };
    // A lost DEL is a success only for the container runtime.
    let is_well =
        result.is_ok() && note != Some(Note::Lost) && call_log.settled_dels.errors.is_empty();
    let is_wanted = match log_level {
        LogLevel::Debug => true,
        LogLevel::Info => !is_well || call.action != Action::Status,
        LogLevel::Error => !is_well,
    };
    if !is_wanted {
        return;
    }
    let event = event::describe_call(call, call_log, result, note);
    let Ok(mut line) = serde_json::to_vec(&event) else { return };
    line.push(b'\n');
    files::block_sigxfsz();
    let _ = file::append(path, &line, *log_max_bytes);
}

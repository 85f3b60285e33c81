//! Writes the log: one line of JSON for each call, if the settings ask for it.

mod event;
mod file;
mod time;

use bytes::Bytes;

use crate::client::CallLog;
use crate::error::Error;
use crate::input::Call;
use crate::input::settings::LogLevel;
use crate::outcome::Note;
use crate::platform::files;

pub use self::file::MAX_BYTES;

/// Logs a call, if the settings ask for it. A log that cannot be written never fails a call.
pub(crate) fn log_call(
    call: &Call,
    call_log: &CallLog,
    result: &Result<Bytes, Error>,
    note: Option<Note>,
) {
    let Some(path) = &call.settings.log_file else { return };
    // A lost DEL is a success only for the container runtime.
    let is_well = result.is_ok() && note != Some(Note::Lost);
    if call.settings.log_level == LogLevel::Error && is_well {
        return;
    }
    let event = event::describe_call(call, call_log, result.as_ref().err(), note);
    let Ok(mut line) = serde_json::to_vec(&event) else { return };
    line.push(b'\n');
    files::block_sigxfsz();
    let _ = file::append(path, &line);
}

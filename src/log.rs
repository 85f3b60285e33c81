//! The log: one line of JSON a call, if it is wanted.

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

/// Writes the event of a call, if the settings want it. A log that cannot be
/// written never fails a call.
pub(crate) fn write(
    call: &Call,
    call_log: &CallLog,
    result: &Result<Bytes, Error>,
    note: Option<Note>,
) {
    let Some(path) = &call.settings.log_file else { return };
    // A DEL that is lost is a success for the runtime alone.
    let is_well = result.is_ok() && note != Some(Note::Lost);
    if call.settings.log_level == LogLevel::Error && is_well {
        return;
    }
    let event = event::event(call, call_log, result.as_ref().err(), note);
    let Ok(mut line) = serde_json::to_vec(&event) else { return };
    line.push(b'\n');
    files::block_sigxfsz();
    let _ = file::append(path, &line);
}

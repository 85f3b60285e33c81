//! The log file: one wide event a call, as one line of JSON, written with one
//! write. A log that cannot be written never fails a call.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use nix::fcntl::OFlag;
use nix::sys::signal::{SigSet, Signal};
use serde::{Serialize, Serializer};

use crate::Action;
use crate::error::Error;
use crate::input::Settings;
use crate::input::settings::LogLevel;
use crate::ladder::delivery::Trace;
use crate::ladder::{Outcome, Request, Tried};

/// Size of the log file in bytes at which it becomes `<logFile>.1`.
pub const MAX_BYTES: u64 = 10 << 20;

/// Longest text in an event, in bytes: what others say has no bound.
const MAX_TEXT_BYTES: usize = 1024;

/// Most calls of the agent in an event: the last ones.
const MAX_TRIED: usize = 16;

/// Writes the event of a call, if the settings want it.
pub(crate) fn write(
    request: &Request<'_>,
    settings: &Settings,
    trace: &Trace,
    result: &Result<Bytes, Error>,
) {
    let Some(path) = &settings.log_file else { return };
    if settings.log_level == LogLevel::Error && result.is_ok() {
        return;
    }
    let Ok(mut line) = serde_json::to_vec(&event(request, settings, trace, result)) else { return };
    line.push(b'\n');
    // A limit of file sizes is then an error of the write, and not the end of us.
    let _ = SigSet::from(Signal::SIGXFSZ).thread_block();
    let _ = append(path, &line);
}

/// What is known of a call. Never the configuration, never the environment.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Event<'a> {
    /// RFC 3339; the first member, so that readers find where an event starts
    time: String,
    command: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    container: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    pod_namespace: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    pod_name: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    pod_uid: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    interface: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    netns: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    cni_version: Option<String>,
    socket: &'a str,
    tried: Vec<Call<'a>>,
    attempts: u32,
    /// Code of the error document, 0 for success
    code: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<&'static str>,
    #[serde(serialize_with = "milliseconds")]
    milliseconds: Duration,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_id: Option<&'a str>,
}

/// One RPC and its answer: `code` of the reply, or the `status` that came
/// instead.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Call<'a> {
    attempt: u32,
    command: &'static str,
    api: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    cni_version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<&'a str>,
    #[serde(serialize_with = "milliseconds")]
    milliseconds: Duration,
}

fn event<'a>(
    request: &Request<'a>,
    settings: &'a Settings,
    trace: &'a Trace,
    result: &Result<Bytes, Error>,
) -> Event<'a> {
    let args = request.args;
    let pod = |key| clip(value_of(&args.args, key));
    let error = result.as_ref().err();
    Event {
        time: rfc3339(SystemTime::now()),
        command: request.action.name(),
        container: clip(&args.container_id),
        pod_namespace: pod("K8S_POD_NAMESPACE"),
        pod_name: pod("K8S_POD_NAME"),
        pod_uid: pod("K8S_POD_UID"),
        interface: clip(&args.ifname),
        netns: clip(&args.netns),
        cni_version: request.cni_version.map(ToString::to_string),
        socket: &settings.socket,
        tried: trace
            .tried
            .iter()
            .skip(trace.tried.len().saturating_sub(MAX_TRIED))
            .map(call)
            .collect(),
        attempts: trace.attempts,
        code: error.map_or(0, Error::code),
        message: error.map(|error| clip(&error.to_string()).to_owned()),
        note: if error.is_none() { note(request.action, trace) } else { None },
        milliseconds: trace.elapsed,
        trace_id: args.trace.trace_id(),
    }
}

fn call(tried: &Tried) -> Call<'_> {
    let (code, status) = match &tried.outcome {
        Outcome::Reply(code) => (Some(*code), None),
        Outcome::Status(status) => (None, Some(clip(status))),
        Outcome::Silence => (None, Some("no answer")),
    };
    Call {
        attempt: tried.attempt,
        command: tried.action.name(),
        api: tried.package,
        cni_version: tried.cni_version.as_ref().map(ToString::to_string),
        code,
        status,
        milliseconds: tried.elapsed,
    }
}

/// Why a command succeeded that no agent did.
fn note(action: Action, trace: &Trace) -> Option<&'static str> {
    match (action, trace.tried.last().map(|tried| &tried.outcome)) {
        (_, Some(Outcome::Reply(_))) => None,
        (Action::Del, _) => Some("no agent was reached: the next one removes what is left"),
        (Action::Gc, _) => Some("the agent has no GC: nothing was done"),
        (Action::Status, Some(Outcome::Status(_))) => Some("the agent has no STATUS: it answers"),
        (Action::Status, _) => Some("no answer: the agent was seen a moment ago"),
        _ => None,
    }
}

/// The value of `key` in `CNI_ARGS`.
fn value_of<'a>(args: &'a str, key: &str) -> &'a str {
    let mut pairs = args.split(';').filter_map(|pair| pair.split_once('='));
    pairs.find(|(name, _)| *name == key).map_or("", |(_, value)| value)
}

fn clip(text: &str) -> &str {
    text.get(..text.floor_char_boundary(MAX_TEXT_BYTES)).unwrap_or_default()
}

fn milliseconds<S: Serializer>(duration: &Duration, out: S) -> Result<S::Ok, S::Error> {
    let microseconds = u32::try_from(duration.as_micros()).unwrap_or(u32::MAX);
    out.serialize_f64(f64::from(microseconds) / 1000.0)
}

/// A time in UTC, to the microsecond.
fn rfc3339(time: SystemTime) -> String {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    let (days, second) = (since.as_secs() / 86_400, since.as_secs() % 86_400);
    // Days to a date: Howard Hinnant, "chrono-Compatible Low-Level Date
    // Algorithms". Years start in March there.
    let day = days + 719_468;
    let (era, day) = (day / 146_097, day % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    let year = era * 400 + year + next;
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    let micros = since.subsec_micros();
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{micros:06}Z")
}

/// Appends a line. Writers of one file need no lock: each line is one write at
/// the end of the file, wherever that is by then.
fn append(path: &str, line: &[u8]) -> io::Result<()> {
    loop {
        let mut file = open(path)?;
        let metadata = file.metadata()?;
        // A link would lead the bytes, and rotation, into somebody's file.
        if !metadata.is_file() || metadata.nlink() > 1 {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let full = metadata.len() + line.len() as u64 > MAX_BYTES && metadata.len() > 0;
        if full && rotate(path, &file, metadata.ino())? {
            continue;
        }
        // A second write would not be at the same place.
        let written = file.write(line)?;
        // Between opening and writing the file may have been rotated away twice.
        if written == line.len() && file.metadata()?.nlink() == 0 {
            continue;
        }
        return Ok(());
    }
}

fn open(path: &str) -> io::Result<File> {
    OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .custom_flags((OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK).bits())
        .open(path)
}

/// Makes the file that was opened the old one. Whether there is a new one now;
/// not while somebody else does it.
fn rotate(path: &str, file: &File, inode: u64) -> io::Result<bool> {
    if file.try_lock().is_err() {
        return Ok(false);
    }
    if fs::symlink_metadata(path).is_ok_and(|there| there.ino() == inode) {
        fs::rename(path, format!("{path}.1"))?;
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_the_calendar() {
        for (seconds, expected) in [
            (0, "1970-01-01T00:00:00.000000Z"),
            (951_782_399, "2000-02-28T23:59:59.000000Z"),
            (951_782_400, "2000-02-29T00:00:00.000000Z"),
            (1_709_251_199, "2024-02-29T23:59:59.000000Z"),
            (1_735_689_599, "2024-12-31T23:59:59.000000Z"),
            (4_107_542_400, "2100-03-01T00:00:00.000000Z"),
        ] {
            assert_eq!(rfc3339(UNIX_EPOCH + Duration::from_secs(seconds)), expected);
        }
    }

    #[test]
    fn texts_are_cut_between_characters() {
        assert_eq!(clip(&"é".repeat(600)).len(), 1024);
        assert_eq!(clip(&format!("a{}", "é".repeat(600))).len(), 1023);
    }
}

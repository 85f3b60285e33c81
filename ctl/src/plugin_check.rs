// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Starts a plugin to check whether it works.

use std::fmt;
use std::fs;
use std::io;
use std::path::Path;
use std::process::{Output, Stdio};
use std::time::Duration;

use antrea_cni::input::settings::Error as Wrong;
use antrea_cni::input::{Settings, node_settings};
use antrea_cni::{Action, TYPE, error_codes};
use object::{File, Object, ObjectSegment};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;
use tokio::time::timeout;

use crate::error::Error;
use crate::{files, platform};

/// Time limit of a plugin that is installed or checked.
pub(crate) const LIMIT: Duration = Duration::from_secs(10);

/// Time limit in `status`, which a readiness probe calls every few seconds.
pub(crate) const STATUS_LIMIT: Duration = Duration::from_secs(1);

/// Why an existing program cannot be started.
const CANNOT_LOAD: &str = "its loader or its interpreter is not there: is it linked against libraries that this node lacks?";

/// Describes the answer to VERSION.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Version {
    supported_versions: Vec<String>,
}

/// Describes why a plugin does not answer VERSION.
#[derive(Debug)]
enum Failure {
    /// It cannot be started
    Start(io::Error),
    /// Its loader or interpreter is missing
    CannotLoad(String),
    Answer(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Start(error) => out.write_str(&start_error(error)),
            Self::CannotLoad(why) | Self::Answer(why) => out.write_str(why),
        }
    }
}

/// Asks the prepared plugin for its CNI versions, so that a `noexec` mount, SELinux or a wrong
/// architecture fails the install and not the first Pod.
pub(crate) async fn check_starts(prepared: &Path, folder: &Path) -> Result<(), Error> {
    let ran = ask_version(prepared, LIMIT).await.map(drop);
    ran.map_err(|why| Error::DoesNotRun { folder: folder.to_owned(), why: why.to_string() })
}

/// Asks the prepared plugin whether it accepts the node settings: the file `settings`, or its new
/// content `changed`. With settings that it does not know, each ADD would end with code 7. The
/// question is a STATUS for a socket that does not exist, which has no effect.
pub(crate) async fn takes_settings(
    plugin: &Path,
    settings: &Path,
    changed: Option<&[u8]>,
) -> Result<(), Error> {
    let there = files::read_if_exists(settings)?;
    let Some(bytes) = changed.or(there.as_deref()) else { return Ok(()) };
    let refused = |why: String| Error::RefusesSettings { path: settings.to_owned(), why };
    // Errors of the file itself, such as its owner. The plugin checks the content.
    if changed.is_none() {
        let wrong = node_settings::apply_file(settings, &mut Settings::default());
        if let Some(wrong) = wrong.iter().find(|it| matches!(it, Wrong::File { .. })) {
            return Err(refused(wrong.to_string()));
        }
    }
    let Ok(mut members) = serde_json::from_slice::<Map<String, Value>>(bytes) else {
        return match node_settings::is_blank(bytes) {
            true => Ok(()),
            false => Err(refused("it is not an object".to_owned())),
        };
    };
    members.insert("socket".to_owned(), platform::NO_SOCKET.into());
    members.insert("logFile".to_owned(), Value::Null);
    let configuration = json!({
        "cniVersion": Action::Status.rules().since, "name": "antrea-cnictl", "type": TYPE,
        "antreaCni": members,
    });
    let answer = ask_status(plugin, &configuration, LIMIT).await;
    match answer.map(|it| serde_json::from_slice(&it.stdout)) {
        Ok(Ok(CniError { code: error_codes::INVALID_NETWORK_CONFIG, msg })) => Err(refused(msg)),
        _ => Ok(()),
    }
}

/// Describes a CNI error.
#[derive(Deserialize)]
struct CniError {
    code: u32,
    msg: String,
}

/// Asks a plugin for STATUS with a configuration.
///
/// # Errors
/// Why no ADD can be expected to succeed.
pub(crate) async fn status(
    plugin: &Path,
    configuration: &Value,
    limit: Duration,
) -> Result<(), String> {
    let answer = ask_status(plugin, configuration, limit).await;
    let answer = answer.map_err(|why| format!("{}: {why}", plugin.display()))?;
    match serde_json::from_slice::<CniError>(&answer.stdout) {
        _ if answer.status.success() => Ok(()),
        Ok(CniError { code, msg }) => Err(format!("code {code}: {msg}")),
        Err(_) => Err(format!("{}: STATUS ended with {}", plugin.display(), answer.status)),
    }
}

async fn ask_status(
    plugin: &Path,
    configuration: &Value,
    limit: Duration,
) -> Result<Output, Failure> {
    run_program(plugin, Some("STATUS"), configuration.to_string().as_bytes(), limit).await
}

/// Describes why a plugin does not tell its CNI versions.
#[derive(Debug)]
pub(crate) enum VersionsUnknown {
    /// Its loader or interpreter is not in this container. It may be on the node
    NotHere(String),
    Broken(String),
}

/// Returns the CNI versions that a plugin supports.
///
/// # Errors
/// The plugin does not tell them.
pub(crate) async fn known_versions(
    plugin: &Path,
    limit: Duration,
) -> Result<Vec<String>, VersionsUnknown> {
    ask_version(plugin, limit).await.map_err(|failure| match failure {
        Failure::CannotLoad(why) => VersionsUnknown::NotHere(why),
        failure => VersionsUnknown::Broken(failure.to_string()),
    })
}

/// Returns whether a plugin answers VERSION. If it cannot be started here, it has to be a whole
/// program for this machine.
pub(crate) async fn works(plugin: &Path, limit: Duration) -> bool {
    match ask_version(plugin, limit).await {
        Ok(_) => true,
        Err(Failure::CannotLoad(_)) => is_program(plugin),
        Err(Failure::Start(error)) if error.kind() == io::ErrorKind::PermissionDenied => {
            is_program(plugin)
        }
        Err(_) => false,
    }
}

/// Describes an answer to VERSION that has no versions.
fn no_version(answer: &Output, said: &str) -> String {
    let status = answer.status;
    match serde_json::from_slice::<CniError>(&answer.stdout) {
        Ok(CniError { code, msg }) => format!("VERSION ended with {status}: code {code}, {msg}"),
        Err(_) if status.success() => {
            "it is no CNI plugin: its answer to VERSION has no supportedVersions".to_owned()
        }
        Err(_) => format!("it is no CNI plugin: VERSION ended with {status}; {said}"),
    }
}

/// Asks a plugin for its CNI versions.
async fn ask_version(plugin: &Path, limit: Duration) -> Result<Vec<String>, Failure> {
    let answer = run_program(plugin, Some("VERSION"), b"", limit).await?;
    let told: Result<Version, _> = serde_json::from_slice(&answer.stdout);
    match told {
        Ok(version) if answer.status.success() && !version.supported_versions.is_empty() => {
            Ok(version.supported_versions)
        }
        _ => {
            let said = String::from_utf8_lossy(&answer.stderr);
            let said = said.trim();
            Err(match answer.status.code() {
                // The dynamic loader and env end with this status if a file is missing.
                Some(platform::NOT_FOUND) => Failure::CannotLoad(said.to_owned()),
                _ => Failure::Answer(no_version(&answer, said)),
            })
        }
    }
}

/// Returns the text that this plugin prints if it is called without a command.
pub(crate) async fn ask_about(plugin: &Path) -> Option<String> {
    let about = run_program(plugin, None, b"", STATUS_LIMIT).await.ok()?;
    Some(String::from_utf8_lossy(&about.stderr).into_owned())
}

/// Runs a program, which may be foreign, for at most `limit` and with at most 64 KiB of output.
/// Its environment has only CNI variables. Its child processes are ended, too.
async fn run_program(
    program: &Path,
    command: Option<&str>,
    stdin: &[u8],
    limit: Duration,
) -> Result<Output, Failure> {
    const MOST: u64 = 64 << 10;
    let mut started = Command::new(program);
    started.env_clear().stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    started.envs(command.map(|command| ("CNI_COMMAND", command))).env("CNI_PATH", "/opt/cni/bin");
    platform::start_in_group(&mut started);
    let mut child = started.kill_on_drop(true).spawn().map_err(|error| {
        match error.kind() == io::ErrorKind::NotFound && program.exists() {
            true => Failure::CannotLoad(CANNOT_LOAD.to_owned()),
            false => Failure::Start(error),
        }
    })?;
    let group = child.id();
    let (input, out, err) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let talk = async {
        if let Some(mut input) = input {
            // A program may answer without reading its input.
            let _ = input.write_all(stdin).await;
        }
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        if let (Some(out), Some(err)) = (out, err) {
            let (mut out, mut err) = (out.take(MOST + 1), err.take(MOST + 1));
            let read = tokio::join!(out.read_to_end(&mut stdout), err.read_to_end(&mut stderr));
            drop(read);
        }
        if stdout.len().max(stderr.len()) as u64 > MOST {
            return Err(Failure::Answer(format!("it writes more than {MOST} bytes")));
        }
        let status = child.wait().await.map_err(Failure::Start)?;
        Ok(Output { status, stdout, stderr })
    };
    let what = command.unwrap_or("a call without a command");
    let late = || Failure::Answer(format!("no answer to {what} within {limit:?}"));
    let answer = timeout(limit, talk).await.unwrap_or_else(|_| Err(late()));
    platform::end_group(group);
    answer
}

fn start_error(error: &io::Error) -> String {
    match (error.kind(), error.raw_os_error()) {
        (io::ErrorKind::PermissionDenied, _) => format!(
            "{error}: is the folder on a file system that is mounted noexec, or does SELinux or AppArmor forbid it?"
        ),
        (_, Some(platform::NOT_A_PROGRAM)) => format!("{error}: is it built for this machine?"),
        _ => error.to_string(),
    }
}

/// Returns whether bytes are only the beginning of a program.
pub(crate) fn is_cut_off(bytes: &[u8]) -> bool {
    let is_program = bytes.starts_with(platform::MAGIC) || platform::MAGIC.starts_with(bytes);
    is_program && parse_whole(bytes).is_none()
}

/// Parses a program, and returns it only if no segment is cut off.
fn parse_whole(bytes: &[u8]) -> Option<File<'_>> {
    let file = File::parse(bytes).ok()?;
    let is_there = |(start, size): (u64, u64)| start.saturating_add(size) <= bytes.len() as u64;
    file.segments().all(|segment| is_there(segment.file_range())).then_some(file)
}

/// Returns whether a file is a whole program for this machine.
fn is_program(path: &Path) -> bool {
    let machine = |bytes: &[u8]| {
        let file = parse_whole(bytes)?;
        Some((file.format(), file.architecture(), file.is_64(), file.endianness()))
    };
    let ours = platform::this_program().and_then(fs::read);
    let (Ok(bytes), Ok(ours)) = (files::read_regular(path), ours) else { return false };
    let may_run = fs::metadata(path).is_ok_and(|file| platform::may_run(&file));
    may_run && machine(&bytes).is_some() && machine(&bytes) == machine(&ours)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_cut_off_is_told_from_what_is_whole() {
        let path = platform::this_program().unwrap();
        let program = fs::read(&path).unwrap();
        assert!(!is_cut_off(&program) && !is_cut_off(b"#!/bin/sh\n"));
        for length in [1, 2, 3, 4, 63, 64, 4096, program.len() / 2] {
            assert!(is_cut_off(&program[..length]), "{length}");
        }
        // The last bytes of a program for Windows may be symbols.
        assert!(is_cut_off(&program[..program.len() - 1]) || cfg!(windows));
        assert!(is_program(&path));
        assert!(!is_program(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"))));
    }
}

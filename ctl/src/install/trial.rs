//! Running a plugin once before it is installed.

use std::io;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde::Deserialize;
use tokio::process::Command;
use tokio::time::timeout;

use crate::error::Error;

const LIMIT: Duration = Duration::from_secs(10);

/// The answer to VERSION.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Version {
    supported_versions: Vec<String>,
}

/// Asks the prepared file for its CNI versions, which only a working plugin
/// knows: a `noexec` mount, SELinux or a wrong architecture show here and not
/// at the first Pod.
pub(super) async fn run(prepared: &Path, folder: &Path) -> Result<(), Error> {
    let failed = |why: String| Error::DoesNotRun { folder: folder.to_owned(), why };
    let child = Command::new(prepared)
        .env_clear()
        .env("CNI_COMMAND", "VERSION")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .output();
    let answer = timeout(LIMIT, child)
        .await
        .map_err(|_| failed(format!("no answer to VERSION within {LIMIT:?}")))?
        .map_err(|error| failed(reason(&error)))?;
    let told: Result<Version, _> = serde_json::from_slice(&answer.stdout);
    match told {
        Ok(version) if answer.status.success() && !version.supported_versions.is_empty() => Ok(()),
        _ => Err(failed(format!(
            "it is no CNI plugin: VERSION ended with {}; {}",
            answer.status,
            String::from_utf8_lossy(&answer.stderr).trim()
        ))),
    }
}

fn reason(error: &io::Error) -> String {
    // The kernel says ENOEXEC also of what is no program at all.
    const ENOEXEC: i32 = 8;
    match (error.kind(), error.raw_os_error()) {
        (io::ErrorKind::PermissionDenied, _) => format!(
            "{error}: is the folder on a file system that is mounted noexec, or does SELinux or AppArmor forbid it?"
        ),
        (_, Some(ENOEXEC)) => format!("{error}: is it built for this machine?"),
        (io::ErrorKind::NotFound, _) => {
            format!("{error}: is it linked against libraries that this node lacks?")
        }
        _ => error.to_string(),
    }
}

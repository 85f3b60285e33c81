// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Runs `antrea-cnictl` in a Pod.

use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Status;
use kube::Api;
use kube::api::{AttachParams, AttachedProcess};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::join;

use crate::cluster::ToolPod;
use crate::error::explain;

/// Path of the tool in the image.
const TOOL: &str = "/antrea-cnictl";

/// Most bytes of an answer. A log and its rotated file have 20 MB together, by default.
const MAX_ANSWER: u64 = 64 << 20;

/// Size of the buffers between the connection and the reader.
const BUFFER: usize = 64 << 10;

/// Holds what the tool wrote, and how it ended.
#[derive(Debug)]
pub(crate) struct Answer {
    /// Standard output
    pub(crate) out: Vec<u8>,
    /// Standard error
    pub(crate) err: String,
    /// Exit status
    pub(crate) exit: i32,
}

impl Answer {
    /// Returns the last line of standard error, or the exit status.
    pub(crate) fn why(&self) -> String {
        let said = self.err.lines().rfind(|line| !line.trim().is_empty());
        let said = said.map(|line| line.trim().trim_start_matches("error: ").to_owned());
        // What follows the colon is advice for the node itself.
        let no_log = antrea_cnictl::Error::NoLog.to_string();
        let no_log = no_log.split(':').next().unwrap_or_default();
        if said.as_ref().is_some_and(|line| line.starts_with(no_log)) {
            return "the plugin writes no log there: set settings.logFile".to_owned();
        }
        said.unwrap_or_else(|| format!("antrea-cnictl ended with {}", self.exit))
    }

    /// Returns the warnings on standard error.
    pub(crate) fn warnings(&self) -> String {
        let warnings = self.err.lines().filter_map(|line| line.strip_prefix("warning: "));
        warnings.collect::<Vec<_>>().join("; ")
    }
}

/// Runs the tool with arguments.
///
/// # Errors
/// The tool was not run, or its end is not known: a sentence for people.
pub(crate) async fn run(
    pods: &Api<Pod>,
    pod: &ToolPod,
    arguments: &[&str],
) -> Result<Answer, String> {
    let mut process = start(pods, pod, arguments, false).await?;
    let (out, err, status) = (process.stdout(), process.stderr(), process.take_status());
    let status = async {
        match status {
            Some(status) => status.await,
            None => None,
        }
    };
    let (out, err, status) = join!(read(out), read(err), status);
    // What ended the reading also ended the connection, and with it the status.
    let (out, err) = (out?, String::from_utf8_lossy(&err?).into_owned());
    Ok(Answer { out, err, exit: exit_status(status)? })
}

/// Starts the tool. With `stdin`, its standard input ends with the connection.
pub(crate) async fn start(
    pods: &Api<Pod>,
    pod: &ToolPod,
    arguments: &[&str],
    stdin: bool,
) -> Result<AttachedProcess, String> {
    let words = [TOOL].iter().chain(arguments).map(|word| (*word).to_owned());
    let parameters = AttachParams::default()
        .container(pod.container)
        .stdin(stdin)
        .stdout(true)
        .stderr(true)
        .max_stdout_buf_size(BUFFER)
        .max_stderr_buf_size(BUFFER);
    pods.exec(&pod.name, words, &parameters).await.map_err(|error| explain(&error))
}

async fn read(stream: Option<impl AsyncRead + Unpin>) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    if let Some(stream) = stream {
        let read = stream.take(MAX_ANSWER).read_to_end(&mut bytes).await;
        read.map_err(|error| format!("the answer cannot be read: {error}"))?;
    }
    if bytes.len() as u64 == MAX_ANSWER {
        return Err(format!(
            "the answer has more than {MAX_ANSWER} bytes: choose less, as with --since"
        ));
    }
    Ok(bytes)
}

/// Returns the exit status in the answer's last message.
/// <https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.34/#status-v1-meta> with
/// reason `NonZeroExitCode` has it in a cause.
fn exit_status(status: Option<Status>) -> Result<i32, String> {
    let Some(status) = status else {
        return Err("the connection ended before the answer did".to_owned());
    };
    if status.status.as_deref() == Some("Success") {
        return Ok(0);
    }
    let causes = status.details.into_iter().flat_map(|it| it.causes.unwrap_or_default());
    let mut codes = causes.filter(|it| it.reason.as_deref() == Some("ExitCode"));
    let code = codes.find_map(|it| it.message?.parse().ok());
    code.ok_or_else(|| status.message.unwrap_or_else(|| "the tool could not be run".to_owned()))
}

// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Implements `logs`: shows the calls of the plugin on all nodes.

use std::io::Write;

use antrea_cnictl::{Exit, LogLine, OutputFormat, TITLE, plain, warn};
use futures::{Stream, StreamExt, stream};
use kube::api::AttachedProcess;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::time::timeout;

use crate::ask::{AT_ONCE, all_nodes};
use crate::cli::Logs;
use crate::cluster::Cluster;
use crate::error::{Error, no_answer};
use crate::exec;

/// Shows the calls that are in the logs, by time.
pub(super) async fn show(
    cluster: &Cluster,
    logs: &Logs,
    out: &mut impl Write,
) -> Result<Exit, Error> {
    let words = arguments("show", logs);
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    let answers = all_nodes(cluster, async |pod| {
        let answer = exec::run(&cluster.pods, pod, &pod.about_plugin(&words)).await?;
        if answer.exit == 0 { Ok(answer.out) } else { Err(answer.why()) }
    });
    let (mut lines, mut exit) = (Vec::new(), Exit::Success);
    for (node, answer) in answers.await {
        match answer {
            Ok(log) => {
                let of_node = log.split(|byte| *byte == b'\n').filter_map(LogLine::parse);
                lines.extend(of_node.map(|(line, _)| (node.name.as_str(), line)));
            }
            Err(why) => {
                warn(plain(&format!("{}: {why}", node.name)));
                exit = Exit::Failure;
            }
        }
    }
    if lines.is_empty() && exit == Exit::Success {
        warn("there is no such call in the logs");
    }
    lines.sort_by_key(|(_, line)| line.time);
    let wide = widest(cluster);
    for (node, line) in &lines {
        write_line(out, logs.output.output, node, wide, line)?;
    }
    out.flush()?;
    Ok(exit)
}

/// Shows calls as they happen, until all connections have ended.
pub(super) async fn follow(
    cluster: &Cluster,
    logs: &Logs,
    out: &mut impl Write,
) -> Result<Exit, Error> {
    let (nodes, wide) = (&cluster.nodes, widest(cluster));
    let followed: Vec<_> = nodes
        .iter()
        .filter_map(|node| Some((node.name.as_str(), node.pod.as_ref().ok()?)))
        .collect();
    if followed.len() > AT_ONCE {
        return Err(Error::TooManyLogs(followed.len(), AT_ONCE));
    }
    for node in nodes {
        if let Err(why) = &node.pod {
            warn(plain(&format!("{}: {why}", node.name)));
        }
    }
    let mut words = arguments("follow", logs);
    // Without it the tool would stay in the Pod after this program's end.
    words.push("--until-stdin-ends".to_owned());
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    let streams = followed.into_iter().map(|(name, pod)| {
        let words = pod.about_plugin(&words);
        let started = async move {
            let started = exec::start(&cluster.pods, pod, &words, true);
            let late = |_| Err(no_answer(cluster.limit));
            timeout(cluster.limit, started).await.unwrap_or_else(late)
        };
        stream::once(started).flat_map(lines_of).map(move |line| (name, line)).boxed_local()
    });
    let mut lines = stream::select_all(streams);
    while let Some((node, line)) = lines.next().await {
        match line {
            Ok(line) => write_line(out, logs.output.output, node, wide, &line)?,
            Err(why) => warn(plain(&format!("{node}: {why}"))),
        }
        out.flush()?;
    }
    Ok(Exit::Failure)
}

/// Returns the lines that a process writes, and at the end why it ended.
fn lines_of(
    started: Result<AttachedProcess, String>,
) -> impl Stream<Item = Result<LogLine, String>> {
    let state = started.map(|mut process| {
        let lines = process.stdout().map(|out| BufReader::new(out).lines());
        (process, lines)
    });
    stream::unfold(Some(state), async |state| {
        let (mut process, mut lines) = match state? {
            Ok(state) => state,
            Err(why) => return Some((Err(why), None)),
        };
        while let Some(Ok(Some(text))) = match lines.as_mut() {
            Some(lines) => Some(lines.next_line().await),
            None => None,
        } {
            if let Some((line, _)) = LogLine::parse(text.as_bytes()) {
                return Some((Ok(line), Some(Ok((process, lines)))));
            }
        }
        let mut said = String::new();
        if let Some(mut err) = process.stderr() {
            let _ = err.read_to_string(&mut said).await;
        }
        Some((Err(why_ended(&said).to_owned()), None))
    })
}

/// Returns why a process ended that wrote this to standard error. A warning does not end it.
fn why_ended(said: &str) -> &str {
    let error = said.lines().rev().find(|line| !line.starts_with("warning: "));
    let ended = "the connection ended: its Pod may have been replaced, so start again";
    error.map_or(ended, |line| line.strip_prefix("error: ").unwrap_or(line))
}

/// Returns the arguments of the tool's command `log`.
fn arguments(command: &str, logs: &Logs) -> Vec<String> {
    let mut filter = logs.filter.clone();
    filter.pod = logs.pod_name.clone().or(filter.pod);
    let words = ["log", command, "--output=json"].map(ToOwned::to_owned);
    words.into_iter().chain(filter.arguments()).collect()
}

fn widest(cluster: &Cluster) -> usize {
    cluster.nodes.iter().map(|node| node.name.chars().count()).max().unwrap_or_default()
}

/// Writes a call with its node. In JSON the node is a key before those of the plugin.
fn write_line(
    out: &mut impl Write,
    format: OutputFormat,
    node: &str,
    wide: usize,
    line: &LogLine,
) -> Result<(), Error> {
    match format {
        OutputFormat::Text => writeln!(out, "{TITLE}{:<wide$}{TITLE:#}  {line}", plain(node))?,
        OutputFormat::Json => {
            let name = serde_json::Value::from(node);
            let rest = String::from_utf8_lossy(line.json());
            let rest = rest.strip_prefix('{').unwrap_or(&rest);
            writeln!(out, "{{\"node\":{name},{rest}")?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_ends_a_log_and_a_warning_does_not() {
        let warning = "warning: /var/log/x is not there yet: waiting for the first call\n";
        assert!(why_ended(warning).starts_with("the connection ended"));
        assert_eq!(why_ended(&format!("{warning}error: cannot read x\n")), "cannot read x");
    }
}

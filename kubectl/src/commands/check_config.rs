// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Implements `check-config`: checks each node's network configurations.

use std::collections::BTreeMap;
use std::fmt;
use std::io::Write;

use antrea_cnictl::{BAD, Exit, OutputFormat, TITLE, plain};
use serde::Serialize;
use serde_json::Value;

use crate::ask::all_nodes;
use crate::cli::Output;
use crate::cluster::{Cluster, ToolPod};
use crate::error::Error;
use crate::exec::{self, Answer};

/// Exit status of a tool that could not read a file, and names it on standard error.
const UNREADABLE: i32 = Exit::Unreadable as i32;

pub(super) async fn run(
    cluster: &Cluster,
    output: &Output,
    out: &mut impl Write,
) -> Result<Exit, Error> {
    let format = output.output;
    let answers = all_nodes(cluster, async |pod| check(cluster, pod, format).await).await;
    let nodes = answers.into_iter().map(|(node, answer)| match answer {
        Ok(answer) => {
            let problem = match answer.exit {
                UNREADABLE => Some(answer.warnings()),
                _ => answer.out.is_empty().then(|| answer.why()),
            };
            let text = String::from_utf8_lossy(&answer.out).into_owned();
            let answer_lines = text.lines().filter_map(|line| serde_json::from_str(line).ok());
            let answer_lines = answer_lines.collect();
            Checked {
                node: node.name.clone(),
                answer: answer_lines,
                text,
                exit: answer.exit,
                problem,
            }
        }
        Err(why) => Checked {
            node: node.name.clone(),
            answer: Vec::new(),
            text: String::new(),
            exit: 1,
            problem: Some(why),
        },
    });
    let nodes = Nodes { nodes: nodes.collect() };
    antrea_cnictl::answer(out, format, &nodes)?;
    let is_good = nodes.nodes.iter().all(|it| it.exit == 0 && it.problem.is_none());
    Ok(if is_good { Exit::Success } else { Exit::Failure })
}

async fn check(cluster: &Cluster, pod: &ToolPod, format: OutputFormat) -> Result<Answer, String> {
    let format = match format {
        OutputFormat::Text => "--output=text",
        OutputFormat::Json => "--output=json",
    };
    exec::run(&cluster.pods, pod, &pod.about_plugin(&["check-config", format])).await
}

/// Describes the answers of all nodes.
#[derive(Serialize)]
struct Nodes {
    nodes: Vec<Checked>,
}

/// Describes the answer of a node.
#[derive(Serialize)]
struct Checked {
    node: String,
    /// The lines of `antrea-cnictl check-config --output json`
    answer: Vec<Value>,
    #[serde(skip)]
    text: String,
    #[serde(skip)]
    exit: i32,
    /// Why there is no answer, or not of all files
    problem: Option<String>,
}

impl fmt::Display for Nodes {
    /// Writes each answer once, below the nodes that gave it.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut by_answer: BTreeMap<(&str, Option<&str>), Vec<&str>> = BTreeMap::new();
        for Checked { node, text, problem, .. } in &self.nodes {
            by_answer.entry((text, problem.as_deref())).or_default().push(node);
        }
        for ((text, problem), nodes) in by_answer {
            writeln!(out, "{TITLE}{}{TITLE:#}", plain(&nodes.join(", ")))?;
            for line in text.lines() {
                writeln!(out, "  {}", plain(line))?;
            }
            if let Some(problem) = problem {
                writeln!(out, "  {BAD}{}{BAD:#}", plain(problem))?;
            }
        }
        Ok(())
    }
}

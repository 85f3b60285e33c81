// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Implements `probe`: asks each node's agent what it can do.

use std::fmt;
use std::io::Write;

use antrea_cnictl::{BAD, Exit, GOOD, plain};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::ask::all_nodes;
use crate::cli::Output;
use crate::cluster::{Cluster, ToolPod};
use crate::error::Error;
use crate::exec;

/// Exit status of a probe that found no agent.
const NO_AGENT: i32 = Exit::NoAgent as i32;

pub(super) async fn run(
    cluster: &Cluster,
    output: &Output,
    out: &mut impl Write,
) -> Result<Exit, Error> {
    let answers = all_nodes(cluster, async |pod| probe(cluster, pod).await).await;
    let nodes = answers.into_iter().map(|(node, answer)| match answer {
        Ok((answer, exit)) => {
            Probed { node: node.name.clone(), answer: Some(answer), exit, problem: None }
        }
        Err(why) => Probed { node: node.name.clone(), answer: None, exit: 1, problem: Some(why) },
    });
    let nodes = Nodes { nodes: nodes.collect() };
    antrea_cnictl::answer(out, output.output, &nodes)?;
    Ok(nodes.exit())
}

/// Returns the output of a node's `probe` and its exit status.
async fn probe(cluster: &Cluster, pod: &ToolPod) -> Result<(Value, i32), String> {
    let words = pod.about_plugin(&["probe", "--output=json"]);
    let answer = exec::run(&cluster.pods, pod, &words).await?;
    let parsed = serde_json::from_slice(&answer.out).map_err(|_| answer.why())?;
    Ok((parsed, answer.exit))
}

/// Describes the answers of all nodes.
#[derive(Serialize)]
struct Nodes {
    nodes: Vec<Probed>,
}

/// Describes the answer of a node.
#[derive(Serialize)]
struct Probed {
    node: String,
    /// The output of `antrea-cnictl probe --output json`
    answer: Option<Value>,
    #[serde(skip)]
    exit: i32,
    /// Why there is no answer
    problem: Option<String>,
}

/// The keys of a probe that are shown.
#[derive(Deserialize)]
struct Conclusion {
    ready: bool,
    sentence: String,
}

impl Nodes {
    /// Returns the exit status of `antrea-cnictl probe`, if all nodes have the same one.
    fn exit(&self) -> Exit {
        if self.nodes.iter().all(|it| it.exit == 0) {
            Exit::Success
        } else if self.nodes.iter().all(|it| it.exit == NO_AGENT) {
            Exit::NoAgent
        } else {
            Exit::Failure
        }
    }
}

impl fmt::Display for Nodes {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let wide = self.nodes.iter().map(|it| it.node.chars().count()).max().unwrap_or_default();
        for Probed { node, answer, problem, .. } in &self.nodes {
            let conclusion = answer.as_ref().and_then(|it| Conclusion::deserialize(it).ok());
            let (style, text) = match (conclusion, problem) {
                (Some(it), _) => (if it.ready { GOOD } else { BAD }, it.sentence),
                (None, Some(problem)) => (BAD, problem.clone()),
                (None, None) => (BAD, "not an output of probe".to_owned()),
            };
            writeln!(out, "{:<wide$}  {style}{}{style:#}", plain(node), plain(&text))?;
        }
        Ok(())
    }
}

// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Implements `fleet`: shows all nodes as `antrea-cnictl fleet` does, without files between.

use std::io::Write;

use antrea_cnictl::{Exit, Fleet, Inputs, Row};

use crate::ask::all_nodes;
use crate::cli::Fleet as Arguments;
use crate::cluster::{Cluster, ToolPod};
use crate::error::Error;
use crate::exec::{self, Answer};

/// Exit status of a tool that was given wrong arguments, or has no log to show.
const USAGE: i32 = Exit::Usage as i32;

const JSON: &str = "--output=json";

pub(super) async fn run(
    cluster: &Cluster,
    arguments: &Arguments,
    out: &mut impl Write,
) -> Result<Exit, Error> {
    let since = format!("--since={}", arguments.since);
    let fleet = collect(cluster, Some(&since)).await;
    if let Some(path) = &arguments.html {
        antrea_cnictl::write_answer(path, fleet.html().as_bytes(), 0o644)?;
    }
    antrea_cnictl::answer(out, arguments.output.output, &fleet)?;
    Ok(exit(&fleet))
}

/// Returns whether something is wrong on a node.
pub(super) fn exit(fleet: &Fleet) -> Exit {
    let is_good = |row: &Row| row.problems.is_empty() && row.findings.is_empty();
    if fleet.nodes.iter().all(is_good) { Exit::Success } else { Exit::Failure }
}

/// Asks each node for the outputs of `status` and `probe`, and for its log since a time.
pub(super) async fn collect(cluster: &Cluster, since: Option<&str>) -> Fleet {
    let answers = all_nodes(cluster, async |pod| outputs(cluster, pod, since).await).await;
    let nodes = answers.into_iter().map(|(node, outputs)| {
        let mut inputs = Inputs::of_release(node.agent_release.clone());
        match outputs {
            Ok(outputs) => outputs.iter().for_each(|(name, bytes)| inputs.add_file(name, bytes)),
            Err(why) => inputs.add_problem(why),
        }
        (node.name.clone(), inputs)
    });
    Fleet::new(nodes.collect())
}

/// Returns the outputs of a node, each with the name by which `fleet` knows it.
async fn outputs(
    cluster: &Cluster,
    pod: &ToolPod,
    since: Option<&str>,
) -> Result<Vec<(&'static str, Vec<u8>)>, String> {
    let ask = async |words: &[&str]| exec::run(&cluster.pods, pod, &pod.about_plugin(words)).await;
    let status = whole(ask(&["status", JSON]).await?)?;
    let probe = whole(ask(&["probe", JSON]).await?)?;
    let mut outputs = vec![("status.json", status), ("probe.json", probe)];
    if let Some(since) = since {
        let log = ask(&["log", "show", JSON, since]).await?;
        // A node without a log has the other outputs.
        if log.exit != USAGE {
            outputs.push(("antrea-cni.log", log.out));
        }
    }
    Ok(outputs)
}

/// Returns the output of a tool that gave one.
fn whole(answer: Answer) -> Result<Vec<u8>, String> {
    if answer.out.is_empty() { Err(answer.why()) } else { Ok(answer.out) }
}

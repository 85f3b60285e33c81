// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Asks the nodes, some at once, each with a time limit of its own.

use std::time::Duration;

use alphanumeric_sort::compare_str;
use futures::{Stream, StreamExt, stream};
use indicatif::{ProgressBar, ProgressStyle};
use tokio::time::timeout;

use crate::cluster::{Cluster, Node, ToolPod};
use crate::error::no_answer;

/// Most nodes that are asked at once.
pub(crate) const AT_ONCE: usize = 32;

/// Asks each node with `ask`, and yields each node with its answer, or with why there is none, in
/// the order in which they come.
pub(crate) fn each_node<'a, T>(
    cluster: &'a Cluster,
    limit: Duration,
    ask: impl AsyncFn(&'a ToolPod) -> Result<T, String> + Copy + 'a,
) -> impl Stream<Item = (&'a Node, Result<T, String>)> {
    let progress = progress(cluster.nodes.len());
    let answers = cluster.nodes.iter().map(move |node| async move {
        let answer = match &node.pod {
            Ok(pod) => match timeout(limit, ask(pod)).await {
                Ok(answer) => answer,
                Err(_) => Err(no_answer(limit)),
            },
            Err(why) => Err(why.clone()),
        };
        (node, answer)
    });
    stream::iter(answers).buffer_unordered(AT_ONCE).inspect(move |_| progress.inc(1))
}

/// Asks each node, and returns the answers in the order of the nodes.
pub(crate) async fn all_nodes<'a, T>(
    cluster: &'a Cluster,
    ask: impl AsyncFn(&'a ToolPod) -> Result<T, String> + Copy + 'a,
) -> Vec<(&'a Node, Result<T, String>)> {
    let mut answers: Vec<_> = each_node(cluster, cluster.limit, ask).collect().await;
    answers.sort_by(|(one, _), (other, _)| compare_str(&one.name, &other.name));
    answers
}

/// Returns a progress bar on standard error. Without a terminal it shows nothing.
fn progress(nodes: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:40} {pos} of {len} nodes");
    let bar = ProgressBar::new(nodes as u64);
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

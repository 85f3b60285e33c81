// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Implements `status`: shows each node in a row.

use std::fmt;
use std::io::Write;

use antrea_cnictl::{BAD, Exit, Fleet, Row, TITLE, plain};
use serde::Serialize;

use super::fleet::{collect, exit};
use crate::cli::Output;
use crate::cluster::Cluster;
use crate::error::Error;

pub(super) async fn run(
    cluster: &Cluster,
    output: &Output,
    out: &mut impl Write,
) -> Result<Exit, Error> {
    let table = Table(collect(cluster, None).await);
    antrea_cnictl::answer(out, output.output, &table)?;
    Ok(exit(&table.0))
}

/// Holds the nodes. As JSON it is the document of `fleet`.
#[derive(Serialize)]
#[serde(transparent)]
struct Table(Fleet);

impl fmt::Display for Table {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Fleet { nodes, .. } = &self.0;
        let head = ["node", "plugin", "agent", "api", "list", "ready", "keeper", "owed"];
        let rows: Vec<_> = nodes.iter().map(cells).collect();
        let wide = |column: usize| {
            let cells = rows.iter().filter_map(|row| row.get(column));
            let title = head.get(column).map_or(0, |it| it.len());
            cells.map(|it| it.chars().count()).max().unwrap_or(0).max(title)
        };
        let widths: Vec<_> = (0..head.len()).map(wide).collect();
        let line = |cells: &mut dyn Iterator<Item = &str>| {
            let cells = cells.zip(&widths).map(|(cell, wide)| format!("{cell:<wide$}"));
            cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
        };
        writeln!(out, "{TITLE}{}{TITLE:#}", line(&mut head.into_iter()))?;
        let indent = widths.first().copied().unwrap_or_default();
        for (row, cells) in nodes.iter().zip(&rows) {
            writeln!(out, "{}", line(&mut cells.iter().map(String::as_str)))?;
            for found in row.problems.iter().chain(&row.findings) {
                writeln!(out, "{:indent$}  {BAD}{}{BAD:#}", "", plain(found))?;
            }
        }
        let ready = nodes.iter().filter(|node| node.ready == Some(true)).count();
        writeln!(out, "\n{ready} of {} agents are ready.", nodes.len())
    }
}

/// Returns the cells of a row, in the order of the head.
fn cells(row: &Row) -> [String; 8] {
    let text = |text: &Option<String>| text.clone().unwrap_or_else(|| "?".to_owned());
    let yes = |is: Option<bool>, yes: &str, no: &str| {
        is.map_or("?", |is| if is { yes } else { no }).to_owned()
    };
    let is_seen = row.keeper.is_some();
    let plugin = row.plugin.clone().or_else(|| is_seen.then(|| "not ours".to_owned()));
    let list = row.list.clone().or_else(|| is_seen.then(|| "none".to_owned()));
    let release = Some(row.releases.clone()).filter(|it| !it.is_empty());
    let keeper = match row.rolled_back {
        Some(true) => "rolled back".to_owned(),
        _ => yes(row.keeper, "runs", "none"),
    };
    [
        row.name.clone(),
        text(&plugin),
        text(&row.agent_release.clone().or(release)),
        text(&row.api),
        text(&list),
        yes(row.ready, "yes", "no"),
        keeper,
        row.owed.map_or_else(|| "?".to_owned(), |owed| owed.to_string()),
    ]
    .map(|cell| plain(&cell).into_owned())
}

// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Implements `fleet`: shows the agents of many nodes, the course of an upgrade, and what prevents
//! a higher cniVersion in the conflist.

mod inputs;
mod page;
mod row;
mod timeline;

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::Serialize;

pub use self::inputs::Inputs;
pub use self::row::Row;
pub use self::timeline::Timeline;
use crate::cli::Fleet as Arguments;
use crate::error::{Error, Exit};
use crate::files;
use crate::output::{self, waiting};
use crate::style::{BAD, TITLE, plain};

pub(crate) fn run(arguments: &Arguments, out: &mut impl Write) -> Result<Exit, Error> {
    let spinner = waiting("reading");
    let fleet = Fleet::read_files(&arguments.files)?;
    spinner.finish_and_clear();
    if let Some(path) = &arguments.html {
        files::write_answer(path, fleet.html().as_bytes(), 0o644)?;
    }
    output::answer(out, arguments.output, &fleet)?;
    Ok(if fleet.is_read() { Exit::Success } else { Exit::Failure })
}

/// Describes all nodes.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Fleet {
    /// The nodes, by name
    pub nodes: Vec<Row>,
    /// How many nodes had which agent, over time
    pub timeline: Timeline,
}

impl Fleet {
    /// Describes nodes by their names and inputs.
    pub fn new(all: BTreeMap<String, Inputs>) -> Self {
        let timeline = Timeline::new(all.values());
        let mut nodes: Vec<_> =
            all.into_iter().map(|(name, inputs)| Row::new(name, inputs)).collect();
        // n2 comes before n10.
        nodes.sort_by(|one, other| alphanumeric_sort::compare_str(&one.name, &other.name));
        Self { nodes, timeline }
    }

    /// Returns the HTML page, which needs no other file.
    pub fn html(&self) -> String {
        page::html(self)
    }

    /// Returns whether all inputs could be read.
    pub fn is_read(&self) -> bool {
        self.nodes.iter().all(|node| node.problems.is_empty())
    }

    fn read_files(paths: &[PathBuf]) -> Result<Self, Error> {
        let mut named = Vec::new();
        for path in paths {
            named.extend(files_by_node(path)?);
        }
        // FILE.1 is older than FILE, which a shell puts first.
        named.sort_by_key(|(_, file)| file.extension().is_none_or(|it| it != "1"));
        let mut all: BTreeMap<String, Inputs> = BTreeMap::new();
        for (node, file) in named {
            let name = file.file_name().unwrap_or_default().to_string_lossy();
            let inputs = all.entry(node).or_default();
            match files::read_regular(&file) {
                Ok(bytes) => inputs.add_file(&name, &bytes),
                Err(error) => inputs.add_problem(format!("{name}: {error}")),
            }
        }
        if all.is_empty() {
            let said = "there is no output of status or probe, and no log";
            return Err(Error::Argument(said.to_owned()));
        }
        Ok(Self::new(all))
    }

    /// Returns the number of nodes without problems and obstacles.
    fn count_clear(&self) -> usize {
        let is_clear = |node: &&Row| node.in_the_way.is_empty() && node.problems.is_empty();
        self.nodes.iter().filter(is_clear).count()
    }
}

/// Returns the files at a path, each with the name of its node.
fn files_by_node(path: &Path) -> Result<Vec<(String, PathBuf)>, Error> {
    if !path.is_dir() {
        return Ok(vec![(node_name(path), path.to_owned())]);
    }
    let mut named = Vec::new();
    for file in sorted_files(path)? {
        if file.is_dir() {
            let node = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let files = sorted_files(&file)?.into_iter().filter(|file| file.is_file());
            named.extend(files.map(|file| (node.clone(), file)));
        } else {
            named.push((node_name(&file), file));
        }
    }
    Ok(named)
}

fn sorted_files(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let entries = fs::read_dir(folder).map_err(Error::file("read", folder))?;
    let mut files: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    files.sort();
    Ok(files)
}

/// Returns the name of a file's node, which may have dots in it.
fn node_name(file: &Path) -> String {
    let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let endings = [".status.json", ".probe.json", ".json", ".log.1", ".log"];
    let node = endings.iter().find_map(|ending| name.strip_suffix(ending));
    node.map_or_else(|| name.clone(), str::to_owned)
}

impl fmt::Display for Fleet {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let wide =
            self.nodes.iter().map(|node| node.name.chars().count()).max().unwrap_or(4).max(4);
        writeln!(
            out,
            "{TITLE}{:<wide$}  {:<8} {:<10} {:<6} {:<5} {:>7} {:>7}{TITLE:#}",
            "node", "plugin", "agent", "list", "ready", "calls", "failed"
        )?;
        for node in &self.nodes {
            let (calls, failed) = (node.calls, node.failed);
            let text = |text: &Option<String>| text.clone().unwrap_or_else(|| "?".to_owned());
            let ready = node.ready.map_or("?", |ready| if ready { "yes" } else { "no" });
            let row = format!(
                "{:<wide$}  {:<8} {:<10} {:<6} {ready:<5} {calls:>7} {failed:>7}",
                node.name,
                text(&node.plugin),
                text(&node.api),
                text(&node.list),
            );
            writeln!(out, "{}", plain(&row))?;
            for obstacle in node.problems.iter().chain(&node.in_the_way) {
                writeln!(out, "{:<wide$}  {BAD}{}{BAD:#}", "", plain(obstacle))?;
            }
        }
        let (clear, all) = (self.count_clear(), self.nodes.len());
        writeln!(out, "\n{clear} of {all} nodes could have a list of 1.1.0.")
    }
}

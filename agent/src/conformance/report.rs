// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Prints the results as text and as JSON.

use std::fmt;

use serde::Serialize;

/// Tells which promises an agent keeps.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// Package of the API that was used; `null` if the agent serves none
    pub api: Option<&'static str>,
    /// One row for each promise
    pub rows: Vec<Row>,
    /// Why no agent could be asked
    #[serde(skip_serializing_if = "Option::is_none")]
    pub no_agent: Option<String>,
}

/// Tells whether one promise is kept.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    /// Name of the promise
    pub promise: &'static str,
    /// Text of the promise
    pub says: &'static str,
    /// Whether it is kept
    #[serde(flatten)]
    pub kept: Kept,
}

/// Tells whether a promise is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase", tag = "kept", content = "why")]
pub enum Kept {
    /// It is kept
    Yes,
    /// It is broken, and what happened instead
    No(String),
    /// It was not checked, and why
    NotAsked(&'static str),
}

impl Report {
    pub(super) fn without_an_agent(why: String) -> Self {
        Self { api: None, rows: Vec::new(), no_agent: Some(why) }
    }

    /// Returns the names of the broken promises.
    pub fn broken(&self) -> Vec<&'static str> {
        let broken = self.rows.iter().filter(|row| matches!(row.kept, Kept::No(_)));
        broken.map(|row| row.promise).collect()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(why) = &self.no_agent {
            return writeln!(out, "No agent could be asked: {why}");
        }
        for Row { promise, says, kept } in &self.rows {
            let word = match kept {
                Kept::Yes => "kept",
                Kept::No(_) => "BROKEN",
                Kept::NotAsked(_) => "not asked",
            };
            writeln!(out, "{word:10} {promise:22} {says}")?;
            match kept {
                Kept::Yes => (),
                Kept::No(why) => writeln!(out, "{:33} {why}", "")?,
                Kept::NotAsked(why) => writeln!(out, "{:33} {why}", "")?,
            }
        }
        let count =
            |which: fn(&Kept) -> bool| self.rows.iter().filter(|row| which(&row.kept)).count();
        let kept = count(|kept| *kept == Kept::Yes);
        let (broken, left) = (self.broken().len(), count(|kept| matches!(kept, Kept::NotAsked(_))));
        let api = self.api.unwrap_or("no API of the plugin");
        writeln!(out, "{api}: {kept} kept, {broken} broken, {left} not asked")
    }
}

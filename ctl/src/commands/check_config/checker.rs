// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Collects the findings about a configuration.

use std::fmt;

use serde::Serialize;
use serde_json::value::RawValue;

use crate::conflist::{self, Source};
use crate::json_spans::{Member, Members, Position};

/// Describes how severe a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Severity {
    /// The container runtime, Multus or the plugin refuses the configuration, or ignores a part
    Error,
    /// The configuration is accepted, but Pods do not start or lose their network
    Unsafe,
    /// The configuration is unusual
    Warning,
}

/// Describes one finding and its position.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Finding {
    /// The file that it is about
    pub(super) file: String,
    /// Line, from 1 on
    pub(super) line: usize,
    /// Column, from 1 on
    pub(super) column: usize,
    /// `error`, `unsafe` or `warning`
    pub(super) severity: Severity,
    /// Whether the configuration is refused because of it
    pub(super) refused: bool,
    /// What is wrong, and what to do
    pub(super) message: String,
}

/// Collects the findings about a file.
pub(super) struct Checker<'a> {
    pub(super) source: &'a Source,
    /// The `type` of this plugin
    pub(super) name: &'a str,
    pub(super) findings: Vec<Finding>,
}

impl<'a> Checker<'a> {
    pub(super) fn new(source: &'a Source, name: &'a str) -> Self {
        Self { source, name, findings: Vec::new() }
    }

    pub(super) fn is_ours(&self, plugin: &Members<'_>) -> bool {
        plugin.string("type").is_some_and(|it| conflist::is_named(&it, self.name))
    }

    pub(super) fn text(&self) -> &'a str {
        &self.source.text
    }

    pub(super) fn position(&self, value: &RawValue) -> Position {
        Position::of_value(self.text(), value)
    }

    /// Returns the position of a member, or `otherwise` if there is none.
    pub(super) fn position_or(&self, member: Option<&Member<'_>>, otherwise: Position) -> Position {
        member.map_or(otherwise, |it| self.position(it.value))
    }

    /// Returns the position of a plugin's `type`.
    pub(super) fn plugin_position(&self, plugin: &Members<'_>) -> Position {
        self.position_or(plugin.get("type"), Position::START)
    }

    /// Adds a finding about what the container runtime, Multus or the plugin refuses.
    pub(super) fn refuse(&mut self, at: Position, message: impl fmt::Display) {
        self.add_finding(Severity::Error, at, message);
    }

    /// Adds a finding about what keeps Pods from starting, or from their network.
    pub(super) fn withhold(&mut self, at: Position, message: impl fmt::Display) {
        self.add_finding(Severity::Unsafe, at, message);
    }

    pub(super) fn warn(&mut self, at: Position, message: impl fmt::Display) {
        self.add_finding(Severity::Warning, at, message);
    }

    fn add_finding(&mut self, severity: Severity, at: Position, message: impl fmt::Display) {
        let (line, column) = at.line_and_column(self.text());
        self.findings.push(Finding {
            file: self.source.path.to_string_lossy().into_owned(),
            line,
            column,
            severity,
            refused: severity == Severity::Error,
            message: message.to_string(),
        });
    }
}

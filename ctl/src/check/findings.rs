//! What there is to be said of a configuration.

use std::fmt;

use serde::Serialize;

use crate::document::Position;

/// One thing to be said, and where.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Finding {
    pub(super) line: usize,
    pub(super) column: usize,
    /// Whether the configuration is refused because of it, or does not do what it says
    pub(super) refused: bool,
    pub(super) message: String,
}

/// Collects what is to be said of a text.
pub(super) struct Checker<'a> {
    pub(super) text: &'a str,
    pub(super) findings: Vec<Finding>,
}

impl Checker<'_> {
    pub(super) fn refuse(&mut self, at: Position, message: impl fmt::Display) {
        let (line, column) = at.line_and_column(self.text);
        let message = message.to_string();
        self.findings.push(Finding { line, column, refused: true, message });
    }

    pub(super) fn warn(&mut self, at: Position, message: impl fmt::Display) {
        self.refuse(at, message);
        if let Some(finding) = self.findings.last_mut() {
            finding.refused = false;
        }
    }
}

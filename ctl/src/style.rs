// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Defines the styles of text on a terminal.

use std::borrow::Cow;

use anstyle::{AnsiColor, Style};

/// Marks what is as it should be.
pub const GOOD: Style = AnsiColor::Green.on_default();
/// Marks what is wrong.
pub const BAD: Style = AnsiColor::Red.on_default();
/// Marks what matters less.
pub const WEAK: Style = Style::new().dimmed();
/// Marks a title.
pub const TITLE: Style = Style::new().bold();

/// Escapes control characters in a text of another program, so that it cannot control the
/// terminal.
pub fn plain(text: &str) -> Cow<'_, str> {
    if !text.contains(char::is_control) {
        return Cow::Borrowed(text);
    }
    let escaped = text.chars().fold(String::new(), |mut out, c| {
        if c.is_control() {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
        out
    });
    Cow::Owned(escaped)
}

// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Reads, shows and describes the values of settings, by kind.

use std::ops::RangeInclusive;
use std::path::Path;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use crate::platform::paths;

/// Tells which values a setting can have. `S` is the type of all settings, and each kind has the
/// field that it sets.
#[derive(Debug)]
pub(super) enum Kind<S: 'static> {
    Bool(Field<S, bool>),
    /// A whole number within bounds
    Number(RangeInclusive<u64>, Field<S, u64>),
    /// A whole number of seconds within bounds
    Seconds(RangeInclusive<u64>, Field<S, Duration>),
    /// One of several words
    DelWhenAgentDown(Field<S, DelWhenAgentDown>),
    /// One of several words
    LogLevel(Field<S, LogLevel>),
    /// The path of a socket
    Socket(Field<S, String>),
    /// An absolute path
    Path(Field<S, String>),
    /// An absolute path of a file that can be rotated
    LogFile(Field<S, Option<String>>),
}

/// Returns a field of the settings.
type Field<S, T> = fn(&mut S) -> &mut T;

/// Tells what DEL answers if no agent can be reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DelWhenAgentDown {
    /// An error while the network namespace exists, as the Go plugin does
    Fail,
    /// Success after a short wait; the DEL is owed to the next agent
    #[default]
    Succeed,
}

/// Tells which calls are logged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogLevel {
    /// All calls
    Debug,
    /// All calls but a STATUS that is ready, which comes every few seconds
    #[default]
    Info,
    /// Calls that failed
    Error,
}

/// Names each value of a type by a word.
trait Words: Copy + PartialEq + 'static {
    const WORDS: &'static [(&'static str, Self)];
}

impl Words for DelWhenAgentDown {
    const WORDS: &'static [(&'static str, Self)] =
        &[("fail", Self::Fail), ("succeed", Self::Succeed)];
}

impl Words for LogLevel {
    const WORDS: &'static [(&'static str, Self)] =
        &[("debug", Self::Debug), ("info", Self::Info), ("error", Self::Error)];
}

impl<S> Kind<S> {
    /// Sets the value; `None` if the setting cannot have it.
    pub(super) fn set(&self, settings: &mut S, value: &RawValue) -> Option<()> {
        match self {
            Self::Bool(field) => *field(settings) = parse(value)?,
            Self::Number(bounds, field) => *field(settings) = parse_within(value, bounds)?,
            Self::Seconds(bounds, field) => {
                *field(settings) = Duration::from_secs(parse_within(value, bounds)?);
            }
            Self::DelWhenAgentDown(field) => *field(settings) = parse_word(value)?,
            Self::LogLevel(field) => *field(settings) = parse_word(value)?,
            Self::Socket(field) => {
                *field(settings) = paths::parse_socket(&parse::<String>(value)?)?;
            }
            Self::Path(field) => *field(settings) = parse_absolute_path(value)?,
            Self::LogFile(field) => {
                *field(settings) = Some(parse_absolute_path(value).filter(|it| !is_device(it))?);
            }
        }
        Some(())
    }

    /// Returns the value as JSON.
    pub(super) fn json(&self, settings: &mut S) -> String {
        match self {
            Self::Bool(field) => field(settings).to_string(),
            Self::Number(_, field) => field(settings).to_string(),
            Self::Seconds(_, field) => field(settings).as_secs().to_string(),
            Self::DelWhenAgentDown(field) => to_json(word(*field(settings))),
            Self::LogLevel(field) => to_json(word(*field(settings))),
            Self::Socket(field) | Self::Path(field) => to_json(field(settings)),
            Self::LogFile(field) => {
                field(settings).as_deref().map_or_else(|| "null".to_owned(), to_json)
            }
        }
    }

    /// Describes the values that the setting can have.
    pub(super) fn values(&self) -> String {
        match self {
            Self::Bool(_) => "true or false".to_owned(),
            Self::Number(bounds, _) | Self::Seconds(bounds, _) => {
                format!("a whole number from {} to {}", bounds.start(), bounds.end())
            }
            Self::DelWhenAgentDown(_) => list::<DelWhenAgentDown>(),
            Self::LogLevel(_) => list::<LogLevel>(),
            Self::Socket(_) => paths::SOCKET_VALUES.to_owned(),
            Self::Path(_) => "an absolute path".to_owned(),
            Self::LogFile(_) => {
                "an absolute path, and not one below /dev, /proc or /sys".to_owned()
            }
        }
    }
}

fn parse<T: DeserializeOwned>(value: &RawValue) -> Option<T> {
    serde_json::from_str(value.get()).ok()
}

fn parse_within(value: &RawValue, bounds: &RangeInclusive<u64>) -> Option<u64> {
    parse(value).filter(|it| bounds.contains(it))
}

fn parse_absolute_path(value: &RawValue) -> Option<String> {
    parse(value).filter(|path: &String| Path::new(path).is_absolute() && !path.contains('\0'))
}

fn parse_word<T: Words>(value: &RawValue) -> Option<T> {
    let text: String = parse(value)?;
    T::WORDS.iter().find(|(word, _)| *word == text).map(|(_, it)| *it)
}

fn word<T: Words>(value: T) -> &'static str {
    T::WORDS.iter().find(|(_, it)| *it == value).map_or("", |(word, _)| word)
}

/// Returns the words as "a", "b" or "c".
fn list<T: Words>() -> String {
    let words: Vec<_> = T::WORDS.iter().map(|(word, _)| to_json(word)).collect();
    match &*words {
        [before @ .., last] => format!("{} or {last}", before.join(", ")),
        [] => String::new(),
    }
}

/// Returns whether a path is one where no log can be rotated: `/dev/stderr` and its like are the
/// container runtime's files, or none.
fn is_device(path: &str) -> bool {
    let is_below = |folder: &str| Path::new(path).starts_with(folder);
    let is_device = is_below("/dev") && !is_below("/dev/shm");
    cfg!(unix) && (is_device || is_below("/proc") || is_below("/sys"))
}

fn to_json(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default()
}

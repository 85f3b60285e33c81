// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Parses the values of arguments.

use std::fmt;
use std::time::Duration;

use antrea_cni::Action;
use antrea_cni::input::Settings;
use antrea_cni::input::settings::Origin;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, Timestamp, Zoned};
use serde_json::value::RawValue;

/// Names a Pod, in one namespace or in any.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PodName {
    /// The namespace; `None` is any
    pub namespace: Option<String>,
    /// The name
    pub name: String,
}

impl PodName {
    /// Parses `NAME` or `NAMESPACE/NAME`.
    ///
    /// # Errors
    /// A part is empty, or there are more than two. The error says what to write.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (namespace, name) = match text.split_once('/') {
            Some((namespace, name)) => (Some(namespace), name),
            None => (None, text),
        };
        if name.is_empty() || name.contains('/') || namespace == Some("") {
            return Err("write NAME or NAMESPACE/NAME".to_owned());
        }
        Ok(Self { namespace: namespace.map(ToOwned::to_owned), name: name.to_owned() })
    }
}

impl fmt::Display for PodName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.namespace {
            Some(namespace) => write!(out, "{namespace}/{}", self.name),
            None => out.write_str(&self.name),
        }
    }
}

/// Parses the name of a command.
pub(super) fn action(text: &str) -> Result<Action, String> {
    let known = Action::ALL.iter().find(|it| it.name().eq_ignore_ascii_case(text));
    known.copied().ok_or_else(|| format!("write one of {}", action_names()))
}

/// Returns the names of all commands.
pub(super) fn action_names() -> String {
    Action::ALL.map(Action::name).join(", ")
}

/// Parses a socket as the plugin parses its setting `socket`.
pub(super) fn socket(text: &str) -> Result<String, String> {
    let mut settings = Settings::default();
    let named = RawValue::from_string(serde_json::json!({"socket": text}).to_string());
    let wrong = named.map(|it| settings.apply(&it, Origin::Configuration)).unwrap_or_default();
    match wrong.first() {
        Some(wrong) => Err(wrong.to_string().replace("setting antreaCni.socket", "it")),
        None => Ok(settings.socket),
    }
}

/// Parses a duration, which has a unit.
///
/// # Errors
/// The text is not a duration, or it is zero. The error says what to write.
pub fn duration(text: &str) -> Result<Duration, String> {
    text.parse::<SignedDuration>()
        .ok()
        .and_then(|duration| Duration::try_from(duration).ok())
        .filter(|duration| !duration.is_zero())
        .ok_or_else(|| "write a duration such as 500ms, 60s or 2m".to_owned())
}

/// Parses a time, a day or a time span before now. A day begins at midnight UTC, because the
/// log's times are UTC.
///
/// # Errors
/// The text is none of these. The error says what to write.
pub fn time(text: &str) -> Result<Timestamp, String> {
    let midnight = |date: Date| date.to_zoned(TimeZone::UTC).ok();
    let ago = |span: Span| Zoned::now().with_time_zone(TimeZone::UTC).checked_sub(span).ok();
    (text.parse().ok())
        .or_else(|| text.parse().ok().and_then(midnight).map(|moment| moment.timestamp()))
        .or_else(|| text.parse().ok().and_then(ago).map(|moment| moment.timestamp()))
        .ok_or_else(|| {
            "write a time such as 2026-11-24T10:00:00Z, a day such as 2026-11-24, or 15m or 2d for that long ago".into()
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pod_may_have_a_namespace() {
        let pod = |namespace: Option<&str>, name: &str| {
            Ok(PodName { namespace: namespace.map(str::to_owned), name: name.to_owned() })
        };
        assert_eq!(PodName::parse("web-0"), pod(None, "web-0"));
        assert_eq!(PodName::parse("shop/web-0"), pod(Some("shop"), "web-0"));
        for wrong in ["", "/", "shop/", "/web-0", "a/b/c"] {
            assert!(PodName::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn durations_have_a_unit() {
        assert_eq!(duration("60s"), Ok(Duration::from_secs(60)));
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        for wrong in ["60", "-1s", "0s", "soon"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }
}

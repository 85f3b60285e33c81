// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Leaves secrets out of what is given to other people. A value too many is left out rather than
//! one too few.

use std::sync::LazyLock;

use regex_lite::Regex;
use serde_json::value::RawValue;

use crate::json_spans::{Members, string};

/// What stands in the place of a secret.
const LEFT_OUT: &str = "(left out)";

/// Most levels of JSON that are looked into. A network configuration has few.
const MAX_LEVELS: usize = 64;

/// Matches the names of keys whose values may be secrets.
static NAMES: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let words = "auth|bearer|cert|cookie|cred|jwt|key|kubeconfig|license|passphrase|passw|pem|private|psk|pwd|secret|token";
    Regex::new(&format!("(?i){words}")).ok()
});

/// Matches secrets by their form, wherever they are: PEM, a JSON Web Token, the user of a URL, and
/// what follows a word such as `token`.
static FORMS: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    let forms = [
        r"-----BEGIN (?s:.*?)(-----END [^-]*-----|$)",
        r"eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]*)?",
        r#"://[^/\s"@]+@"#,
        r#"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{6,}"#,
        r#"(?i)(token|passw(or)?d|passphrase|secret|api[_-]?key|private[_-]?key|credentials?)[A-Za-z0-9_-]*(\\?["'])?\s*[=:]\s*(\\?["'])?[^\s"'\\,;}&]+"#,
    ];
    forms.iter().filter_map(|form| Regex::new(form).ok()).collect()
});

/// Returns a text without what has the form of a secret.
pub(super) fn leave_out_of_text(text: &str) -> String {
    FORMS.iter().fold(text.to_owned(), |text, form| match form.is_match(&text) {
        true => form.replace_all(&text, LEFT_OUT).into_owned(),
        false => text,
    })
}

/// Returns JSON without the values of keys that name a secret, and without strings that have the
/// form of one. Returns `None` if the text is not a JSON object.
pub(super) fn leave_out_of_json(text: &str) -> Option<String> {
    let value: &RawValue = serde_json::from_str(text).ok()?;
    Members::parse_value(value).ok()?;
    Some(redacted(value, 0))
}

fn redacted(value: &RawValue, level: usize) -> String {
    let left_out = || format!("{LEFT_OUT:?}");
    if level > MAX_LEVELS {
        return left_out();
    }
    if let Ok(members) = Members::parse_value(value) {
        let members = members.iter().map(|member| {
            let name = serde_json::to_string(&member.name).unwrap_or_default();
            let is_secret = NAMES.as_ref().is_none_or(|names| names.is_match(&member.name));
            let value = if is_secret { left_out() } else { redacted(member.value, level + 1) };
            format!("{name}:{value}")
        });
        return format!("{{{}}}", members.collect::<Vec<_>>().join(","));
    }
    if let Ok(elements) = serde_json::from_str::<Vec<&RawValue>>(value.get()) {
        let elements: Vec<_> = elements.into_iter().map(|it| redacted(it, level + 1)).collect();
        return format!("[{}]", elements.join(","));
    }
    match string(value) {
        Some(text) if FORMS.iter().any(|form| form.is_match(&text)) => left_out(),
        _ => value.get().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_patterns_are_regular_expressions() {
        assert!(NAMES.is_some());
        assert_eq!(FORMS.len(), 5);
    }

    #[test]
    fn what_is_no_secret_stays_as_it_is() {
        let list = r#"{"cniVersion":"1.0.0","name":"antrea","plugins":[{"type":"antrea","ipam":{"type":"host-local"}},{"type":"portmap","capabilities":{"portMappings":true}}],"n":1e400,"n":2}"#;
        assert_eq!(leave_out_of_json(list).as_deref(), Some(list));
        let log = r#"{"time":"2026-11-24T10:00:00Z","command":"ADD","socket":"/var/run/antrea/cni.sock","message":"no such container: a1b2","key":"logFile"}"#;
        assert_eq!(leave_out_of_text(log), log);
        for no_object in ["", "apiVersion: v1\nkind: Config\n", "[1]", "7"] {
            assert!(leave_out_of_json(no_object).is_none(), "{no_object}");
        }
    }
}

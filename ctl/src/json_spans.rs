// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Parses JSON so that each value is a slice of the text, from which its position is known.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// Holds the members of a JSON object in their order.
#[derive(Clone, Debug)]
pub(crate) struct Members<'a>(Vec<Member<'a>>);

#[derive(Clone, Debug)]
pub(crate) struct Member<'a> {
    pub(crate) name: String,
    pub(crate) value: &'a RawValue,
}

impl<'a> Members<'a> {
    /// Parses an object.
    ///
    /// # Errors
    /// The text is not a JSON object; the error has line and column.
    pub(crate) fn parse(text: &'a str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }

    pub(crate) fn parse_value(value: &'a RawValue) -> Result<Self, serde_json::Error> {
        Self::parse(value.get())
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Member<'a>> {
        self.0.iter()
    }

    /// Returns the last member of a name in any case, as Go's decoder does.
    pub(crate) fn get(&self, name: &str) -> Option<&Member<'a>> {
        self.0.iter().rev().find(|member| member.name.eq_ignore_ascii_case(name))
    }

    /// Returns the last member of exactly this name, as libcni reads conflists.
    pub(crate) fn exact(&self, name: &str) -> Option<&Member<'a>> {
        self.0.iter().rev().find(|member| member.name == name)
    }

    /// Returns the value of a member that is a string.
    pub(crate) fn string(&self, name: &str) -> Option<Cow<'a, str>> {
        self.get(name)?.string()
    }

    /// Returns the members as Go's encoder writes a map: each name once, sorted. libcni decodes a
    /// conflist into maps, and gives each plugin its own map.
    pub(crate) fn as_map(&self) -> Self {
        let last: BTreeMap<_, _> = self.0.iter().map(|it| (it.name.clone(), it.value)).collect();
        Self(last.into_iter().map(|(name, value)| Member { name, value }).collect())
    }
}

impl<'a> Member<'a> {
    /// Returns the elements of a JSON array, or none of any other value.
    pub(crate) fn elements(&self) -> Vec<&'a RawValue> {
        self.array().unwrap_or_default()
    }

    /// Returns the elements if the value is a JSON array.
    pub(crate) fn array(&self) -> Option<Vec<&'a RawValue>> {
        serde_json::from_str(self.value.get()).ok()
    }

    /// Returns the text if the value is a JSON string.
    pub(crate) fn string(&self) -> Option<Cow<'a, str>> {
        string(self.value)
    }

    /// Returns the members if the value is a JSON object.
    pub(crate) fn object(&self) -> Option<Members<'a>> {
        Members::parse_value(self.value).ok()
    }

    /// Returns the value if it is `true` or `false`.
    pub(crate) fn bool(&self) -> Option<bool> {
        serde_json::from_str(self.value.get()).ok()
    }

    /// Returns whether the value is `null`, which Go's decoder reads like an absent key.
    pub(crate) fn is_null(&self) -> bool {
        self.value.get() == "null"
    }
}

/// Returns the text of a JSON string.
pub(crate) fn string(value: &RawValue) -> Option<Cow<'_, str>> {
    match value.get().as_bytes().first() {
        Some(b'"') if value.get().contains('\\') => {
            serde_json::from_str(value.get()).map(Cow::Owned).ok()
        }
        _ => serde_json::from_str(value.get()).map(Cow::Borrowed).ok(),
    }
}

/// Finds what Go's decoder refuses and serde accepts: a number beyond float64, and more than
/// 10,000 levels. `around` is the number of levels around the text.
pub(crate) fn refused_by_go(text: &str, around: usize) -> Option<(Position, &'static str)> {
    const LEVELS: usize = 10_000;
    let bytes = text.as_bytes();
    let (mut at, mut level) = (0, around);
    while let Some(byte) = bytes.get(at) {
        let rest = bytes.get(at..).unwrap_or_default();
        let length = match byte {
            b'"' => end_of_string(rest),
            b'[' | b'{' => {
                level += 1;
                1
            }
            b']' | b'}' => {
                level = level.saturating_sub(1);
                1
            }
            b'-' | b'0'..=b'9' => {
                let is_number =
                    |it: &u8| matches!(it, b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9');
                rest.iter().take_while(|it| is_number(it)).count()
            }
            _ => 1,
        };
        if level > LEVELS {
            return Some((Position(at), "more than 10000 levels"));
        }
        let number = text.get(at..at + length).and_then(|it| it.parse::<f64>().ok());
        if number.is_some_and(f64::is_infinite) {
            return Some((Position(at), "a number that is too large"));
        }
        at += length;
    }
    None
}

/// Returns the length of the JSON string at the start of `bytes`.
fn end_of_string(bytes: &[u8]) -> usize {
    let mut at = 1;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// Replaces unpaired `\uD800` to `\uDFFF` by `\uFFFD`, as Go's decoder does, because serde
/// refuses them. Positions do not change.
pub(crate) fn without_lone_surrogates(text: &str) -> Cow<'_, str> {
    if !text.contains("\\u") {
        return text.into();
    }
    let code = |at: usize| {
        let escape = text.get(at..at + 6)?.strip_prefix("\\u")?;
        u32::from_str_radix(escape, 16).ok()
    };
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|it| !it.is_empty()) {
        let length = match (code(at), code(at + 6)) {
            (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => 12,
            (Some(0xd800..=0xdfff), _) => {
                out.push_str("\\uFFFD");
                at += 6;
                continue;
            }
            (Some(_), _) => 6,
            // An escape of two characters, such as `\\`.
            (None, _) if rest.starts_with('\\') => {
                1 + rest.chars().nth(1).map_or(0, char::len_utf8)
            }
            (None, _) => rest.find('\\').unwrap_or(rest.len()),
        };
        out.push_str(rest.get(..length).unwrap_or(rest));
        at += length.max(1);
    }
    out.into()
}

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        struct MembersVisitor;
        impl<'de> Visitor<'de> for MembersVisitor {
            type Value = Members<'de>;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some((name, value)) = map.next_entry()? {
                    members.push(Member { name, value });
                }
                Ok(Members(members))
            }
        }
        input.deserialize_map(MembersVisitor)
    }
}

/// Returns an object with these members as JSON text.
pub(crate) fn object_text(members: &Members<'_>) -> String {
    let members = members.iter().map(|Member { name, value }| {
        format!("{}:{}", serde_json::to_string(name).unwrap_or_default(), value.get())
    });
    format!("{{{}}}", members.collect::<Vec<_>>().join(","))
}

/// Returns a JSON object with one member.
pub(crate) fn object_with(name: &str, value: &RawValue) -> Box<RawValue> {
    let name = serde_json::to_string(name).unwrap_or_default();
    let text = format!("{{{name}:{}}}", value.get());
    // The two parts are JSON, so the whole is.
    RawValue::from_string(text).unwrap_or_default()
}

/// Describes a position in a text, in bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Position(usize);

impl Position {
    pub(crate) const START: Self = Self(0);

    /// Returns the position of a value that was parsed from `text`.
    pub(crate) fn of_value(text: &str, value: &RawValue) -> Self {
        Self((value.get().as_ptr() as usize).saturating_sub(text.as_ptr() as usize))
    }

    pub(crate) fn of_error(text: &str, error: &serde_json::Error) -> Self {
        let before = text.split_inclusive('\n').take(error.line().saturating_sub(1));
        let line: usize = before.map(str::len).sum();
        Self(line + error.column().saturating_sub(1))
    }

    /// Returns line and column, both from 1. A column is a character.
    pub(crate) fn line_and_column(self, text: &str) -> (usize, usize) {
        let before = text.get(..text.floor_char_boundary(self.0)).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        (line, column)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn surrogates_without_a_pair_are_replaced_as_in_go() {
        for (text, expected) in [
            (r#""a\ud800b""#, r#""a\uFFFDb""#),
            (r#""\ud83d\ude00""#, r#""\ud83d\ude00""#),
            (r#""\ude00\ud83d""#, r#""\uFFFD\uFFFD""#),
            (r#""\\ud800""#, r#""\\ud800""#),
            (r#""\ud800\n\u0041ä""#, r#""\uFFFD\n\u0041ä""#),
            ("no escape", "no escape"),
        ] {
            assert_eq!(without_lone_surrogates(text), expected);
        }
    }

    #[test]
    fn what_go_refuses_is_found_outside_strings() {
        let levels = |count: usize| "[".repeat(count) + &"]".repeat(count);
        for text in [r#"{"a":["1e400", 1e300, -0.5]}"#, r#"{"a\"1e400":1}"#, &*levels(10_000)] {
            assert!(refused_by_go(text, 0).is_none(), "{text}");
        }
        let (at, _) = refused_by_go(r#"{"a":1e400}"#, 0).unwrap();
        assert_eq!(at.0, 5);
        assert!(refused_by_go(&levels(10_000), 1).is_some());
    }
}

// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Reads JSON as Go's `encoding/json` does. The agent is a Go program and receives the
//! configuration unchanged, so the plugin accepts what Go accepts.
//!
//! Go accepts more than serde does: duplicate keys, strings with invalid UTF-8 or lone surrogates,
//! numbers of any size, and any depth. Of several keys that differ only in case, the last one wins.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Error;
use serde_json::value::RawValue;

/// Checks that `json` is exactly one JSON object.
pub(crate) fn check_object(json: &[u8]) -> Result<(), Error> {
    for_each_member(&text_lossy(json), |_| false, |_, _| ())
}

/// Returns `json` as text, with one `?` in place of each invalid byte, so that positions stay the
/// same. Go writes U+FFFD.
pub(crate) fn text_lossy(json: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(json) {
        return Cow::Borrowed(text);
    }
    let mut text = String::with_capacity(json.len());
    for chunk in json.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(std::iter::repeat_n('?', chunk.invalid().len()));
    }
    Cow::Owned(text)
}

/// Parses the object `json` and passes each member whose decoded key is `wanted` to `take`, in
/// order, with the exact text of its value.
pub(crate) fn for_each_member<'a>(
    json: &'a str,
    wanted: impl Fn(&[u8]) -> bool,
    take: impl FnMut(&[u8], &'a RawValue),
) -> Result<(), Error> {
    let mut input = serde_json::Deserializer::from_str(json);
    input.deserialize_map(Members { wanted, take })?;
    input.end()
}

struct Members<W, T> {
    wanted: W,
    take: T,
}

impl<'a, W, T> Visitor<'a> for Members<W, T>
where
    W: Fn(&[u8]) -> bool,
    T: FnMut(&[u8], &'a RawValue),
{
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("an object")
    }

    fn visit_map<A: MapAccess<'a>>(mut self, mut map: A) -> Result<(), A::Error> {
        // A key is read as raw text first, because serde_json then rejects control characters.
        while let Some(key) = map.next_key::<&RawValue>()? {
            let mut key = serde_json::Deserializer::from_str(key.get());
            let key = Bytes.deserialize(&mut key).map_err(serde::de::Error::custom)?;
            if (self.wanted)(&key) {
                (self.take)(&key, map.next_value()?);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

/// Returns the string that `value` holds. `Some(None)` means `null`, which Go's decoder ignores;
/// `None` means another type.
pub(crate) fn parse_string(value: &RawValue) -> Option<Option<String>> {
    if value.get() == "null" {
        return Some(None);
    }
    let bytes = Bytes.deserialize(&mut serde_json::Deserializer::from_str(value.get())).ok()?;
    Some(Some(String::from_utf8_lossy(&bytes).into_owned()))
}

/// Reads a JSON string as bytes, because serde_json then accepts lone surrogates.
struct Bytes;

impl<'a> DeserializeSeed<'a> for Bytes {
    type Value = Cow<'a, [u8]>;

    fn deserialize<D: Deserializer<'a>>(self, input: D) -> Result<Self::Value, D::Error> {
        input.deserialize_bytes(self)
    }
}

impl<'a> Visitor<'a> for Bytes {
    type Value = Cow<'a, [u8]>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a string")
    }

    fn visit_borrowed_bytes<E>(self, bytes: &'a [u8]) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(bytes))
    }

    fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Self::Value, E> {
        Ok(Cow::Owned(bytes.to_vec()))
    }

    fn visit_borrowed_str<E>(self, text: &'a str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(text.as_bytes()))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(text.as_bytes().to_vec()))
    }
}

/// Returns whether Go's decoder stores a member `key` in the ASCII field `name`. Go ignores case,
/// and folds the Kelvin sign and the long s to ASCII letters.
pub(crate) fn names_field(key: &[u8], name: &str) -> bool {
    let mut name = name.bytes();
    let mut key = key;
    loop {
        let (folded, rest) = match key {
            [] => return name.next().is_none(),
            [0xe2, 0x84, 0xaa, rest @ ..] => (b'k', rest),
            [0xc5, 0xbf, rest @ ..] => (b's', rest),
            [byte, rest @ ..] => (byte.to_ascii_lowercase(), rest),
        };
        if name.next().map(|byte| byte.to_ascii_lowercase()) != Some(folded) {
            return false;
        }
        key = rest;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_go_accepts_is_accepted() {
        for good in [
            &b"{}"[..],
            b" \n\t\r{ } ",
            br#"{"a":1e400,"a":[-0.0E-9,9007199254740993]}"#,
            br#"{"\ud800":"\udfff"}"#,
            b"{\"\xff\":\"\xfe\"}",
            format!("{{\"a\":{}{}}}", "[".repeat(9000), "]".repeat(9000)).as_bytes(),
        ] {
            assert!(check_object(good).is_ok(), "{}", String::from_utf8_lossy(good));
        }
    }

    #[test]
    fn what_go_refuses_is_refused() {
        for bad in [
            &b""[..],
            b" ",
            b"null",
            b"true",
            b"[]",
            b"{} {}",
            b"{}\0",
            br#"{"a":01}"#,
            br#"{"a":1.}"#,
            br#"{"a":NaN}"#,
            br#"{"a":1,}"#,
            b"{\"a\":\"\n\"}",
            b"{\"\n\":1}",
            b"{\"a\\n\0\":1}",
            br#"{"a\x":1}"#,
            b"\xef\xbb\xbf{}",
            b"{\"a\":\xff}",
            br#"{"a":"\x"}"#,
        ] {
            assert!(check_object(bad).is_err(), "{}", String::from_utf8_lossy(bad));
        }
    }

    #[test]
    fn keys_are_compared_as_go_does() {
        for same in ["cniVersion", "CNIVERSION", "cniver\u{17f}ion"] {
            assert!(names_field(same.as_bytes(), "cniVersion"), "{same}");
        }
        assert!(names_field("\u{212a}ey".as_bytes(), "key"));
        for other in ["cniVersio", "cniVersions", "cni-version", ""] {
            assert!(!names_field(other.as_bytes(), "cniVersion"), "{other}");
        }
    }

    #[test]
    fn positions_stay_where_bytes_are_no_utf8() {
        assert_eq!(text_lossy(b"a\xff\xe2\x84b"), "a???b");
    }
}

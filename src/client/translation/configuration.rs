// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Converts a configuration to a lower version, and the result of its ADD back.

use std::ops::Range;

use semver::Version;
use serde_json::value::RawValue;

use super::comparable::Comparable;
use super::convert::convert;
use super::object::{Error, Object};
use crate::action::Action;
use crate::json;

/// Holds a configuration, and where its `cniVersion` and `prevResult` are.
pub(super) struct Translation<'a> {
    configuration: &'a [u8],
    /// Its `cniVersion`
    version: String,
    action: Action,
    /// Positions of the values of `cniVersion`
    versions: Vec<Range<usize>>,
    /// Position of the value of `prevResult`, unless it is `null`
    prev_result: Option<Range<usize>>,
}

impl<'a> Translation<'a> {
    pub(super) fn new(
        configuration: &'a [u8],
        version: &Version,
        action: Action,
    ) -> Result<Self, Error> {
        let text = json::text_lossy(configuration);
        let (mut versions, mut prev_results) = (Vec::new(), Vec::new());
        let is_prev_result = |key: &[u8]| json::names_field(key, "prevResult");
        json::for_each_member(
            &text,
            |key| is_prev_result(key) || json::names_field(key, "cniVersion"),
            |key, value| {
                let spans = if is_prev_result(key) { &mut prev_results } else { &mut versions };
                spans.push(span_of(&text, value));
            },
        )
        .map_err(|_| Error::NotAResult)?;
        if prev_results.len() > 1 {
            return Err(Error::Ambiguous);
        }
        let is_null = |span: &Range<usize>| text.get(span.clone()) == Some("null");
        let prev_result = prev_results.pop().filter(|span| !is_null(span));
        Ok(Self { configuration, version: version.to_string(), action, versions, prev_result })
    }

    /// Returns the configuration in version `lower`. Only the values of `cniVersion` and
    /// `prevResult` differ.
    pub(super) fn configuration_in(&self, lower: &Version) -> Result<Vec<u8>, Error> {
        let lower = lower.to_string();
        let quoted_version = format!("\"{lower}\"");
        let mut values: Vec<_> =
            self.versions.iter().map(|span| (span.clone(), quoted_version.clone())).collect();
        if let Some(span) = &self.prev_result {
            let value =
                match self.prev_result().and_then(|text| convert(text, &self.version, &lower)) {
                    Ok(value) => value,
                    // Agents do not read `prevResult` on DEL.
                    Err(_) if self.action == Action::Del => "null".to_owned(),
                    Err(error) => return Err(error),
                };
            values.push((span.clone(), value));
        }
        values.sort_by_key(|(span, _)| span.start);
        Ok(self.replace(&values))
    }

    /// Converts the result of an ADD that was sent as `sent` to the configuration's version.
    ///
    /// A chained agent returns `prevResult`, but older agents drop the parts that they do not know.
    /// So the runtime's `prevResult` becomes the result: byte for byte, unless its `cniVersion`
    /// differs.
    pub(super) fn result_from(&self, sent: &Version, result: &[u8]) -> Result<Vec<u8>, Error> {
        let text = std::str::from_utf8(result).map_err(|_| Error::NotAResult)?;
        let repeated = self.repeated_prev_result(text).transpose();
        let converted = repeated.unwrap_or_else(|| convert(text, &sent.to_string(), &self.version));
        converted.map(String::into_bytes)
    }

    /// Returns `prevResult` if `result` only repeats it. Results that cannot be compared count as
    /// different.
    fn repeated_prev_result(&self, result: &str) -> Result<Option<String>, Error> {
        let (true, Ok(prev_result)) = (self.prev_result.is_some(), self.prev_result()) else {
            return Ok(None);
        };
        let (Ok(came), Ok(went)) = (Comparable::parse(prev_result), Comparable::parse(result))
        else {
            return Ok(None);
        };
        if came != went {
            return Ok(None);
        }
        let written_version = Object::parse(prev_result)?.cni_version()?;
        if written_version.is_none_or(|it| it == self.version) {
            return Ok(Some(prev_result.to_owned()));
        }
        convert(prev_result, &self.version, &self.version).map(Some)
    }

    fn prev_result(&self) -> Result<&str, Error> {
        let span = self.prev_result.clone().unwrap_or_default();
        let bytes = self.configuration.get(span).unwrap_or_default();
        std::str::from_utf8(bytes).map_err(|_| Error::NotAResult)
    }

    fn replace(&self, values: &[(Range<usize>, String)]) -> Vec<u8> {
        let mut replaced = Vec::with_capacity(self.configuration.len() + 64);
        let mut done = 0;
        for (span, value) in values {
            replaced.extend(self.configuration.get(done..span.start).unwrap_or_default());
            replaced.extend(value.as_bytes());
            done = span.end;
        }
        replaced.extend(self.configuration.get(done..).unwrap_or_default());
        replaced
    }
}

/// Returns the position in `text` of a value that was parsed from it.
fn span_of(text: &str, value: &RawValue) -> Range<usize> {
    let start = value.get().as_ptr().addr() - text.as_ptr().addr();
    start..start + value.get().len()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn request(configuration: &str, action: Action, lower: [u64; 3]) -> Result<String, Error> {
        let version = Version::new(1, 1, 0);
        let translation = Translation::new(configuration.as_bytes(), &version, action)?;
        let bytes = translation.configuration_in(&Version::new(lower[0], lower[1], lower[2]))?;
        Ok(String::from_utf8(bytes).unwrap())
    }

    #[test]
    fn every_key_that_go_reads_as_cniversion_is_replaced() {
        let configuration = "{ \"cniVersion\" : \"1.1.0\", \"CNIVERSION\":null,\n \"\\u0063niVer\u{17f}ion\":\"1.1.0\", \"x\":{\"cniVersion\":\"1.1.0\"} }";
        assert_eq!(
            request(configuration, Action::Add, [0, 4, 0]).unwrap(),
            "{ \"cniVersion\" : \"0.4.0\", \"CNIVERSION\":\"0.4.0\",\n \"\\u0063niVer\u{17f}ion\":\"0.4.0\", \"x\":{\"cniVersion\":\"1.1.0\"} }"
        );
    }

    #[test]
    fn prev_result_goes_down_to_the_shape_of_its_version() {
        let configuration = r#"{"cniVersion":"1.1.0","prevResult":{"cniVersion":"1.1.0","interfaces":[{"name":"e","mtu":1,"socketPath":"s","pciID":"p","mac":"m"}],"ips":[{"address":"10.0.0.2/24"},{"address":"fd00::2/64","x":1.50}],"new":[1e2]}}"#;
        assert_eq!(
            request(configuration, Action::Add, [1, 0, 0]).unwrap(),
            configuration.replace("1.1.0", "1.0.0")
        );
        assert_eq!(
            request(configuration, Action::Add, [0, 4, 0]).unwrap(),
            r#"{"cniVersion":"0.4.0","prevResult":{"cniVersion":"0.4.0","interfaces":[{"name":"e","mac":"m"}],"ips":[{"version":"4","address":"10.0.0.2/24"},{"version":"6","address":"fd00::2/64","x":1.50}],"new":[1e2]}}"#
        );
    }

    #[test]
    fn what_cannot_be_converted_is_null_on_del_and_an_error_else() {
        for prev_result in [
            "5",
            "[]",
            r#""x""#,
            r#"{"cniVersion":"0.2.0"}"#,
            r#"{"cniVersion":"2.0.0"}"#,
            r#"{"cniVersion":1}"#,
            r#"{"ips":[{"address":"10.0.0.2"}]}"#,
            r#"{"ips":[{}]}"#,
            r#"{"ips":5}"#,
        ] {
            let configuration = format!(r#"{{"prevResult":{prev_result},"cniVersion":"1.1.0"}}"#);
            let del = request(&configuration, Action::Del, [0, 4, 0]).unwrap();
            assert_eq!(del, r#"{"prevResult":null,"cniVersion":"0.4.0"}"#);
            assert!(request(&configuration, Action::Check, [0, 4, 0]).is_err(), "{prev_result}");
        }
        let twice = r#"{"prevResult":{},"PrevResult":{},"cniVersion":"1.1.0"}"#;
        assert_eq!(request(twice, Action::Del, [0, 4, 0]), Err(Error::Ambiguous));
    }

    #[test]
    fn results_go_up_whatever_shape_they_have_under_their_label() {
        let version = Version::new(1, 1, 0);
        let sent = Version::new(0, 4, 0);
        let translation = Translation::new(b"{}", &version, Action::Add).unwrap();
        let up = |result: &str| translation.result_from(&sent, result.as_bytes());
        for ip in [r#"{"version":"4","address":"10.0.0.2/24"}"#, r#"{"address":"10.0.0.2/24"}"#] {
            for label in [r#""cniVersion":"0.4.0","#, r#""cniVersion":"0.3.1","#, ""] {
                let result = format!(r#"{{{label}"ips":[{ip}],"dns":{{}},"x":1.0}}"#);
                assert_eq!(
                    String::from_utf8(up(&result).unwrap()).unwrap(),
                    r#"{"cniVersion":"1.1.0","ips":[{"address":"10.0.0.2/24"}],"x":1.0}"#
                );
            }
        }
        assert_eq!(up(r#"{"cniVersion":"0.2.0"}"#), Err(Error::UnknownVersion("0.2.0".to_owned())));
        assert_eq!(up("[]"), Err(Error::NotAResult));
        assert!(up(r#"{"cniVersion":"0.4.0","dns":{"domain":"d"}}"#).unwrap().ends_with(b"}}"));
    }

    /// Generates white space, keys in any case and with escapes, nesting, duplicates.
    fn member() -> impl Strategy<Value = String> {
        let space = "[ \n\t]{0,2}";
        let key = prop_oneof![
            Just("cniVersion"),
            Just("CNIVersion"),
            Just("cni\\u0056ersion"),
            Just("cniVer\u{17f}ion"),
            Just("name"),
            Just("antreaCni"),
            Just("a\\\"b"),
        ];
        let value = prop_oneof![
            Just("\"1.1.0\""),
            Just("null"),
            Just("{\"cniVersion\": \"1.1.0\", \"prevResult\": {} }"),
            Just("[ 1e400, -0.0, \"\\ud800\", {} ]"),
            Just("\"}{,:\\\"\""),
        ];
        (space, key, space, value, space)
            .prop_map(|(a, key, b, value, c)| format!("{a}\"{key}\"{b}:{b}{value}{c}"))
    }

    proptest! {
        /// Compares what is left after the values that may change were removed from both.
        #[test]
        fn nothing_but_two_kinds_of_values_changes(
            before in prop::collection::vec(member(), 0..5),
            prev_result in prop::option::of(prop::sample::select(vec![
                "null", "{}", "{\"ips\": [ {\"address\":\"1.2.3.4/8\"} ] }", "5",
            ])),
            after in prop::collection::vec(member(), 0..5),
            garbage in any::<bool>(),
        ) {
            let prev_result = prev_result.map(|value| format!(" \"PREVRESULT\" : {value} "));
            let members: Vec<_> = before.into_iter().chain(prev_result).chain(after).collect();
            let mut original = format!("{{{}}}", members.join(",")).into_bytes();
            if garbage {
                original.splice(1..1, b"\"\xff\":\"\xc3\",".iter().copied());
                if members.is_empty() {
                    original.splice(1..1, b"\"a\":1,".iter().copied());
                    let comma = original.iter().rposition(|byte| *byte == b',').unwrap();
                    original.remove(comma);
                }
            }
            let version = Version::new(1, 1, 0);
            let cut = |bytes: &[u8]| {
                let text = json::text_lossy(bytes);
                let mut cuts = Vec::new();
                let may_change = |key: &[u8]| {
                    ["cniVersion", "prevResult"].iter().any(|name| json::names_field(key, name))
                };
                json::for_each_member(&text, may_change, |_, value| cuts.push(span_of(&text, value))).unwrap();
                let (mut left, mut done) = (Vec::<u8>::new(), 0);
                for span in cuts {
                    left.extend(&bytes[done..span.start]);
                    done = span.end;
                }
                left.extend(&bytes[done..]);
                left
            };
            for lower in crate::input::version::LOWER {
                let translation = Translation::new(&original, &version, Action::Del).unwrap();
                let translated = translation.configuration_in(&lower).unwrap();
                prop_assert_eq!(cut(&original), cut(&translated));
            }
        }
    }
}

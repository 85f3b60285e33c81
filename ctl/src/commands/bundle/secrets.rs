// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Leaves secrets out of what is given to other people. In doubt, a value is left out.

use std::sync::LazyLock;

use antrea_cni::input::Settings;
use regex_lite::Regex;
use serde_json::value::RawValue;
use serde_json::{Deserializer, Value};

use crate::json_spans::{Members, string};

/// What stands in the place of a value.
const LEFT_OUT: &str = "(left out)";

/// Most levels of JSON that are looked into. A network configuration has few.
const MAX_LEVELS: usize = 64;

/// The keys of a network configuration whose values are shown: those of the CNI specification, of
/// its well-known plugins, and of Multus. This plugin's settings are shown, too. Any other key may
/// name a secret.
const SHOWN: &str = "
    addIf address addresses aliases antreaCni attachIf bandwidth binDir bridge capabilities
    checkAntreaStatus chain cniDir cniVersion cniVersions clusterNetwork confDir conditionsV4
    conditionsV6 dataDir defaultNetworks delegate delegates deviceID disableCheck disableGC dns
    domain dst egressBurst egressRate enabled forceAddress gateway gw hairpinMode host
    hostDevice ifName ingressBurst ingressRate interface ip ipMasq ipMasqBackend ipam ips
    isDefaultGateway isGateway keepAddresses linkInContainer logFile logLevel
    loadOnlyInlinedPlugins mac master mode mtu multusNamespace name nameservers
    namespaceIsolation options plugins portMappings prevResult promiscMode range rangeEnd
    rangeStart ranges readinessindicatorfile resolvConf routes sandbox scope search snat subnet
    sysctl systemNamespaces table tuning type vlan vlanId vrfname
";

/// Matches secrets by their form, wherever they are.
static FORMS: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    const LONG: &str = r"[A-Za-z0-9_-]*(passw(or)?d|passphrase|secret|token|credentials?|(api|access|private|client)[_-]?key)[A-Za-z0-9_-]*";
    const SHORT: &str = "(pass|pwd|psk|otp|pin|sig)";
    const BETWEEN: &str = r#"[\\"']*\s*([=:]|\bis\b)[\s\[]*"#;
    // A quote may have no end where a text was cut.
    const VALUE: &str = r#"(\\*"[^"]*"?|'[^']*'?|[^\s"'\\;&}]+)"#;
    let word = format!(r"(?i)(?P<before>\b({LONG}|{SHORT}){BETWEEN}){VALUE}");
    let forms = [
        // PEM, whose end may be missing.
        r"(?s)-----BEGIN .*?(-----END [^\n]*|\z)",
        // The user of a URL. A password may have any character.
        r#"://[^ "@]*@"#,
        r"(?i)authorization[\x22'\\]*\s*[:=][\s\x22'\\\[]*[^\s\x22]+(\s+[^\s\x22]+)?",
        r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]+",
        // What well-known tokens begin with: JSON Web Tokens, Kubernetes' YAML in base64, clouds.
        r"\b(eyJ|YXBpVmVyc2lvb|AKIA|ASIA|gh[opsu]_|github_pat_|xox[a-z]-|ya29\.|glpat-)[A-Za-z0-9._/+=-]{6,}",
        r"\$(1|5|6|2[aby]|y)\$[A-Za-z0-9./$]+",
        // curl -u USER:PASSWORD, mysql -pPASSWORD
        r"\s-(u\s*\S+:|p)\S+",
        word.as_str(),
    ];
    forms.iter().filter_map(|form| Regex::new(form).ok()).collect()
});

/// Returns the answer of a command without what has the form of a secret. JSON stays JSON.
pub(super) fn leave_out_of_answer(text: &str) -> String {
    let documents = Deserializer::from_str(text).into_iter::<&RawValue>();
    match documents.collect::<Result<Vec<_>, _>>() {
        Ok(all) => all.iter().map(|it| Rules::ANSWER.apply(it, true, 0) + "\n").collect(),
        Err(_) => leave_out_of_text(text),
    }
}

/// Returns a text that is not JSON without what has the form of a secret.
pub(super) fn leave_out_of_text(text: &str) -> String {
    FORMS.iter().fold(text.to_owned(), |text, form| {
        form.replace_all(&text, format!("${{before}}{LEFT_OUT}")).into_owned()
    })
}

/// Returns a string of an answer without what has the form of a secret. JSON that it quotes stays
/// JSON. What follows a key in PEM may belong to it.
fn leave_out_of_string(text: &str) -> String {
    if let Some((before, _)) = text.split_once("-----BEGIN ") {
        return leave_out_of_string(before) + LEFT_OUT;
    }
    let quoted = text.find(['{', '[']).zip(text.rfind(['}', ']']));
    let parts = quoted.and_then(|(from, to)| {
        let json = serde_json::from_str::<&RawValue>(text.get(from..=to)?).ok()?;
        Some((text.get(..from)?, json, text.get(to + 1..)?))
    });
    match parts {
        Some((before, json, after)) => {
            let json = Rules::ANSWER.apply(json, is_clean(&format!("{before}x")), 0);
            format!("{}{json}{}", leave_out_of_text(before), leave_out_of_text(after))
        }
        None => leave_out_of_text(text),
    }
}

/// Returns a network configuration with the values of [`SHOWN`] keys, and of them without those
/// that have the form of a secret. Returns `None` if the text is not a JSON object.
pub(super) fn leave_out_of_json(text: &str) -> Option<String> {
    let value: &RawValue = serde_json::from_str(text).ok()?;
    Members::parse_value(value).ok()?;
    Some(Rules::CONFIGURATION.apply(value, true, 0))
}

fn is_clean(text: &str) -> bool {
    !FORMS.iter().any(|form| form.is_match(text))
}

/// Tells what of a JSON document is shown.
struct Rules {
    /// Whether the values of a key are shown
    shows_key: fn(&str) -> bool,
    /// What is shown of a string
    string: fn(&str) -> String,
}

impl Rules {
    const ANSWER: Self =
        Self { shows_key: |key| is_clean(&format!("{key}=x")), string: leave_out_of_string };

    const CONFIGURATION: Self = Self {
        shows_key: |key| {
            let settings = Settings::TABLE.iter().map(|it| it.name);
            SHOWN.split_whitespace().chain(settings).any(|it| it.eq_ignore_ascii_case(key))
        },
        string: |text| if is_clean(text) { text.to_owned() } else { LEFT_OUT.to_owned() },
    };

    /// Returns what is shown of a value. `is_shown` tells whether its key is shown: without that, no
    /// string and no number of the value is.
    fn apply(&self, value: &RawValue, is_shown: bool, level: usize) -> String {
        let left_out = || format!("{LEFT_OUT:?}");
        if level > MAX_LEVELS {
            return left_out();
        }
        if let Ok(members) = Members::parse_value(value) {
            let members = members.iter().map(|member| {
                let is_shown = is_shown && (self.shows_key)(&member.name);
                let name = Value::from(leave_out_of_text(&member.name));
                format!("{name}:{}", self.apply(member.value, is_shown, level + 1))
            });
            return format!("{{{}}}", members.collect::<Vec<_>>().join(","));
        }
        if let Ok(elements) = serde_json::from_str::<Vec<&RawValue>>(value.get()) {
            let elements = elements.into_iter().map(|it| self.apply(it, is_shown, level + 1));
            return format!("[{}]", elements.collect::<Vec<_>>().join(","));
        }
        let is_word = matches!(value.get(), "true" | "false" | "null");
        let is_number =
            value.get().starts_with(|first: char| first == '-' || first.is_ascii_digit());
        match string(value) {
            _ if is_word || is_shown && is_number => value.get().to_owned(),
            Some(text) if is_shown => Value::from((self.string)(&text)).to_string(),
            _ => left_out(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_patterns_are_regular_expressions() {
        assert_eq!(FORMS.len(), 8);
    }

    #[test]
    fn what_is_no_secret_stays_as_it_is() {
        let list = r#"{"cniVersion":"1.0.0","name":"antrea","plugins":[{"type":"antrea","ipam":{"type":"host-local"}},{"type":"portmap","capabilities":{"portMappings":true}}],"mtu":1e400,"mtu":2}"#;
        assert_eq!(leave_out_of_json(list).as_deref(), Some(list));
        let log = r#"{"time":"2026-11-24T10:00:00Z","command":"ADD","socket":"/var/run/antrea/cni.sock","message":"service account token expired: no such container a1b2","key":"logFile"}"#;
        assert_eq!(leave_out_of_answer(log), format!("{log}\n"));
        for no_object in ["", "apiVersion: v1\nkind: Config\n", "[1]", "7"] {
            assert!(leave_out_of_json(no_object).is_none(), "{no_object}");
        }
    }

    #[test]
    fn an_answer_stays_json() {
        for (text, expected) in [
            (r#"{"token":"x","a":1}"#, r#"{"token":"(left out)","a":1}"#),
            (r#"{"m":"token=\"x y\", b"}"#, r#"{"m":"token=(left out), b"}"#),
            (r#"{"m":"pwd=x"}"#, r#"{"m":"pwd=(left out)"}"#),
            (r#"{"m":"no token:","a":1}"#, r#"{"m":"no token:","a":1}"#),
            (r#"{"token":"","a":1}"#, r#"{"token":"(left out)","a":1}"#),
            (r#"{"pass":true,"n":1}"#, r#"{"pass":true,"n":1}"#),
            (r#"{"pin":7,"n":1}"#, r#"{"pin":"(left out)","n":1}"#),
            (r#"[{"token":["x",{"a":"x"}]}]"#, r#"[{"token":["(left out)",{"a":"(left out)"}]}]"#),
            (r#"{"password=x":1}"#, r#"{"password=(left out)":"(left out)"}"#),
        ] {
            assert_eq!(leave_out_of_answer(text), format!("{expected}\n"));
        }
        let not_json = "cannot log in: token: x, y\n";
        assert_eq!(leave_out_of_answer(not_json), "cannot log in: token: (left out) y\n");
    }

    /// As an error text quotes it, also more than once.
    #[test]
    fn json_in_a_string_has_no_secret() {
        for mut text in [
            r#"{"Authorization":"s3cr3t"}"#,
            r#"{"token":"s3cr3t"}"#,
            r#"{"token":["s3cr3t"]}"#,
            r#"refused: {"token":{"v":"s3cr3t"}}"#,
            r#"{"token":["a","s3cr3t"]}, twice"#,
            r#"token: {"v":"s3cr3t"}"#,
            "{\"url\":\"https://u\n:s3cr3t@x\"}",
        ]
        .map(str::to_owned)
        {
            for _ in 0..3 {
                text = [("m", text)].into_iter().collect::<Value>().to_string();
                let shown = leave_out_of_answer(&text);
                assert!(!shown.contains("s3cr3t"), "{text}: {shown}");
                assert!(serde_json::from_str::<Value>(&shown).is_ok(), "{shown}");
            }
        }
    }

    #[test]
    fn a_secret_without_an_end_is_left_out_to_the_end() {
        for (text, expected) in [
            (r#"{"m":"token=\"x y"}"#, r#"{"m":"token=(left out)"}"#),
            (r#"{"m":"pwd: 'x y"}"#, r#"{"m":"pwd: (left out)"}"#),
            (r#"{"m":"-----BEGIN RSA PRIVATE KEY-----\nx\ny"}"#, r#"{"m":"(left out)"}"#),
            (r#"{"m":"-----BEGIN X-----\nx\n-----END X-----\ny"}"#, r#"{"m":"(left out)"}"#),
        ] {
            assert_eq!(leave_out_of_answer(text), format!("{expected}\n"));
        }
    }

    #[test]
    fn a_pem_header_hides_its_own_line_alone() {
        let text = "{\"message\":\"-----BEGIN RSA PRIVATE KEY-----abc\"}\n{\"message\":\"next\"}\n";
        let expected = "{\"message\":\"(left out)\"}\n{\"message\":\"next\"}\n";
        assert_eq!(leave_out_of_answer(text), expected);
    }
}

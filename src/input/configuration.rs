// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Parses the network configuration on standard input.

use semver::Version;
use serde_json::value::RawValue;

use super::environment::is_identifier;
use super::error::Error;
use super::settings::{self, Origin, Settings};
use super::version;
use crate::action::Action;
use crate::json;

/// Holds a network configuration: a JSON object with a valid name. The agent checks the rest.
#[derive(Debug)]
pub struct Configuration {
    name: String,
    cni_version: Member,
    has_prev_result: bool,
    settings: Option<Box<RawValue>>,
}

/// Holds a member that must be a string, as Go's decoder sees it.
#[derive(Debug, Default)]
enum Member {
    #[default]
    Absent,
    Text(String),
    NotAString,
}

impl Member {
    fn set(&mut self, value: &RawValue) {
        match (json::parse_string(value), &self) {
            (None, _) => *self = Self::NotAString,
            (Some(Some(text)), Self::Absent | Self::Text(_)) => *self = Self::Text(text),
            (Some(_), _) => (),
        }
    }
}

impl Configuration {
    /// Parses a configuration, and checks its name: real agents crash on `null` and `{}`.
    ///
    /// # Errors
    /// [`Error::NotAnObject`], [`Error::NotAString`], [`Error::MissingName`], [`Error::Name`].
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let (mut name, mut cni_version) = (Member::default(), Member::default());
        let (mut settings, mut has_prev_result) = (None, false);
        json::for_each_member(
            &json::text_lossy(bytes),
            |key| {
                json::names_field(key, "name")
                    || json::names_field(key, "cniVersion")
                    || json::names_field(key, "prevResult")
                    || key == Settings::KEY.as_bytes()
            },
            |key, value| {
                if key == Settings::KEY.as_bytes() {
                    settings = Some(value.to_owned());
                } else if json::names_field(key, "name") {
                    name.set(value);
                } else if json::names_field(key, "cniVersion") {
                    cni_version.set(value);
                } else {
                    has_prev_result |= value.get() != "null";
                }
            },
        )
        .map_err(Error::NotAnObject)?;
        match name {
            Member::NotAString => Err(Error::NotAString("name")),
            Member::Text(name) if !name.is_empty() => {
                if is_identifier(&name) {
                    Ok(Self { name, cni_version, has_prev_result, settings })
                } else {
                    Err(Error::Name(name))
                }
            }
            Member::Absent | Member::Text(_) => Err(Error::MissingName),
        }
    }

    /// Returns `type`, the plugin that the container runtime starts. Like Go, ignores case and
    /// takes the last of several.
    pub(crate) fn plugin_type(bytes: &[u8]) -> Option<String> {
        let mut plugin = Member::default();
        let is_type = |key: &[u8]| json::names_field(key, "type");
        json::for_each_member(&json::text_lossy(bytes), is_type, |_, value| plugin.set(value))
            .ok()?;
        match plugin {
            Member::Text(name) => Some(name),
            Member::Absent | Member::NotAString => None,
        }
    }

    /// Returns the name of the network.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns whether the configuration has the result of an earlier plugin of the conflist.
    pub fn has_prev_result(&self) -> bool {
        self.has_prev_result
    }

    /// Returns the configuration's `cniVersion`, or `None` if it has none. The specification reads
    /// that as 0.1.0, but every released agent refuses it.
    ///
    /// # Errors
    /// [`Error::NotAString`], [`Error::VersionSyntax`], [`Error::VersionTooLow`],
    /// [`Error::UnsupportedVersion`].
    pub fn cni_version(&self, action: Action) -> Result<Option<Version>, Error> {
        let text = match &self.cni_version {
            Member::NotAString => return Err(Error::NotAString("cniVersion")),
            Member::Absent => "",
            Member::Text(text) => text,
        };
        version::for_action(text, action).map(|version| (!text.is_empty()).then_some(version))
    }

    /// Returns the version for a CNI error: the configuration's if it is supported, otherwise the
    /// newest.
    pub fn version_for_errors(&self) -> Version {
        match &self.cni_version {
            Member::Absent => version::parse(""),
            Member::Text(text) => version::parse(text),
            Member::NotAString => None,
        }
        .unwrap_or(version::NEWEST)
    }

    /// Returns whether the settings of this network have a valid `socket`.
    pub(super) fn has_valid_socket(&self) -> bool {
        let mut is_set = false;
        let is_socket = |key: &[u8]| key == b"socket";
        let settings = self.settings.as_ref().map_or("{}", |it| it.get());
        let read = json::for_each_member(settings, is_socket, |_, value| {
            is_set = value.get() != "null";
        });
        let errors = self.apply_settings(&mut Settings::default());
        read.is_ok() && is_set && !errors.iter().any(settings::Error::is_of_socket)
    }

    /// Applies the settings of this network, and returns the errors in them.
    pub fn apply_settings(&self, settings: &mut Settings) -> Vec<settings::Error> {
        let value = self.settings.as_deref();
        value.map(|it| settings.apply(it, Origin::Configuration)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn version(json: &str) -> Result<Option<String>, Error> {
        Ok(Configuration::parse(json.as_bytes())?
            .cni_version(Action::Add)?
            .map(|version| version.to_string()))
    }

    #[test]
    fn the_last_of_several_keys_wins_and_null_leaves_it() {
        let json =
            r#"{"name":"a b","NAME":"x","cniVersion":"9","cniversion":"0.4.0","CNIVersion":null}"#;
        assert_eq!(version(json).unwrap().as_deref(), Some("0.4.0"));
        assert_eq!(Configuration::parse(json.as_bytes()).unwrap().name(), "x");
    }

    #[test]
    fn an_empty_name_is_a_missing_one() {
        for missing in ["{}", r#"{"name":""}"#, r#"{"name":null}"#] {
            assert!(matches!(version(missing), Err(Error::MissingName)), "{missing}");
        }
    }

    #[test]
    fn one_value_of_the_wrong_type_is_enough() {
        assert!(matches!(version(r#"{"name":5,"name":"x"}"#), Err(Error::NotAString("name"))));
        assert!(matches!(
            version(r#"{"name":"x","cniVersion":1,"cniVersion":"1.0.0"}"#),
            Err(Error::NotAString("cniVersion"))
        ));
    }

    #[test]
    fn a_socket_is_valid_whatever_stands_beside_it() {
        let socket = settings::SOCKET_PATH;
        for (settings, expected) in [
            (json!({"socket": socket}), true),
            (json!({"socket": socket, "colour": 5}), true),
            (json!({"socket": 5}), false),
            (json!({"socket": null}), false),
            (json!({"scoket": socket}), false),
            (json!(5), false),
        ] {
            let json = json!({"name": "x", "antreaCni": settings}).to_string();
            let configuration = Configuration::parse(json.as_bytes()).unwrap();
            assert_eq!(configuration.has_valid_socket(), expected, "{settings}");
        }
    }

    #[test]
    fn an_absent_version_is_none() {
        for absent in [r#"{"name":"x"}"#, r#"{"name":"x","cniVersion":""}"#] {
            assert_eq!(version(absent).unwrap(), None);
        }
    }
}

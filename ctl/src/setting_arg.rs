// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Parses settings of the plugin on the command line.

use std::path::Path;

use antrea_cni::input::settings::{Origin, Settings};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

/// Describes a setting on the command line: `KEY=VALUE`; `KEY=` or `KEY=null` removes it.
#[derive(Clone, Debug)]
pub(crate) struct SettingArg {
    pub(crate) key: String,
    pub(crate) value: Value,
}

impl SettingArg {
    /// Parses `KEY=VALUE`. A value that is not JSON is a string.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let (key, value) = text.split_once('=').ok_or("write KEY=VALUE")?;
        let value = match value {
            "" => Value::Null,
            value => serde_json::from_str(value).unwrap_or_else(|_| Value::from(value)),
        };
        let mut one = Map::new();
        one.insert(key.to_owned(), value.clone());
        match first_error(&Value::Object(one), Path::new("a setting")) {
            Some(_) if !Settings::TABLE.iter().any(|it| it.name == key) => {
                let names: Vec<_> = Settings::TABLE.iter().map(|it| it.name).collect();
                Err(format!("there is no setting {key}: there are {}", names.join(", ")))
            }
            Some(error) => Err(error.replace(" in a setting", "")),
            None => Ok(Self { key: key.to_owned(), value }),
        }
    }
}

/// Returns the first error of the plugin in some settings.
pub(crate) fn first_error(settings: &Value, path: &Path) -> Option<String> {
    let text = RawValue::from_string(settings.to_string()).ok()?;
    let wrong = Settings::default().apply(&text, Origin::Node(path));
    wrong.first().map(ToString::to_string)
}

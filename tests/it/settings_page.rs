// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! The page of settings, and the chart's schema of them, as the plugin's own table has them.
//! `UPDATE=1 cargo test --test it page` writes them.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use antrea_cni_test_support::check_file;

/// The table of settings, out of the plugin's own.
#[test]
fn the_page_of_settings_is_current() {
    let mut text = String::from(
        "# Settings\n\n\
         Settings come from two places; a key that is absent or `null` in the first is taken from the second:\n\n\
         1. the network configuration, under the key `antreaCni`, which every agent ignores:\n\
         \x20  `{\"type\": \"antrea\", \"antreaCni\": {\"waitForAgentSeconds\": 30}}`\n\
         2. a file of the node, beside the plugin and named after it: `/opt/cni/bin/.antrea.json` for\n\
         \x20  `/opt/cni/bin/antrea`. It holds the same keys: `{\"logFile\": \"/var/log/antrea/antrea-cni.log\"}`.\n\
         \x20  Antrea's installers write the network configuration anew at each start of an agent; this file\n\
         \x20  stays. `antrea-cnictl install --set KEY=VALUE` writes it, `antrea-cnictl settings` shows what\n\
         \x20  is in force. An empty file counts as absent, and the log says so.\n\n\
         All are optional; anything that is not here is an error (code 7). So is a file that is no regular file\n\
         of at most 64 KiB, that belongs neither to root nor to the plugin's user, or that others may write.\n\
         DEL and GC take the default in the place of what is wrong, so that Pods can be removed. A DEL is owed\n\
         only if what is wrong cannot be `socket`: else it is code 11 until an agent answers.\n\n\
         Written from the plugin's own table by `UPDATE=1 cargo test --test it page`.\n\n\
         | setting | values | default | |\n| --- | --- | --- | --- |\n",
    );
    let default = antrea_cni::input::Settings::default();
    for setting in antrea_cni::input::Settings::TABLE {
        let value = setting.value(&default);
        let (name, values, help) = (setting.name, setting.values(), setting.help);
        let _ = writeln!(text, "| `{name}` | {values} | `{value}` | {help} |");
    }
    assert_eq!(check_file("docs/settings.md", &text), Ok(()));
}

/// The chart's schema of settings, out of the same table.
#[test]
fn the_charts_schema_is_current() {
    let name = "deploy/helm/values.schema.json";
    let path = format!("{}/{name}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).unwrap();
    let settings = antrea_cni::input::Settings::TABLE;
    let properties: Map<_, _> =
        settings.iter().map(|it| (it.name.to_owned(), schema_of(&it.values()))).collect();
    let schema = json!({
        "type": "object", "additionalProperties": false, "properties": properties,
    });
    let schema = serde_json::to_string_pretty(&schema).unwrap().replace('\n', "\n    ");
    let (before, rest) = text.split_once("\n    \"settings\": ").unwrap();
    let (_, after) = rest.split_once("\n    }").unwrap();
    let current = format!("{before}\n    \"settings\": {schema}{after}");
    assert_eq!(check_file(name, &current), Ok(()));
}

/// The values of a setting as a JSON schema; `null` takes the setting away.
fn schema_of(values: &str) -> Value {
    if let Some(range) = values.strip_prefix("a whole number from ") {
        let (least, most) = range.split_once(" to ").unwrap();
        let [least, most] = [least, most].map(|it| it.parse::<u64>().unwrap());
        return json!({"type": ["integer", "null"], "minimum": least, "maximum": most});
    }
    if values.starts_with('"') {
        let mut words: Vec<_> = values.split('"').skip(1).step_by(2).map(Value::from).collect();
        words.push(Value::Null);
        return json!({ "enum": words });
    }
    if values == "true or false" {
        return json!({"type": ["boolean", "null"]});
    }
    assert!(values.starts_with("an absolute path"), "say here what the schema of {values} is");
    let is_socket = values.contains("at most 107 bytes");
    let pattern = if is_socket { "^(unix:(//)?)?/[^\\x00]{0,106}$" } else { "^/[^\\x00]*$" };
    json!({"type": ["string", "null"], "pattern": pattern})
}

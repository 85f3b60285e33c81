// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! The page of the JSON that plugin and tool write, made from the types in their source.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use antrea_cni_agent::Api;
use antrea_cni_test_support::TestNode;
use serde_json::{Map, Value, json};
use syn::{Attribute, Expr, Fields, GenericArgument, Item, Lit, Meta, PathArguments, Type};

/// A file, and the name of a type in it.
type Source = (&'static str, &'static str);

/// What is written: a title, what it is, the file of its types, and the types, the first of which
/// is the document.
const DOCUMENTS: &[(&str, &str, &[Source])] = &[
    (
        "A line of the log",
        "The plugin writes one line for each call (setting `logFile`); `antrea-cnictl log show --output json` \
         and `log follow --output json` show the lines as the plugin wrote them.",
        &[("src/log/event.rs", "Event"), ("src/log/event.rs", "TriedRpc")],
    ),
    (
        "`status --output json`",
        "What is installed on a node. `fleet` reads it.",
        &[
            ("ctl/src/commands/status.rs", "StatusReport"),
            ("ctl/src/commands/status.rs", "Plugin"),
            ("ctl/src/commands/status.rs", "Kept"),
            ("ctl/src/commands/status.rs", "Conflist"),
            ("ctl/src/commands/check_config/plugins.rs", "PluginReport"),
        ],
    ),
    (
        "`settings --output json`",
        "The settings in force on a node.",
        &[("ctl/src/commands/settings.rs", "InForce"), ("ctl/src/commands/settings.rs", "Setting")],
    ),
    (
        "`probe --output json`",
        "What the agent behind a socket can do. `fleet` reads it.",
        &[
            ("ctl/src/commands/probe/report.rs", "ProbeReport"),
            ("ctl/src/commands/probe/report.rs", "SocketFile"),
            ("ctl/src/commands/probe/report.rs", "Peer"),
            ("ctl/src/commands/probe/report.rs", "ApiReport"),
            ("ctl/src/commands/probe/report.rs", "MethodReport"),
            ("ctl/src/commands/probe/report.rs", "Capabilities"),
        ],
    ),
    (
        "`check-config --output json`: a file",
        "One line for each file.",
        &[
            ("ctl/src/commands/check_config/report.rs", "ConfigReport"),
            ("ctl/src/commands/check_config/checker.rs", "Finding"),
            ("ctl/src/commands/check_config/plugins.rs", "PluginReport"),
            ("ctl/src/releases.rs", "Range"),
        ],
    ),
    (
        "`check-config --output json`: a folder",
        "One line for each folder, before those of its files.",
        &[("ctl/src/commands/check_config/folder.rs", "Folder")],
    ),
    (
        "`fleet --output json`",
        "All nodes.",
        &[
            ("ctl/src/commands/fleet.rs", "Fleet"),
            ("ctl/src/commands/fleet/row.rs", "Row"),
            ("ctl/src/commands/fleet/timeline.rs", "Timeline"),
        ],
    ),
    (
        "`owed --output json`",
        "The DELs that no agent did yet.",
        &[("ctl/src/commands/owed.rs", "OwedReport"), ("ctl/src/commands/owed.rs", "Del")],
    ),
    (
        "`log summary --output json`",
        "Counts of the calls in logs.",
        &[
            ("ctl/src/commands/log/summary.rs", "Summary"),
            ("ctl/src/commands/log/summary.rs", "Group"),
            ("ctl/src/commands/log/summary.rs", "Times"),
            ("ctl/src/commands/log/summary.rs", "Agent"),
        ],
    ),
];

#[test]
fn the_page_of_json_is_current() {
    let mut page = String::from(
        "# JSON\n\n\
         What the plugin writes into its log, and what `antrea-cnictl` writes with `--output json`. Keys\n\
         stay, and new ones may come ([versioning.md](versioning.md)). \"or absent\" is a key that is left\n\
         out where there is nothing to say.\n\n\
         Written from the types in the source by `UPDATE=1 cargo test --test it page`. The names of the objects are\n         those of the types.\n",
    );
    for (title, what, types) in DOCUMENTS {
        let _ = write!(page, "\n## {title}\n\n{what}\n");
        for (number, (file, name)) in types.iter().enumerate() {
            let (about, fields) = fields(file, name);
            if number > 0 {
                let _ = match &*about {
                    "" => write!(page, "\n`{name}`:\n"),
                    about => write!(page, "\n`{name}`: {}\n", lower_first(about)),
                };
            }
            page += "\n| key | value | |\n| --- | --- | --- |\n";
            for (key, value, about) in fields {
                let _ = writeln!(page, "| `{key}` | {value} | {about} |");
            }
        }
    }
    assert_eq!(antrea_cni_test_support::check_file("docs/json.md", &page), Ok(()));
}

/// Returns what the struct `name` in `file` says of itself, and each of its keys with the kind of its
/// value and its description.
fn fields(file: &str, name: &str) -> (String, Vec<(String, String, String)>) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    let parsed = syn::parse_file(&std::fs::read_to_string(path).unwrap()).unwrap();
    let found = parsed.items.iter().find_map(|item| match item {
        Item::Struct(found) if found.ident == name => Some(found),
        _ => None,
    });
    let found = found.expect(name);
    let is_camel = serde_words(&found.attrs).iter().any(|it| it == "rename_all = \"camelCase\"");
    assert!(matches!(found.fields, Fields::Named(_)), "{file}: {name}");
    let mut fields = Vec::new();
    for field in &found.fields {
        let words = serde_words(&field.attrs);
        let has = |word: &str| words.iter().any(|it| it == word);
        assert!(!has("flatten"), "{file}: {name} may repeat a key");
        if has("skip") {
            continue;
        }
        let own = field.ident.as_ref().unwrap().to_string();
        let renamed = words.iter().find_map(|it| it.strip_prefix("rename = "));
        let key = match renamed {
            Some(key) => key.trim_matches('"').to_owned(),
            None if is_camel => camel(&own),
            None => own,
        };
        let about = description(&field.attrs);
        assert!(!about.is_empty(), "{file}: {name}.{key} has no description");
        let is_left_out = words.iter().any(|it| it.starts_with("skip_serializing_if"));
        let value = match (kind(&field.ty), is_left_out) {
            (value, true) => format!("{}, or absent", value.trim_end_matches(" or `null`")),
            (value, false) => value,
        };
        fields.push((key, value, about));
    }
    (description(&found.attrs), fields)
}

/// Returns the words in `#[serde(...)]`.
fn serde_words(attributes: &[Attribute]) -> Vec<String> {
    let mut words = Vec::new();
    for attribute in attributes.iter().filter(|it| it.path().is_ident("serde")) {
        let _ = attribute.parse_nested_meta(|meta| {
            let name = meta.path.get_ident().map(ToString::to_string).unwrap_or_default();
            words.push(match meta.value() {
                Ok(value) => format!("{name} = {:?}", value.parse::<syn::LitStr>()?.value()),
                Err(_) => name,
            });
            Ok(())
        });
    }
    words
}

/// Returns the doc comment as one line.
fn description(attributes: &[Attribute]) -> String {
    let lines = attributes.iter().filter_map(|it| match &it.meta {
        Meta::NameValue(meta) if meta.path.is_ident("doc") => match &meta.value {
            Expr::Lit(text) => match &text.lit {
                Lit::Str(text) => Some(text.value().trim().to_owned()),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    });
    lines.collect::<Vec<_>>().join(" ").trim_end_matches('.').to_owned()
}

/// Returns what JSON a type becomes.
fn kind(of: &Type) -> String {
    match of {
        Type::Array(array) => format!("list of {}", kind(&array.elem)),
        Type::Tuple(pair) => {
            format!("[{}]", pair.elems.iter().map(kind).collect::<Vec<_>>().join(", "))
        }
        Type::Reference(it) => kind(&it.elem),
        Type::Path(path) => {
            let last = path.path.segments.last().unwrap();
            let arguments: Vec<_> = match &last.arguments {
                PathArguments::AngleBracketed(it) => {
                    let types = it.args.iter().filter_map(|it| match it {
                        GenericArgument::Type(it) => Some(kind(it)),
                        _ => None,
                    });
                    types.collect()
                }
                _ => Vec::new(),
            };
            match (&*last.ident.to_string(), &*arguments) {
                ("Option", [one]) => format!("{one} or `null`"),
                ("Vec", [one]) => format!("list of {one}"),
                ("BTreeMap", [_, one]) => format!("object of {one}"),
                ("Cow", _) | ("String" | "str" | "PathBuf" | "Version", []) => "text".to_owned(),
                ("Timestamp", []) => "time (RFC 3339)".to_owned(),
                ("bool", []) => "`true` or `false`".to_owned(),
                ("u32" | "i32" | "u64" | "usize", []) => "whole number".to_owned(),
                ("f64", []) => "number".to_owned(),
                ("Value", []) => "any".to_owned(),
                ("From" | "Severity", []) => "text".to_owned(),
                ("State", []) => "text, or an object with one key".to_owned(),
                (name, _) => format!("`{name}`"),
            }
        }
        _ => "any".to_owned(),
    }
}

fn camel(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |text, word| {
        let (head, tail) = word.split_at(1);
        text + &head.to_uppercase() + tail
    })
}

fn lower_first(text: &str) -> String {
    let (head, tail) = text.split_at(text.len().min(1));
    head.to_lowercase() + tail
}

/// The page has the keys of the type; here it is seen that the plugin writes each of them.
#[test]
fn each_key_of_the_log_is_written() {
    let node = TestNode::new();
    let settings =
        json!({"logFile": node.path("log"), "logLevel": "debug", "waitForAgentSeconds": 0});
    let call = |command: &str, more: Value| {
        let mut settings = settings.clone();
        settings.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        node.call_with(command, "1.1.0", settings).env("TRACEPARENT", parent).run()
    };
    call("DEL", json!({}));
    let _agent = node.agent(&[Api::V1]);
    call("GC", json!({"unknown": 1}));
    call("ADD", json!({}));
    call("STATUS", json!({}));
    let (_, fields) = fields("src/log/event.rs", "Event");
    let documented: BTreeSet<_> = fields.into_iter().map(|(key, ..)| key).collect();
    let log = std::fs::read_to_string(node.path("log")).unwrap();
    let mut written = BTreeSet::new();
    for line in log.lines() {
        let event: Map<String, Value> = serde_json::from_str(line).unwrap();
        written.extend(event.into_iter().map(|(key, _)| key));
    }
    // Those that only some calls have.
    let rare = ["podNamespace", "podName", "podUid", "message", "owedErrors"];
    let missing: Vec<_> =
        documented.iter().filter(|it| !written.contains(*it) && !rare.contains(&&***it)).collect();
    assert!(missing.is_empty(), "no line has {missing:?}");
}

//! What a runtime refuses to load, as libcni 1.3.0 judges: names of a list are read as
//! they are written, those of a plugin in any case, `null` only where Go leaves a field
//! alone.

use std::path::Path;

use serde_json::Value;
use serde_json::value::RawValue;

use super::findings::Checker;
use super::node::is_path;
use crate::document::{Members, Position};

/// How a runtime reads a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    List,
    Plugin,
}

impl Kind {
    /// By the extension; for standard input by what it is.
    pub(super) fn of(path: &Path, text: &str) -> Option<Self> {
        match path.extension().and_then(|it| it.to_str()) {
            Some("conflist") => Some(Self::List),
            Some("conf" | "json") => Some(Self::Plugin),
            _ if path == Path::new("-") => {
                let is_list = Members::read(text).is_ok_and(|it| it.exact("plugins").is_some());
                Some(if is_list { Self::List } else { Self::Plugin })
            }
            _ => None,
        }
    }
}

impl<'a> Checker<'a> {
    /// Checks a list, and gives the version that libcni 1.3.0 takes.
    pub(super) fn list(&mut self, root: &Members<'a>, path: &Path) -> Option<String> {
        if let Some(name) = root.exact("name").filter(|it| !it.tree().is_string()) {
            self.refuse(Position::of(self.text, name.value), "name is not a string");
        }
        for key in ["disableCheck", "disableGC", "loadOnlyInlinedPlugins"] {
            let Some(member) = root.exact(key) else { continue };
            let is_bool = match member.tree() {
                Value::Bool(_) => true,
                Value::String(text) => {
                    ["true", "false"].iter().any(|it| it.eq_ignore_ascii_case(&text))
                }
                _ => false,
            };
            if !is_bool {
                let at = Position::of(self.text, member.value);
                self.refuse(at, format!("{key} must be true or false: no runtime loads the list"));
            }
        }
        let Some(plugins) = root.exact("plugins") else {
            self.without_plugins(root, path);
            return self.version(root);
        };
        let at = Position::of(self.text, plugins.value);
        match plugins.tree() {
            Value::Array(elements) if elements.is_empty() => {
                self.refuse(at, "plugins is empty: no runtime loads the list");
            }
            Value::Array(_) => {
                for element in plugins.elements() {
                    self.plugin(element);
                }
            }
            _ => self.refuse(at, "plugins is not a list: no runtime loads it"),
        }
        self.version(root)
    }

    /// libcni 1.3.0 looks for them in a folder that is named after the network.
    fn without_plugins(&mut self, root: &Members<'a>, path: &Path) {
        let name = root.exact("name").map(|it| it.tree()).unwrap_or_default();
        let folder = path.with_file_name(name.as_str().unwrap_or_default());
        let is_inlined = root.exact("loadOnlyInlinedPlugins").is_some_and(|it| {
            matches!(it.tree(), Value::Bool(true)) || it.tree().as_str() == Some("true")
        });
        let has_files = crate::net_d::files(&folder)
            .iter()
            .any(|file| file.extension().is_some_and(|it| it == "conf"));
        let instead = if root.get("type").is_some() {
            ": it is a single plugin, which belongs into a file *.conf"
        } else {
            ""
        };
        if has_files && !is_inlined {
            let folder = folder.display();
            let message =
                format!("no plugins: only libcni 1.3.0 and later read them from {folder}");
            self.warn(Position::START, message);
        } else {
            self.refuse(Position::START, format!("a list without plugins{instead}"));
        }
    }

    /// A plugin, in a list or alone.
    pub(super) fn plugin(&mut self, plugin: &'a RawValue) {
        let at = Position::of(self.text, plugin);
        let Ok(members) = Members::of(plugin) else {
            return self.refuse(at, "a plugin that is not an object: no runtime loads it");
        };
        if members.get("type").is_none_or(|it| it.tree() == "" || it.value.get() == "null") {
            self.refuse(at, "a plugin without a type: no runtime loads it");
        }
        // The plugin, and the IPAM plugin that it starts.
        let ipam = members.get("ipam").and_then(|it| Some((it, it.tree().get("type")?.clone())));
        for (member, name) in members.get("type").map(|it| (it, it.tree())).into_iter().chain(ipam)
        {
            if let Some(name) = name.as_str().filter(|name| is_path(name)) {
                let at = Position::of(self.text, member.value);
                self.refuse(at, format!("invalid plugin name {name:?}: a type has no path in it"));
            }
        }
        for member in members.iter() {
            let value = member.tree();
            let is_strings = |value: &Value| {
                value.is_null()
                    || value
                        .as_array()
                        .is_some_and(|all| all.iter().all(|it| it.is_string() || it.is_null()))
            };
            let text_of = |object: &Value, key: &str| {
                object.get(key).is_none_or(|it| it.is_string() || it.is_null())
            };
            let (is_right, expected) = match &*member.name.to_ascii_lowercase() {
                "type" | "name" | "cniversion" => (value.is_string(), "a string"),
                "capabilities" => (
                    value
                        .as_object()
                        .is_some_and(|all| all.values().all(|it| it.is_boolean() || it.is_null())),
                    "an object of true and false",
                ),
                "ipam" => (
                    value.is_object() && text_of(&value, "type"),
                    "an object whose type is a string",
                ),
                "dns" => (
                    value.is_object()
                        && text_of(&value, "domain")
                        && ["nameservers", "search", "options"]
                            .iter()
                            .all(|key| value.get(*key).is_none_or(is_strings)),
                    "an object of lists of strings, and a domain",
                ),
                "prevresult" => (value.is_object(), "an object"),
                "cni.dev/valid-attachments" => (value.is_array(), "a list"),
                _ => continue,
            };
            if !is_right && !value.is_null() {
                let at = Position::of(self.text, member.value);
                self.refuse(at, format!("{} must be {expected}", member.name));
            }
        }
    }

    /// The version that libcni 1.3.0 gives the plugins of a list.
    fn version(&mut self, root: &Members<'a>) -> Option<String> {
        let single = root.exact("cniVersion");
        let text = single.map(|it| it.tree());
        if let (Some(member), Some(value)) = (single, &text)
            && !value.is_string()
        {
            self.refuse(Position::of(self.text, member.value), "cniVersion is not a string");
            return None;
        }
        let single = text.and_then(|it| it.as_str().map(str::to_owned)).unwrap_or_default();
        let Some(several) = root.exact("cniVersions") else { return Some(single) };
        let at = Position::of(self.text, several.value);
        let Value::Array(elements) = several.tree() else {
            self.refuse(at, "cniVersions is not a list of versions");
            return None;
        };
        let mut known = Vec::new();
        let given = elements
            .iter()
            .map(Value::as_str)
            .chain((!single.is_empty()).then_some(Some(&*single)));
        for text in given {
            match text.and_then(numbers) {
                Some(version) if version <= NEWEST => {
                    known.push((version, text.unwrap_or_default().to_owned()));
                }
                Some(_) => (),
                None => {
                    self.refuse(at, "cniVersions has an element that is not a version");
                    return None;
                }
            }
        }
        let highest = known.into_iter().max_by(|one, other| one.0.cmp(&other.0));
        let taken = highest.map_or_else(|| single.clone(), |(_, text)| text);
        if taken != single {
            let older = if single.is_empty() { "none" } else { &*single };
            self.warn(
                at,
                format!("libcni 1.3.0 and later take {taken} from cniVersions, older ones {older}"),
            );
        }
        Some(taken)
    }
}

/// Whether a list turns CHECK off.
pub(super) fn disables_check(root: &Members<'_>) -> bool {
    root.exact("disableCheck").is_some_and(|it| match it.tree() {
        Value::Bool(value) => value,
        Value::String(text) => text.eq_ignore_ascii_case("true"),
        _ => false,
    })
}

/// The newest version that libcni 1.3.0 knows.
const NEWEST: [u32; 3] = [1, 1, 0];

/// A version as libcni compares it: one to three numbers.
fn numbers(text: &str) -> Option<[u32; 3]> {
    let mut numbers = [0; 3];
    if text.is_empty() {
        return Some(numbers);
    }
    let parts: Vec<_> = text.split('.').collect();
    if parts.len() > numbers.len() {
        return None;
    }
    for (number, part) in std::iter::zip(&mut numbers, parts) {
        *number = part.parse().ok()?;
    }
    Some(numbers)
}

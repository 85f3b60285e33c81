// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Finds what a container runtime refuses to load, by the rules of libcni 1.3.0: keys of a conflist
//! are case-sensitive, keys of a plugin are not, and `null` is valid only where Go's decoder skips
//! the field.

use std::path::Path;

use serde_json::value::RawValue;

use super::checker::Checker;
use super::plugins::is_path;
use crate::conflist::{self, Source};
use crate::json_spans::{self, Member, Members, Position};

/// Describes how a container runtime reads a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    List,
    Plugin,
}

impl Kind {
    /// Returns the kind of a file by its extension, and of standard input by its content.
    pub(super) fn of_file(path: &Path, text: &str) -> Option<Self> {
        match conflist::extension(path) {
            Some("conflist") => Some(Self::List),
            Some("conf" | "json") => Some(Self::Plugin),
            _ if path == Path::new("-") => {
                let is_list = Members::parse(text).is_ok_and(|it| it.exact("plugins").is_some());
                Some(if is_list { Self::List } else { Self::Plugin })
            }
            _ => None,
        }
    }
}

impl<'a> Checker<'a> {
    /// Checks a conflist. Returns the cniVersion that libcni uses. `beside` are the plugins in the
    /// folder of the network.
    pub(super) fn check_conflist(
        &mut self,
        root: &Members<'a>,
        beside: &[Source],
    ) -> Option<String> {
        if let Some(name) = root.exact("name").filter(|it| it.string().is_none()) {
            self.refuse(self.position(name.value), "name is not a string");
        }
        for key in ["disableCheck", "disableGC", "loadOnlyInlinedPlugins"] {
            let Some(member) = root.exact(key) else { continue };
            let text = member.string();
            let is_bool = member.bool().is_some()
                || text.is_some_and(|text| {
                    ["true", "false"].iter().any(|it| it.eq_ignore_ascii_case(&text))
                });
            if !is_bool {
                let at = self.position(member.value);
                self.refuse(at, format!("{key} must be true or false: no runtime loads the list"));
            }
        }
        match root.exact("plugins").map(|it| (it, it.array())) {
            None => self.check_without_plugins(root, beside),
            Some((plugins, elements)) => {
                let at = self.position(plugins.value);
                match elements {
                    Some(elements) if elements.is_empty() => {
                        self.refuse(at, "plugins is empty: no runtime loads the list");
                    }
                    Some(elements) => {
                        elements.into_iter().for_each(|it| self.check_plugin(it, true))
                    }
                    None => self.refuse(at, "plugins is not a list: no runtime loads it"),
                }
            }
        }
        self.check_conflist_version(root)
    }

    fn check_without_plugins(&mut self, root: &Members<'a>, beside: &[Source]) {
        let instead = if root.get("type").is_some() {
            ": it is a single plugin, which belongs into a file *.conf"
        } else {
            ""
        };
        match beside.first().and_then(|it| it.path.parent()) {
            Some(folder) => {
                let folder = folder.display();
                let message =
                    format!("no plugins: only libcni 1.3.0 and later read them from {folder}");
                self.warn(Position::START, message);
            }
            None => self.refuse(Position::START, format!("a list without plugins{instead}")),
        }
    }

    /// Checks a plugin, in a conflist (whose plugins libcni decodes into maps) or alone.
    pub(super) fn check_plugin(&mut self, plugin: &'a RawValue, in_list: bool) {
        let at = self.position(plugin);
        let Ok(members) = Members::parse_value(plugin) else {
            return self.refuse(at, "a plugin that is not an object: no runtime loads it");
        };
        let members = if in_list { members.as_map() } else { members };
        let kind = members.get("type");
        if kind.is_none_or(|it| it.is_null() || it.string().is_some_and(|it| it.is_empty())) {
            self.refuse(at, "a plugin without a type: no runtime loads it");
        }
        // Both the plugin and its IPAM plugin are started by their type.
        let ipam = members.get("ipam").and_then(Member::object);
        for member in kind.into_iter().chain(ipam.as_ref().and_then(|it| it.get("type"))) {
            if let Some(name) = member.string().filter(|name| is_path(name)) {
                let at = self.position(member.value);
                self.refuse(at, format!("invalid plugin name {name:?}: a type has no path in it"));
            }
        }
        for member in members.iter().filter(|it| !it.is_null()) {
            let Some((is_right, expected)) = check_field(member) else { continue };
            if !is_right {
                let at = self.position(member.value);
                self.refuse(at, format!("{} must be {expected}", member.name));
            }
        }
    }

    /// Returns the cniVersion that libcni gives the plugins of a conflist.
    fn check_conflist_version(&mut self, root: &Members<'a>) -> Option<String> {
        let single = root.exact("cniVersion");
        if let Some(member) = single.filter(|it| it.string().is_none()) {
            self.refuse(self.position(member.value), "cniVersion is not a string");
            return None;
        }
        let single = single.and_then(Member::string).unwrap_or_default().into_owned();
        let Some(several) = root.exact("cniVersions") else { return Some(single) };
        let at = self.position(several.value);
        let Some(elements) = several.array() else {
            self.refuse(at, "cniVersions is not a list of versions");
            return None;
        };
        let mut known = Vec::new();
        let given = elements
            .into_iter()
            .map(|it| json_spans::string(it).map(std::borrow::Cow::into_owned))
            .chain((!single.is_empty()).then(|| Some(single.clone())));
        for text in given {
            match text.as_deref().and_then(parse_version) {
                Some(version) if version <= NEWEST => {
                    known.push((version, text.unwrap_or_default()));
                }
                Some(_) => (),
                None => {
                    self.refuse(at, "cniVersions has an element that is not a version");
                    return None;
                }
            }
        }
        let highest = known.into_iter().max_by(|one, other| one.0.cmp(&other.0));
        let used = highest.map_or_else(|| single.clone(), |(_, text)| text);
        if used != single {
            let older = if single.is_empty() { "none" } else { &*single };
            self.warn(
                at,
                format!("libcni 1.2.0 and later take {used} from cniVersions, older ones {older}"),
            );
        }
        Some(used)
    }
}

/// Returns whether Go decodes a member of a plugin into its field of `types.PluginConf`, and what
/// the field expects. Returns `None` for a key that libcni does not know.
fn check_field(member: &Member<'_>) -> Option<(bool, &'static str)> {
    let is_text = |value: &RawValue| value.get() == "null" || json_spans::string(value).is_some();
    let is_texts = |member: &Member<'_>| {
        member.is_null() || member.array().is_some_and(|all| all.iter().all(|it| is_text(it)))
    };
    Some(match &*member.name.to_ascii_lowercase() {
        "type" | "name" | "cniversion" => (member.string().is_some(), "a string"),
        "capabilities" => {
            let is_right =
                |all: Members<'_>| all.iter().all(|it| it.is_null() || it.bool().is_some());
            (member.object().is_some_and(is_right), "an object of true and false")
        }
        "ipam" => {
            let is_right = |ipam: Members<'_>| {
                ipam.iter()
                    .filter(|it| it.name.eq_ignore_ascii_case("type"))
                    .all(|it| is_text(it.value))
            };
            (member.object().is_some_and(is_right), "an object whose type is a string")
        }
        "dns" => {
            let is_right = |dns: Members<'_>| {
                dns.iter().all(|it| match &*it.name.to_ascii_lowercase() {
                    "domain" => is_text(it.value),
                    "nameservers" | "search" | "options" => is_texts(it),
                    _ => true,
                })
            };
            let is_right = member.object().is_some_and(is_right);
            (is_right, "an object of lists of strings, and a domain")
        }
        "prevresult" => (member.object().is_some(), "an object"),
        "cni.dev/valid-attachments" => (member.array().is_some(), "a list"),
        _ => return None,
    })
}

/// Returns whether a conflist disables CHECK.
pub(super) fn disables_check(root: &Members<'_>) -> bool {
    root.exact("disableCheck").is_some_and(conflist::is_true)
}

/// The newest cniVersion of libcni 1.3.0.
const NEWEST: [u32; 3] = [1, 1, 0];

/// Parses a version as libcni compares it: one to three numbers.
fn parse_version(text: &str) -> Option<[u32; 3]> {
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

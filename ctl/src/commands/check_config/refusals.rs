// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Finds everything that the container runtime and the plugin would refuse about a configuration.

use std::fs;
use std::path::Path;

use antrea_cni::input::stdin::MAX_BYTES;
use antrea_cni::input::version::NEWEST;
use antrea_cni::input::{Call, CmdArgs, Configuration, Settings};
use antrea_cni::{Action, Command};
use semver::Version;
use serde_json::value::RawValue;

use super::checker::Checker;
use super::runtime_rules::Kind;
use crate::conflist::{self, Source};
use crate::json_spans::{self, Member, Members, Position};
use crate::multus;
use crate::network::{HandedOn, Network};
use crate::platform;

impl<'a> Checker<'a> {
    /// Checks a file. Returns the configuration's cniVersion if it is valid.
    pub(super) fn check(&mut self, network: &'a Network, bytes: &[u8]) -> Option<Version> {
        let (text, path) = (self.text(), &network.source.path);
        if bytes.len() as u64 > MAX_BYTES {
            self.refuse(Position::START, format!("over {MAX_BYTES} bytes: shorten it"));
            return None;
        }
        let Some(kind) = Kind::of_file(path, text) else {
            let message =
                "no runtime reads this file: name it *.conflist, or *.conf for a single plugin";
            self.refuse(Position::START, message);
            return None;
        };
        let root = match Members::parse(text) {
            Ok(root) => root,
            Err(error) => {
                let at = Position::of_error(text, &error);
                self.refuse(at, format!("not a JSON object: {}", why_not_json(text, &error)));
                return None;
            }
        };
        // libcni wraps a single plugin into a conflist.
        let around = if kind == Kind::Plugin { 2 } else { 0 };
        if let Some((at, what)) = json_spans::refused_by_go(text, around) {
            self.refuse(at, format!("no runtime loads it: {what}"));
        }
        let version = match kind {
            Kind::List => self.check_conflist(&root, &network.beside),
            Kind::Plugin => {
                let whole: Result<&RawValue, _> = serde_json::from_str(text.trim());
                if root.exact("plugins").is_some() && root.get("type").is_none() {
                    let message =
                        "a list: it belongs into a file *.conflist, here no runtime loads it";
                    self.refuse(Position::START, message);
                } else if let Ok(whole) = whole {
                    self.check_plugin(whole, false);
                }
                root.string("cniVersion").map(Into::into)
            }
        };
        self.check_name(&root, kind);
        let cni_version = self.check_cni_version(&root, version);
        for plugin in conflist::inlined(&root).iter().filter(|it| multus::is_multus(it)) {
            self.check_multus(plugin, self.plugin_position(plugin), &network.handed_on);
        }
        self.check_settings_of_plugins(&root, network);
        for source in &network.beside {
            self.check_plugin_file(source);
        }
        // The plugin checks the whole: the checks above miss a key in another case, for example.
        if self.findings.iter().all(|finding| !finding.refused)
            && let Err(error) = check_whole(match kind {
                Kind::List => json_spans::object_text(&root.as_map()).into_bytes(),
                Kind::Plugin => bytes.to_vec(),
            })
        {
            self.refuse(Position::START, error);
        }
        cni_version
    }

    /// Checks a plugin's file in the folder of the network.
    fn check_plugin_file(&mut self, source: &Source) {
        let mut checker = Checker::new(source, self.name);
        match serde_json::from_str::<&RawValue>(source.text.trim()) {
            Ok(plugin) => {
                checker.check_plugin(plugin, false);
                if let Some((at, what)) = json_spans::refused_by_go(&source.text, 0) {
                    checker.refuse(at, format!("no runtime loads it: {what}"));
                }
                if let Ok(plugin) = Members::parse_value(plugin)
                    && checker.is_ours(&plugin)
                {
                    checker.check_settings_of(&plugin);
                }
            }
            Err(error) => {
                let at = Position::of_error(&source.text, &error);
                checker.refuse(
                    at,
                    format!("not a JSON object: {}", why_not_json(&source.text, &error)),
                );
            }
        }
        if checker.findings.is_empty() {
            checker.warn(
                Position::START,
                "libcni 1.3.0 and later add this plugin to the conflist, older ones do not",
            );
        }
        self.findings.append(&mut checker.findings);
    }

    fn check_settings_of_plugins(&mut self, root: &Members<'a>, network: &Network) {
        let is_list = root.get("plugins").is_some();
        for plugin in &conflist::inlined(root) {
            // Multus calls the plugins of its delegates.
            for delegate in multus::delegates(plugin) {
                for plugin in conflist::inlined(&delegate) {
                    if self.is_ours(&plugin) {
                        self.check_settings_of(&plugin);
                    }
                }
            }
            match plugin.get(Settings::KEY) {
                _ if self.is_ours(plugin) || !is_list => self.check_settings_of(plugin),
                Some(settings) => self.warn(
                    self.position(settings.value),
                    format!(
                        "{} is read only from the plugin of type {:?}",
                        Settings::KEY,
                        self.name
                    ),
                ),
                None => (),
            }
        }
        if is_list && let Some(settings) = root.get(Settings::KEY) {
            let message = format!("{} belongs into the plugin, not beside them", Settings::KEY);
            self.warn(self.position(settings.value), message);
        }
        if !network.leads_to(self.name) && !matches!(network.handed_on, HandedOn::Unseen(_)) {
            self.warn(Position::START, format!("no plugin of type {:?}", self.name));
        }
    }

    /// Parses a small configuration as the plugin does, to check a single value.
    fn parse_as_plugin(&mut self, json: &str) -> Result<Option<Version>, antrea_cni::input::Error> {
        Configuration::parse(json.as_bytes())?.cni_version(Action::Add)
    }

    fn check_name(&mut self, root: &Members<'a>, kind: Kind) {
        let name = if kind == Kind::List { root.exact("name") } else { root.get("name") };
        let value = name.map_or("null", |it| it.value.get());
        if let Err(error) =
            self.parse_as_plugin(&format!(r#"{{"name":{value},"cniVersion":"{NEWEST}"}}"#))
        {
            self.refuse(self.position_or(name, Position::START), error);
        }
    }

    fn check_cni_version(&mut self, root: &Members<'a>, text: Option<String>) -> Option<Version> {
        let at = self.position_or(
            root.get("cniVersion").or_else(|| root.get("cniVersions")),
            Position::START,
        );
        // A value that is not a string was refused already.
        let text = text.or_else(|| root.get("cniVersion").is_none().then(String::new))?;
        let value = serde_json::to_string(&text).unwrap_or_default();
        match self.parse_as_plugin(&format!(r#"{{"name":"x","cniVersion":{value}}}"#)) {
            Ok(None) => {
                self.warn(at, "no cniVersion: every agent refuses that; set one");
                None
            }
            Ok(version) => version,
            Err(error) => {
                let supported = antrea_cni::input::version::supported_list();
                self.refuse(at, format!("{error}: {value} is none of {supported}"));
                None
            }
        }
    }

    /// Checks the settings in a plugin, and refuses misspellings of their key.
    fn check_settings_of(&mut self, plugin: &Members<'a>) {
        for member in plugin.iter() {
            if member.name == Settings::KEY {
                self.check_settings(member);
            } else if is_near(&member.name) {
                let at = self.position(member.value);
                let message = format!("{} does nothing: write {}", member.name, Settings::KEY);
                self.refuse(at, message);
            }
        }
    }

    fn check_settings(&mut self, settings: &Member<'a>) {
        if settings.value.get() == "null" {
            return;
        }
        let Ok(members) = Members::parse_value(settings.value) else {
            if let Err(error) = Settings::parse(settings.value) {
                self.refuse(self.position(settings.value), error);
            }
            return;
        };
        for member in members.iter() {
            let alone = json_spans::object_with(&member.name, member.value);
            let at = self.position(member.value);
            match Settings::parse(&alone) {
                Err(error) => self.refuse(at, error),
                Ok(Settings { log_file: Some(log), .. }) => {
                    let Some(why) = why_not_written(Path::new(&log)) else { continue };
                    // The plugin connects Pods without a log, and another process may write there.
                    self.warn(at, format!("nothing can be logged to {log} from here: {why}"));
                }
                Ok(_) => (),
            }
        }
    }
}

/// Returns whether a key is the plugin's settings key in other letters or with other punctuation.
fn is_near(name: &str) -> bool {
    let plain = |name: &str| -> String {
        name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase()
    };
    plain(name) == plain(Settings::KEY)
}

/// Returns why the plugin cannot append to a log file.
fn why_not_written(log: &Path) -> Option<String> {
    let folder = log.parent()?;
    if !folder.is_dir() {
        return Some(format!("there is no folder {}", folder.display()));
    }
    match fs::symlink_metadata(log) {
        Ok(metadata) if !metadata.is_file() => Some("it is not a regular file".to_owned()),
        Ok(_) => {
            let opened = fs::File::options().append(true).open(log);
            opened.err().map(|error| error.to_string())
        }
        Err(_) => platform::refuses_files(folder),
    }
}

/// Checks a whole configuration as the plugin does in an ADD.
fn check_whole(stdin_data: Vec<u8>) -> Result<(), antrea_cni::input::Error> {
    let args = CmdArgs { stdin_data, ..CmdArgs::default() };
    match Call::check(&Command::from(Action::Add), args).map(drop).map_err(|refused| refused.error)
    {
        // The container runtime may choose another one from cniVersions.
        Err(antrea_cni::input::Error::UnsupportedVersion(_)) => Ok(()),
        result => result,
    }
}

/// Returns why a text is not JSON, without the position, which the finding has.
fn why_not_json(text: &str, error: &serde_json::Error) -> String {
    if text.starts_with('\u{feff}') {
        return "it begins with a byte order mark (BOM): leave it out".to_owned();
    }
    // The first two bytes of UTF-16 are not UTF-8.
    if text.starts_with("\u{fffd}\u{fffd}") {
        return "it is in UTF-16: write it as UTF-8".to_owned();
    }
    error.to_string().split(" at line ").next().unwrap_or_default().to_owned()
}

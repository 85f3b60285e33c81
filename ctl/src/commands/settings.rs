// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Implements `settings`: shows the settings in force on a node, and the origin of each.

use std::fmt;
use std::io::Write;
use std::path::PathBuf;

use antrea_cni::input::node_settings;
use antrea_cni::input::settings::{Origin, Settings};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::cli::{Agent, Place, Status};
use crate::commands::check_config;
use crate::error::{Error, Exit};
use crate::style::{BAD, TITLE, plain};
use crate::{files, network, output};

pub(crate) fn run(arguments: &Status, out: &mut impl Write) -> Result<Exit, Error> {
    let found = InForce::for_place(&arguments.place)?;
    output::answer(out, arguments.output, &found)?;
    Ok(if found.refuses_add() { Exit::Failure } else { Exit::Success })
}

/// Describes the settings in force.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct InForce {
    /// The conflist that leads to the plugin
    conflist: Option<PathBuf>,
    /// The file of the node settings, which may be absent
    node: PathBuf,
    /// Each setting, in the order of the page of settings
    settings: Vec<Setting>,
    /// Errors with which the plugin refuses an ADD
    wrong: Vec<String>,
    /// Errors that the plugin ignores
    passed_over: Vec<String>,
    /// The settings as the plugin has them
    #[serde(skip)]
    pub(crate) in_force: Settings,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Setting {
    /// Name of the setting
    key: String,
    /// Its value in force
    value: Value,
    /// Where the value comes from: `conflist`, `node` or `default`
    from: From,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
enum From {
    Conflist,
    Node,
    Default,
}

impl InForce {
    /// Returns whether each ADD ends with code 7.
    pub(crate) fn refuses_add(&self) -> bool {
        !self.wrong.is_empty()
    }

    /// Reads the node settings, and those in the first conflist that leads to the plugin.
    pub(crate) fn for_place(place: &Place) -> Result<Self, Error> {
        let plugin = place.plugin()?;
        let node = node_settings::beside(&plugin);
        let network = network::first_leading_to(&place.conf_dir(), &place.name);
        let own = network.as_ref().and_then(|it| check_config::own_settings(it, &place.name));
        let conflist = network.as_ref().map(|it| it.pod_network().source.path.clone());

        let mut settings = Settings::default();
        let mut wrong = node_settings::apply_file(&node, &mut settings);
        wrong.extend(own.map(|it| settings.apply(it, Origin::Configuration)).unwrap_or_default());
        let in_node = files::read_if_exists(&node).ok().flatten().unwrap_or_default();
        let is_used =
            !wrong.iter().any(|it| matches!(it, antrea_cni::input::settings::Error::File { .. }));
        let (in_list, in_node) =
            (members(own.map(RawValue::get)), members(std::str::from_utf8(&in_node).ok()));
        let in_force = settings;
        let settings = Settings::TABLE.iter().map(|setting| {
            let key = setting.name;
            let value = serde_json::from_str(&setting.value(&in_force)).unwrap_or_default();
            let says =
                |members: &Map<String, Value>| members.get(key).is_some_and(|it| !it.is_null());
            let from = match () {
                () if says(&in_list) => From::Conflist,
                () if says(&in_node) && is_used => From::Node,
                () => From::Default,
            };
            Setting { key: key.to_owned(), value, from }
        });
        let settings: Vec<_> = settings.collect();
        let (wrong, passed_over): (Vec<_>, Vec<_>) = wrong.iter().partition(|it| it.is_fatal());
        let [wrong, passed_over] =
            [wrong, passed_over].map(|all| all.iter().map(ToString::to_string).collect());
        Ok(Self { conflist, node, settings, wrong, passed_over, in_force })
    }
}

/// Returns the settings in force, with the socket of `--socket` if there is one.
pub(crate) fn for_agent(agent: &Agent) -> Result<Settings, Error> {
    let mut settings = InForce::for_place(&agent.place)?.in_force;
    if let Some(socket) = &agent.socket {
        settings.socket.clone_from(socket);
    }
    Ok(settings)
}

pub(crate) fn log_file(place: &Place) -> Result<PathBuf, Error> {
    let log = InForce::for_place(place)?.in_force.log_file;
    log.map(PathBuf::from).ok_or(Error::NoLog)
}

fn members(text: Option<&str>) -> Map<String, Value> {
    text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
}

impl fmt::Display for InForce {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Setting { key, value, from } in &self.settings {
            let from = match (from, &self.conflist) {
                (From::Conflist, Some(path)) => path.display().to_string(),
                (From::Node, _) => self.node.display().to_string(),
                _ => "default".to_owned(),
            };
            writeln!(
                out,
                "{TITLE}{key:<20}{TITLE:#} {:<36} {}",
                plain(&value.to_string()),
                plain(&from)
            )?;
        }
        self.passed_over
            .iter()
            .try_for_each(|it| writeln!(out, "{BAD}warning:{BAD:#} {}", plain(it)))?;
        self.wrong.iter().try_for_each(|wrong| writeln!(out, "{BAD}error:{BAD:#} {}", plain(wrong)))
    }
}

// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Asks the installed plugin whether an ADD would be done now, as a container runtime asks it.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use antrea_cni::Action;
use antrea_cni::input::Settings;
use semver::Version;
use serde_json::{Map, Value};
use tokio::sync::watch::{self, Receiver};

use crate::cli::Place;
use crate::commands::check_config;
use crate::json_spans::{Members, object_text};
use crate::platform::NO_LOG;
use crate::{network, plugin_check};

/// Longest time for an answer. A plugin has a second for STATUS.
const LIMIT: Duration = Duration::from_secs(3);

/// How long an answer holds for others who ask.
const SHARED: Duration = Duration::from_secs(1);

/// Asks the plugin of a place, one question at a time.
#[derive(Debug)]
pub(super) struct Readiness {
    place: Place,
    last: Mutex<Option<Question>>,
}

/// Describes a question to the plugin. Its answer is `None` until it is there, or why the plugin is
/// not ready.
#[derive(Clone, Debug)]
struct Question {
    asked: Instant,
    answer: Receiver<Option<Result<(), String>>>,
}

impl Readiness {
    pub(super) fn new(place: Place) -> Self {
        Self { place, last: Mutex::new(None) }
    }

    /// Returns why no ADD would be done now. All who ask within a second get one answer.
    pub(super) async fn ask(&self) -> Result<(), String> {
        let mut question = self.question();
        let answer = question.answer.wait_for(Option::is_some).await;
        let lost = || Err("the question was lost: ask again".to_owned());
        answer.map_or_else(|_| lost(), |answer| answer.clone().unwrap_or_else(lost))
    }

    fn question(&self) -> Question {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let is_open =
            |it: &Question| it.answer.borrow().is_none() && it.answer.has_changed().is_ok();
        if let Some(last) = last.as_ref().filter(|it| is_open(it) || it.asked.elapsed() < SHARED) {
            return last.clone();
        }
        let (sender, answer) = watch::channel(None);
        let place = self.place.clone();
        // A task of its own, because whoever asked may be gone before the answer.
        tokio::spawn(async move { sender.send_replace(Some(ask_plugin(&place).await)) });
        last.insert(Question { asked: Instant::now(), answer }).clone()
    }
}

async fn ask_plugin(place: &Place) -> Result<(), String> {
    let configuration = configuration(place)?;
    let plugin = place.plugin().map_err(|error| error.to_string())?;
    plugin_check::status(&plugin, &configuration, LIMIT).await
}

/// Returns the configuration that the container runtime gives the plugin, in a version that has
/// STATUS.
///
/// # Errors
/// The network that the runtime takes does not lead to the plugin.
fn configuration(place: &Place) -> Result<Value, String> {
    let folder = place.conf_dir();
    let none = || format!("no network configuration is in {}", folder.display());
    let (first, network) = network::taken(&folder).ok_or_else(none)?;
    let network = network.map_err(|error| format!("{}: {error}", first.display()))?;
    if let Some(problem) = check_config::problems(&network, &place.name).into_iter().next() {
        return Err(problem);
    }
    let mut members: Map<String, Value> = match network.plugin(&place.name) {
        Some(plugin) => serde_json::from_str(&object_text(&plugin)).unwrap_or_default(),
        // Only Multus sees the list, so the plugin is asked with its node's settings.
        None if network.unseen_reason().is_some() => Map::new(),
        None => {
            let (file, name) = (first.display(), &place.name);
            return Err(format!("the container runtime takes {file}, which does not name {name}"));
        }
    };
    let list = Members::parse(&network.pod_network().source.text).ok();
    let of_list = |key| list.as_ref().and_then(|it| it.string(key));
    let name = of_list("name").unwrap_or_else(|| "antrea-cnictl".into());
    let version = of_list("cniVersion").and_then(|it| it.parse::<Version>().ok());
    let since = Action::Status.rules().since;
    let version = version.filter(|it| *it > since).unwrap_or(since);
    members.insert("name".to_owned(), name.into());
    members.insert("cniVersion".to_owned(), version.to_string().into());
    // It is not a call of the runtime, so it is not in their log.
    let settings = members.entry(Settings::KEY).or_insert_with(|| Map::new().into());
    if let Some(settings) = settings.as_object_mut() {
        settings.insert("logFile".to_owned(), NO_LOG.into());
    }
    Ok(members.into())
}

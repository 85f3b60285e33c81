// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Writes the keeper's metrics for node-exporter: the installation, and counts of the calls.

use std::ffi::OsString;
use std::fs::{self, File};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use super::installation::{Installation, is_metrics};
use super::state::{self, sha256};
use crate::commands::log::counters::Counters;
use crate::commands::log::prometheus::{Kind, MetricsText};
use crate::commands::settings::{self, InForce};
use crate::commands::{check_config, log, owed};
use crate::conflist;
use crate::error::Error;
use crate::files;
use crate::network::Network;
use crate::output::warn;

/// Longest pause between two reads of the log, which must not be rotated twice meanwhile.
const MAX_PAUSE: Duration = Duration::from_secs(5);

/// Name of the file with the counters in the folder of the installation.
const COUNTERS_FILE: &str = "counters.json";

/// Name of the file with the path of the metrics in the folder of the installation.
const PATH_FILE: &str = "metrics-path";

/// Removes the metrics of a keeper that was killed. One that runs removes its own.
pub(super) fn remove_left(folder: &Path) -> Result<(), Error> {
    let keeper = File::open(state::keeper_lock_path(folder));
    let record = folder.join(PATH_FILE);
    let Some(path) = files::read_if_exists(&record)? else { return Ok(()) };
    if keeper.is_ok_and(|file| file.try_lock().is_err()) {
        return Ok(());
    }
    let path = PathBuf::from(OsString::from_vec(path));
    if files::read_if_exists(&path)?.is_some_and(|bytes| is_metrics(&bytes)) {
        files::remove(&path)?;
    }
    files::remove(&record).map(drop)
}

/// Describes whether the installed plugin is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    Kept,
    /// It was rolled back
    RolledBack,
    Missing,
}

/// Writes the file of metrics. The file is removed when the keeper ends, because its content would
/// no longer be true.
pub(super) struct Metrics<'a> {
    installation: &'a Installation,
    to: &'a Path,
    saved: PathBuf,
    counters: Counters,
    written: Option<(Instant, Found)>,
    told: String,
}

impl<'a> Metrics<'a> {
    /// Returns the metrics of an installation if it has `--metrics`. Counts continue those of the
    /// last keeper.
    pub(super) fn new(installation: &'a Installation) -> Option<Self> {
        let to = installation.metrics.as_deref()?;
        let saved = state::folder(&installation.place).ok()?.join(COUNTERS_FILE);
        let counters = match files::read_if_exists(&saved) {
            Ok(None) => Counters::default(),
            read => {
                let bytes = read.ok().flatten().unwrap_or_default();
                serde_json::from_slice(&bytes).unwrap_or_else(|_| {
                    warn(format!("{} cannot be read: the counts begin anew", saved.display()));
                    Counters::default()
                })
            }
        };
        Some(Self { installation, to, saved, counters, written: None, told: String::new() })
    }

    /// Counts new lines of the log, and writes the file if it is due or `found` changed. Returns
    /// the longest time until the next call.
    pub(super) fn refresh(&mut self, found: Found) -> Duration {
        let interval = self.installation.metrics_interval;
        let place = &self.installation.place;
        let in_force = InForce::for_place(place);
        let counted = match settings::log_file(place) {
            Ok(log) => self.counters.advance(&log).map_err(Error::file("read", &log)),
            Err(_) => Ok(()),
        };
        let is_due = self.written.is_none_or(|(at, was)| was != found || at.elapsed() >= interval);
        let written = match is_due {
            // Also where the log cannot be read.
            true => self.write(found, in_force.ok().as_ref()).and(counted),
            false => counted,
        };
        let said = written.err().map(|error| format!("no metrics: {error}")).unwrap_or_default();
        if said != self.told && !said.is_empty() {
            warn(&said);
        }
        self.told = said;
        let since = self.written.map_or(Duration::ZERO, |(at, _)| at.elapsed());
        interval.saturating_sub(since).clamp(Duration::from_millis(10), MAX_PAUSE)
    }

    fn write(&mut self, found: Found, in_force: Option<&InForce>) -> Result<(), Error> {
        self.written = Some((Instant::now(), found));
        // The counters are saved first, so that no counted call is counted again after a crash.
        if self.saved.parent().is_some_and(Path::is_dir) {
            let saved = serde_json::to_vec(&self.counters).unwrap_or_default();
            files::write(&self.saved, &saved, 0o600)?;
            let to = std::path::absolute(self.to).map_err(Error::file("find", self.to))?;
            let (record, to) = (self.saved.with_file_name(PATH_FILE), to.into_os_string());
            if !files::is_same(&record, to.as_bytes(), 0o600) {
                files::write(&record, to.as_bytes(), 0o600)?;
            }
        }
        // An unreadable plugin gets the checksum of an empty file.
        let plugin = files::read_plain(&self.installation.plugin_path()?).unwrap_or_default();
        let mut text = MetricsText::new("plugin", &self.installation.place.name);
        let number = |is: bool| vec![(Vec::new(), f64::from(u8::from(is)))];
        text.family(
            "antrea_cni_info",
            Kind::Gauge,
            "The version of the keeper, and the plugin that stands there.",
            vec![(
                vec![
                    ("version", env!("CARGO_PKG_VERSION").to_owned()),
                    ("sha256", sha256(&plugin)),
                ],
                1.0,
            )],
        );
        text.family(
            "antrea_cni_installed",
            Kind::Gauge,
            "1 if the plugin that was installed stands there.",
            number(found == Found::Kept),
        );
        text.family(
            "antrea_cni_rolled_back",
            Kind::Gauge,
            "1 if a rollback holds the plugin off.",
            number(found == Found::RolledBack),
        );
        let leads = self.leads_to_plugin().map(number).unwrap_or_default();
        text.family(
            "antrea_cni_conflist_leads_to_plugin",
            Kind::Gauge,
            "1 if the container runtime's network leads to the plugin; absent where there is none.",
            leads,
        );
        if let Some(in_force) = in_force {
            let owed = owed::count(&in_force.in_force.socket);
            text.family(
                "antrea_cni_owed_dels",
                Kind::Gauge,
                "DELs that no agent did yet.",
                vec![(Vec::new(), f64::from(u32::try_from(owed).unwrap_or(u32::MAX)))],
            );
        }
        self.counters.write(&mut text);
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        text.family(
            "antrea_cni_metrics_timestamp_seconds",
            Kind::Gauge,
            "When this was written: a keeper that was killed leaves what it wrote last.",
            vec![(Vec::new(), now.as_secs_f64())],
        );
        log::write_textfile(self.to, &text.into_text())
    }

    /// Returns whether the plugin connects Pods, or `None` if the tool cannot see that.
    fn leads_to_plugin(&self) -> Option<bool> {
        let first = conflist::files(&self.installation.place.conf_dir()).into_iter().next()?;
        let network = Network::read_file(&first).ok()?;
        let leads = network.leads_to(&self.installation.place.name)
            && check_config::problems(&network).is_empty();
        (leads || network.unseen_reason().is_none()).then_some(leads)
    }
}

impl Drop for Metrics<'_> {
    fn drop(&mut self) {
        let _ = fs::remove_file(self.to);
    }
}

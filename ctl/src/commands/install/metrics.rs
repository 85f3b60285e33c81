// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Writes the keeper's metrics: the installation, and counts of the calls.

mod snapshot;

use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use tokio::sync::watch::Sender;

use self::snapshot::Snapshot;
use super::endpoint::Published;
use super::installation::{Installation, is_metrics};
use super::state::{self, sha256};
use crate::commands::log::counters::Counters;
use crate::commands::log::prometheus;
use crate::commands::settings::InForce;
use crate::commands::{check_config, log, owed};
use crate::error::Error;
use crate::output::warn;
use crate::{files, network};

pub(super) use self::snapshot::KeeperState;

/// Longest pause between two reads of the log, which must not be rotated twice meanwhile.
const MAX_PAUSE: Duration = Duration::from_secs(5);

/// Name of the file with the counters in the folder of the installation.
const COUNTERS_FILE: &str = "counters.json";

/// Name of the file with the path of the metrics in the folder of the installation.
const PATH_FILE: &str = "metrics-path";

/// Removes the metrics of a keeper that was killed. One that runs removes its own.
pub(super) fn remove_left(folder: &Path) -> Result<(), Error> {
    let record = folder.join(PATH_FILE);
    let Some(path) = files::read_if_exists(&record)? else { return Ok(()) };
    if state::keeper_runs(folder) {
        return Ok(());
    }
    let path = PathBuf::from(OsString::from_vec(path));
    if files::read_if_exists(&path)?.is_some_and(|bytes| is_metrics(&bytes)) {
        files::remove(&path)?;
    }
    files::remove(&record).map(drop)
}

/// Writes the keeper's metrics to a file and to the endpoint. The file is removed when the keeper
/// ends, because its content would no longer be true.
pub(super) struct Metrics<'a> {
    installation: &'a Installation,
    published: Option<&'a Sender<Published>>,
    /// Path of the saved counters
    path: PathBuf,
    counters: Counters,
    /// The counters as they were saved last
    saved: Counters,
    plugin: Checksum,
    written: Option<(Instant, Option<KeeperState>)>,
    told: String,
}

impl<'a> Metrics<'a> {
    /// Returns the metrics of an installation if it has `--metrics` or `--listen`. Counts continue
    /// those of the last keeper.
    pub(super) fn new(
        installation: &'a Installation,
        published: Option<&'a Sender<Published>>,
    ) -> Option<Self> {
        if installation.metrics.is_none() && published.is_none() {
            return None;
        }
        let path = state::folder(&installation.place).ok()?.join(COUNTERS_FILE);
        let counters = match files::read_if_exists(&path) {
            Ok(None) => Counters::default(),
            read => {
                let bytes = read.ok().flatten().unwrap_or_default();
                serde_json::from_slice(&bytes).unwrap_or_else(|_| {
                    warn(format!("{} cannot be read: the counts begin anew", path.display()));
                    Counters::default()
                })
            }
        };
        let saved = counters.clone();
        let (plugin, told) = (Checksum::default(), String::new());
        Some(Self { installation, published, path, counters, saved, plugin, written: None, told })
    }

    /// Counts new lines of the log, publishes the metrics, and writes the file if it is due or
    /// `found` changed. Returns the longest time until the next call.
    pub(super) fn refresh(&mut self, found: Option<KeeperState>) -> Duration {
        if let Some(published) = self.published {
            published.send_modify(|it| it.looked = Some(Instant::now()));
        }
        let said = self.tell(found).err();
        let said = said.map(|error| format!("no metrics: {error}")).unwrap_or_default();
        if said != self.told && !said.is_empty() {
            warn(&said);
        }
        self.told = said;
        let since = self.written.map_or(Duration::ZERO, |(at, _)| at.elapsed());
        let interval = self.installation.metrics_interval;
        interval.saturating_sub(since).clamp(Duration::from_millis(10), MAX_PAUSE)
    }

    fn tell(&mut self, found: Option<KeeperState>) -> Result<(), Error> {
        let in_force = InForce::for_place(&self.installation.place).ok();
        let log = in_force.as_ref().and_then(|it| it.in_force.log_file.as_ref()).map(PathBuf::from);
        let counted = log.map(|log| self.counters.advance(&log).map_err(Error::file("read", &log)));
        let interval = self.installation.metrics_interval;
        let is_due = self.written.is_none_or(|(at, was)| was != found || at.elapsed() >= interval);
        // Counters are saved before they are exposed, so that none decreases after a crash. Counters
        // that cannot be saved are not exposed.
        let saved = self.save();
        let registry = self.look(found, in_force.as_ref())?.registry(&self.installation.place.name);
        if let Some(published) = self.published {
            let metrics = prometheus::openmetrics(&registry).into();
            published.send_modify(|it| it.metrics = metrics);
        }
        if is_due {
            self.written = Some((Instant::now(), found));
            if let Some(to) = &self.installation.metrics {
                log::write_textfile(to, &prometheus::textfile(&registry))?;
            }
        }
        saved.and_then(|()| counted.unwrap_or(Ok(())))
    }

    /// Saves the counters, and where the file of metrics is.
    fn save(&mut self) -> Result<(), Error> {
        if !self.path.parent().is_some_and(Path::is_dir) {
            return Ok(());
        }
        if self.counters != self.saved || !self.path.exists() {
            let bytes = serde_json::to_vec(&self.counters).unwrap_or_default();
            files::write(&self.path, &bytes, 0o600)?;
            self.saved.clone_from(&self.counters);
        }
        if let Some(to) = &self.installation.metrics {
            let to = std::path::absolute(to).map_err(Error::file("find", to))?;
            let (record, to) = (self.path.with_file_name(PATH_FILE), to.into_os_string());
            if !files::is_same(&record, to.as_bytes(), 0o600) {
                files::write(&record, to.as_bytes(), 0o600)?;
            }
        }
        Ok(())
    }

    fn look(
        &mut self,
        found: Option<KeeperState>,
        in_force: Option<&InForce>,
    ) -> Result<Snapshot, Error> {
        Ok(Snapshot {
            found,
            sha256: self.plugin.of(&self.installation.plugin_path()?),
            leads_to_plugin: self.leads_to_plugin(),
            owed: in_force.map(|it| owed::count(&it.in_force.socket)),
            counters: self.saved.clone(),
            unix_time: SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default(),
        })
    }

    /// Returns whether the plugin connects Pods, or `None` if the tool cannot see that.
    fn leads_to_plugin(&self) -> Option<bool> {
        let place = &self.installation.place;
        let network = network::taken(&place.conf_dir())?.1.ok()?;
        let leads = network.leads_to(&place.name)
            && check_config::problems(&network, &place.name).is_empty();
        (leads || network.unseen_reason().is_none()).then_some(leads)
    }
}

impl Drop for Metrics<'_> {
    fn drop(&mut self) {
        if let Some(to) = &self.installation.metrics {
            let _ = fs::remove_file(to);
        }
        if let Some(published) = self.published {
            published.send_replace(Published::default());
        }
    }
}

/// Remembers the checksum of a file until the file changes.
#[derive(Debug, Default)]
struct Checksum {
    /// What changes with the file's content
    stamp: Option<[i64; 4]>,
    sha256: String,
}

impl Checksum {
    /// Returns the SHA-256 of a file. One that cannot be read has that of an empty file.
    fn of(&mut self, path: &Path) -> String {
        let stamp = fs::metadata(path).ok().map(|it| {
            [it.ino().cast_signed(), it.size().cast_signed(), it.ctime(), it.ctime_nsec()]
        });
        if stamp.is_none() || stamp != self.stamp {
            self.sha256 = sha256(&files::read_regular(path).unwrap_or_default());
            self.stamp = stamp;
        }
        self.sha256.clone()
    }
}

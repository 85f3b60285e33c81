// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Holds what the keeper knows at a moment, and encodes it as metrics.

use std::fmt;
use std::time::Duration;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::registry::Registry;

use crate::commands::log::counters::Counters;
use crate::commands::log::prometheus::{Families, Labels};

/// Describes the state of an installation that the keeper found or restored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::commands::install) enum KeeperState {
    /// The plugin and its settings are as installed
    Kept,
    /// Another installer is writing the plugin, or the folder was wiped: check again soon
    Unsettled,
    /// The plugin was rolled back, so the keeper does not restore it
    RolledBack,
    /// The plugin was uninstalled
    Uninstalled,
}

/// Holds what the metrics tell. All families are encoded here and by [`Counters`].
#[derive(Debug)]
pub(super) struct Snapshot {
    /// What the keeper found, unless it failed
    pub(super) found: Option<KeeperState>,
    /// Checksum of the plugin that stands there
    pub(super) sha256: String,
    pub(super) leads_to_plugin: Option<bool>,
    /// Number of owed DELs, if the settings can be read
    pub(super) owed: Option<usize>,
    pub(super) counters: Counters,
    /// Unix time of the moment
    pub(super) unix_time: Duration,
}

impl Snapshot {
    /// Returns the metrics of the plugin `name`, whose name distinguishes two keepers on one node.
    pub(super) fn registry(self, name: &str) -> Registry {
        let labels = [("plugin".into(), name.to_owned().into())];
        let mut registry = Registry::with_labels(labels.into_iter());
        registry.register_collector(Box::new(self));
        registry
    }
}

impl Collector for Snapshot {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut families = Families(encoder);
        let flag = |is: bool| (Labels::new(), u32::from(is));
        let version = ("version", env!("CARGO_PKG_VERSION").to_owned());
        families.gauge(
            "antrea_cni_info",
            "Version of the keeper, and SHA-256 of the installed plugin.",
            [(vec![version, ("sha256", self.sha256.clone())], 1_u32)],
        )?;
        families.gauge(
            "antrea_cni_installed",
            "1 if the plugin is as it was installed.",
            [flag(self.found == Some(KeeperState::Kept))],
        )?;
        families.gauge(
            "antrea_cni_rolled_back",
            "1 if a rollback is in force.",
            [flag(self.found == Some(KeeperState::RolledBack))],
        )?;
        families.gauge(
            "antrea_cni_conflist_leads_to_plugin",
            "1 if the container runtime's network leads to the plugin; absent if there is none, or only Multus knows it.",
            self.leads_to_plugin.map(flag),
        )?;
        families.gauge(
            "antrea_cni_owed_dels",
            "DELs that no agent did yet.",
            self.owed.map(|it| (Labels::new(), it)),
        )?;
        self.counters.encode(&mut families)?;
        families.gauge(
            "antrea_cni_metrics_timestamp_seconds",
            "When the keeper last wrote these metrics.",
            [(Labels::new(), self.unix_time.as_secs_f64())],
        )
    }
}

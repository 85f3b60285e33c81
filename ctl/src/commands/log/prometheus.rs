// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Encodes metrics for Prometheus. The metrics of a summary are gauges, because a rotated log has
//! fewer calls.

use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{
    DescriptorEncoder, EncodeGaugeValue, EncodeMetric, MetricEncoder, NoLabelSet, prometheus_text,
    text,
};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;

use super::summary::{Agent, Group, Summary, Times};

/// Media type of [`openmetrics`].
pub(crate) const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Returns metrics in OpenMetrics' text format, for Prometheus itself.
pub(crate) fn openmetrics(registry: &Registry) -> String {
    encoded(|text| text::encode(text, registry))
}

/// Returns metrics in Prometheus' older text format, for node-exporter's textfile collector, which
/// takes no other.
pub(crate) fn textfile(registry: &Registry) -> String {
    encoded(|text| prometheus_text::encode(text, registry))
}

fn encoded(encode: impl FnOnce(&mut String) -> fmt::Result) -> String {
    let mut text = String::new();
    // Writing to a String does not fail.
    let _ = encode(&mut text);
    text
}

/// Returns the metrics of a summary, for node-exporter's textfile collector.
pub(super) fn summary(summary: Summary) -> String {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(summary));
    textfile(&registry)
}

/// Holds the names and values of a sample's labels.
pub(crate) type Labels = Vec<(&'static str, String)>;

/// Encodes families of metrics. A name is without the suffix of its type, such as `_total`.
pub(crate) struct Families<'a>(pub(crate) DescriptorEncoder<'a>);

impl Families<'_> {
    pub(crate) fn counter(
        &mut self,
        name: &str,
        help: &str,
        samples: impl IntoIterator<Item = (Labels, u64)>,
    ) -> fmt::Result {
        let samples = samples.into_iter().map(|(labels, value)| (labels, ConstCounter::new(value)));
        self.family(name, help, MetricType::Counter, samples)
    }

    pub(crate) fn gauge(
        &mut self,
        name: &str,
        help: &str,
        samples: impl IntoIterator<Item = (Labels, impl EncodeGaugeValue)>,
    ) -> fmt::Result {
        let samples = samples.into_iter().map(|(labels, value)| (labels, ConstGauge::new(value)));
        self.family(name, help, MetricType::Gauge, samples)
    }

    pub(crate) fn histogram(
        &mut self,
        name: &str,
        help: &str,
        samples: impl IntoIterator<Item = (Labels, Distribution)>,
    ) -> fmt::Result {
        self.family(name, help, MetricType::Histogram, samples)
    }

    fn family<M: EncodeMetric>(
        &mut self,
        name: &str,
        help: &str,
        kind: MetricType,
        samples: impl IntoIterator<Item = (Labels, M)>,
    ) -> fmt::Result {
        let mut family = self.0.encode_descriptor(name, help, None, kind)?;
        samples
            .into_iter()
            .try_for_each(|(labels, metric)| metric.encode(family.encode_family(&labels)?))
    }
}

/// Holds a sample of a histogram.
pub(crate) struct Distribution {
    pub(crate) sum: f64,
    pub(crate) count: u64,
    /// Upper bounds, each with the count of the values up to it and above the bound before
    pub(crate) buckets: Vec<(f64, u64)>,
}

impl EncodeMetric for Distribution {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> fmt::Result {
        let Self { sum, count, buckets } = self;
        encoder.encode_histogram::<NoLabelSet>(*sum, *count, buckets, None)
    }

    fn metric_type(&self) -> MetricType {
        MetricType::Histogram
    }
}

impl Collector for Summary {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut families = Families(encoder);
        families.gauge(
            "antrea_cni_log_calls",
            "Calls in the log by command, API and code.",
            self.groups.iter().map(|Group { command, api, code, calls }| {
                let labels = [("command", command), ("api", api), ("code", &code.to_string())];
                (labels.map(|(name, value)| (name, value.clone())).into(), *calls)
            }),
        )?;
        let times = self.commands.iter().flat_map(|Times { command, p50, p90, p99, .. }| {
            [("0.5", p50), ("0.9", p90), ("0.99", p99)].map(|(quantile, time)| {
                let labels = [("command", command.clone()), ("quantile", quantile.to_owned())];
                (labels.into(), time / 1e3)
            })
        });
        families.gauge("antrea_cni_log_call_seconds", "Time of the calls in the log.", times)?;
        families.gauge(
            "antrea_cni_log_agent_api_old",
            "1 if the agent answers in an API although a release has a newer one.",
            self.agents.iter().map(|Agent { log, api, is_old, .. }| {
                (vec![("log", log.clone()), ("api", api.clone())], u32::from(*is_old))
            }),
        )?;
        families.gauge(
            "antrea_cni_log_last_call_timestamp_seconds",
            "When the last call in the log was.",
            self.last_call.map(|at| (Labels::new(), at.as_duration().as_secs_f64())),
        )?;
        families.gauge(
            "antrea_cni_log_torn_lines",
            "Lines of the log that are not whole.",
            [(Labels::new(), self.torn_lines)],
        )
    }
}

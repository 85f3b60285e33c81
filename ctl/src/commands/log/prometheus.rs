// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Writes metrics in Prometheus' text format, for node-exporter's textfile collector. The metrics
//! of a summary are gauges, because a rotated log has fewer calls.

use std::fmt::Write;

use super::summary::{Agent, Group, Summary, Times};

/// Names and values of labels.
pub(crate) type Labels = Vec<(&'static str, String)>;

/// Labels and value of a sample.
pub(crate) type Sample = (Labels, f64);

/// Describes a sample of a histogram.
pub(crate) struct Distribution {
    pub(crate) labels: Labels,
    /// Upper bounds, each with the count of all values up to it
    pub(crate) buckets: Vec<(f64, f64)>,
    pub(crate) sum: f64,
    pub(crate) count: f64,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    Counter,
    Gauge,
}

/// Builds metrics in Prometheus' text format.
#[derive(Debug, Default)]
pub(crate) struct MetricsText<'a> {
    text: String,
    /// A label of all samples, which distinguishes two writers on one node
    common_label: Option<(&'static str, &'a str)>,
}

impl<'a> MetricsText<'a> {
    pub(crate) fn new(name: &'static str, value: &'a str) -> Self {
        Self { text: String::new(), common_label: Some((name, value)) }
    }

    pub(crate) fn into_text(self) -> String {
        self.text
    }

    pub(crate) fn family(&mut self, name: &str, kind: Kind, help: &str, samples: Vec<Sample>) {
        let kind = match kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
        };
        self.head(name, kind, help);
        for (labels, value) in samples {
            self.sample(name, &labels, value);
        }
    }

    pub(crate) fn histogram(&mut self, name: &str, help: &str, samples: Vec<Distribution>) {
        self.head(name, "histogram", help);
        for Distribution { labels, buckets, sum, count } in samples {
            for (bound, up_to) in buckets {
                self.bucket(name, &labels, bound.to_string(), up_to);
            }
            self.bucket(name, &labels, "+Inf".to_owned(), count);
            self.sample(&format!("{name}_sum"), &labels, sum);
            self.sample(&format!("{name}_count"), &labels, count);
        }
    }

    fn bucket(&mut self, name: &str, labels: &Labels, bound: String, up_to: f64) {
        let labels = labels.iter().cloned().chain([("le", bound)]).collect();
        self.sample(&format!("{name}_bucket"), &labels, up_to);
    }

    fn head(&mut self, name: &str, kind: &str, help: &str) {
        // Writing to a String does not fail.
        let _ = writeln!(self.text, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn sample(&mut self, name: &str, labels: &Labels, value: f64) {
        let of = self.common_label.map(|(name, value)| format!("{name}=\"{}\"", escape(value)));
        let labels = labels.iter().map(|(key, value)| format!("{key}=\"{}\"", escape(value)));
        let labels: Vec<_> = of.into_iter().chain(labels).collect();
        let labels = match labels.join(",") {
            none if none.is_empty() => none,
            some => format!("{{{some}}}"),
        };
        let _ = writeln!(self.text, "{name}{labels} {value}");
    }
}

/// Returns the metrics of a summary.
pub(super) fn metrics(summary: &Summary) -> String {
    let mut text = MetricsText::default();
    let mut family = |name: &str, help: &str, samples: Vec<Sample>| {
        text.family(name, Kind::Gauge, help, samples);
    };
    let calls = summary.groups.iter().map(|Group { command, api, code, calls }| {
        let labels =
            vec![("command", command.clone()), ("api", api.clone()), ("code", code.to_string())];
        (labels, number(*calls))
    });
    family("antrea_cni_log_calls", "Calls in the log by command, API and code.", calls.collect());
    let times = summary.commands.iter().flat_map(|times| {
        let Times { command, p50, p90, p99, .. } = times;
        [("0.5", p50), ("0.9", p90), ("0.99", p99)].map(|(quantile, time)| {
            (vec![("command", command.clone()), ("quantile", quantile.to_owned())], time / 1e3)
        })
    });
    family("antrea_cni_log_call_seconds", "Time of the calls in the log.", times.collect());
    let agents = summary.agents.iter().map(|Agent { log, api, is_old, .. }| {
        (vec![("log", log.clone()), ("api", api.clone())], f64::from(u8::from(*is_old)))
    });
    family(
        "antrea_cni_log_agent_api_old",
        "1 if the agent answers in an API although a release has a newer one.",
        agents.collect(),
    );
    let last = summary.last_call.map(|at| (Vec::new(), at.as_duration().as_secs_f64()));
    family(
        "antrea_cni_log_last_call_timestamp_seconds",
        "When the last call in the log was.",
        last.into_iter().collect(),
    );
    let torn = vec![(Vec::new(), number(summary.torn_lines))];
    family("antrea_cni_log_torn_lines", "Lines of the log that are not whole.", torn);
    text.into_text()
}

fn number(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

/// Escapes a label value by <https://prometheus.io/docs/instrumenting/exposition_formats/>.
fn escape(value: &str) -> String {
    value.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// <https://prometheus.io/docs/instrumenting/exposition_formats/>
    #[test]
    fn labels_are_escaped() {
        let mut text = MetricsText::new("plugin", "a\"b");
        text.family("m", Kind::Gauge, "help", vec![(vec![("l", "c\\d\ne".to_owned())], 1.0)]);
        let text = text.into_text();
        assert!(text.ends_with("m{plugin=\"a\\\"b\",l=\"c\\\\d\\ne\"} 1\n"), "{text}");
    }
}

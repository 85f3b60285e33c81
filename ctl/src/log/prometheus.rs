//! The summary in Prometheus' text format, for node-exporter's textfile
//! collector. All are gauges: the log they come from gets shorter when it is
//! rotated.

use std::fmt::Write;

use super::summary::{Agent, Group, Summary, Times};

/// The labels of a sample, and its value.
pub(crate) type Sample<'a> = (Vec<(&'a str, &'a str)>, f64);

/// Adds a metric.
pub(crate) fn family(text: &mut String, name: &str, help: &str, samples: Vec<Sample<'_>>) {
    // Writing to a String does not fail.
    let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} gauge");
    for (labels, value) in samples {
        let labels: Vec<_> =
            labels.iter().map(|(key, value)| format!("{key}=\"{}\"", escape(value))).collect();
        let labels = match labels.join(",") {
            none if none.is_empty() => none,
            some => format!("{{{some}}}"),
        };
        let _ = writeln!(text, "{name}{labels} {value}");
    }
}

/// All of a summary.
pub(super) fn text(summary: &Summary) -> String {
    let mut text = String::new();
    let mut family = |name: &str, help: &str, samples: Vec<Sample<'_>>| {
        family(&mut text, name, help, samples);
    };
    let codes: Vec<_> = summary.groups.iter().map(|group| group.code.to_string()).collect();
    let calls = summary.groups.iter().zip(&codes).map(|(group, code)| {
        let Group { command, api, calls, .. } = group;
        (vec![("command", &**command), ("api", &**api), ("code", &**code)], number(*calls))
    });
    family("antrea_cni_log_calls", "Calls in the log by command, API and code.", calls.collect());
    let times = summary.commands.iter().flat_map(|times| {
        let Times { command, p50, p90, p99, .. } = times;
        [("0.5", p50), ("0.9", p90), ("0.99", p99)].map(|(quantile, time)| {
            (vec![("command", &**command), ("quantile", quantile)], time / 1e3)
        })
    });
    family("antrea_cni_log_call_seconds", "Time of the calls in the log.", times.collect());
    let agents = summary.agents.iter().map(|Agent { log, api, is_old, .. }| {
        (vec![("log", &**log), ("api", &**api)], f64::from(u8::from(*is_old)))
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
    text
}

fn number(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

/// Label values: <https://prometheus.io/docs/instrumenting/exposition_formats/>
fn escape(value: &str) -> String {
    value.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n")
}

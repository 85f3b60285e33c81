// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Writes the HTML page: one file without scripts, light or dark as the browser prefers.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::Fleet;
use super::row::{Row, count_values};
use super::timeline::Timeline;

/// Colours that differ on light and dark ground, and for colour-blind people.
const COLOURS: [&str; 5] = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9"];

const STYLE: &str = "
:root { color-scheme: light dark; --back: #fff; --text: #1a1a1a; --weak: #666; --line: #ddd; --bad: #b3261e; --good: #1a6b36; }
@media (prefers-color-scheme: dark) { :root { --back: #16181c; --text: #e6e6e6; --weak: #9a9a9a; --line: #33363d; --bad: #ff8a80; --good: #7bd88f; } }
body { background: var(--back); color: var(--text); font: 14px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 78rem; padding: 0 1rem; }
h1 { font-size: 1.5rem } h2 { font-size: 1.1rem; margin-top: 2rem }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums }
td:first-child { min-width: 9rem }
th, td { border-bottom: 1px solid var(--line); padding: .3rem .6rem; text-align: left; vertical-align: top }
thead th { position: sticky; top: 0; background: var(--back) }
td.number, th.number { text-align: right } .weak { color: var(--weak) } .bad { color: var(--bad) } .good { color: var(--good) }
ul { margin: 0; padding-left: 1.1rem } .tiles { display: flex; flex-wrap: wrap; gap: 1rem }
.tile { border: 1px solid var(--line); border-radius: .5rem; padding: .6rem 1rem; min-width: 8rem } .tile b { display: block; font-size: 1.4rem }
svg { width: 100%; height: auto; display: block } .key { display: inline-block; width: .8rem; height: .8rem; margin: 0 .3rem 0 1rem }
";

pub(super) fn html(fleet: &Fleet) -> String {
    let Fleet { nodes, timeline } = fleet;
    let known = |text: &Option<String>| text.clone().unwrap_or_else(|| "not known".to_owned());
    let plugins: Vec<_> = nodes.iter().map(|node| known(&node.plugin)).collect();
    let lists: Vec<_> = nodes.iter().map(|node| known(&node.list)).collect();
    let apis: Vec<_> = nodes.iter().map(|node| known(&node.api)).collect();
    let ready = nodes.iter().filter(|node| node.ready == Some(true)).count();
    let failed: usize = nodes.iter().map(|node| node.failed).sum();
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "antrea-cni: " (nodes.len()) " nodes" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                h1 { "antrea-cni on " (nodes.len()) " nodes" }
                div.tiles {
                    (tile(&format!("{ready} of {}", nodes.len()), "agents are ready"))
                    (tile(&failed.to_string(), "calls failed"))
                    (tile(&format!("{} of {}", fleet.count_clear(), nodes.len()), "nodes could have a list of 1.1.0"))
                    (count_tile("plugin", &plugins))
                    (count_tile("agent", &apis))
                    (count_tile("list", &lists))
                }
                h2 { "The agents, as calls met them" }
                (timeline_chart(timeline))
                h2 { "What stands in the way of a list of 1.1.0" }
                (obstacle_table(nodes))
                h2 { "Nodes" }
                table {
                    thead { tr {
                        th { "node" } th { "plugin" } th { "agent" } th { "list" } th { "ready" }
                        th.number { "calls" } th.number { "failed" } th.number { "p50 ms" } th.number { "p99 ms" }
                        th { "last restart" }
                    } }
                    tbody { @for node in nodes { (table_row(node)) } }
                }
            }
        }
    };
    page.into_string()
}

fn tile(figure: &str, what: &str) -> Markup {
    html! { div.tile { b { (figure) } span.weak { (what) } } }
}

fn count_tile(what: &str, values: &[String]) -> Markup {
    html! {
        div.tile {
            span.weak { (what) }
            @for (value, count) in count_values(values.iter().map(String::as_str)) {
                div { (value) " " span.weak { "× " (count) } }
            }
        }
    }
}

fn table_row(node: &Row) -> Markup {
    let milliseconds =
        |time: Option<f64>| time.map(|time| format!("{time:.2}")).unwrap_or_default();
    html! {
        tr {
            td { (node.name) }
            td {
                @match (&node.plugin, node.keeper) {
                    (Some(version), _) => (version),
                    (None, Some(_)) => span.bad { "not ours" },
                    (None, None) => span.weak { "?" },
                }
                @if node.keeper == Some(true) { " " span.weak { "kept" } }
            }
            td {
                @match &node.api { Some(api) => (api), None => span.weak { "?" } }
                @if node.is_old { " " span.bad { "old" } }
                @match &node.agent_release {
                    Some(release) => { br; span.weak { (release) } }
                    None if !node.releases.is_empty() => { br; span.weak { (node.releases) } }
                    None => {}
                }
            }
            td { @match &node.list { Some(list) => (list), None => span.weak { "?" } } }
            td {
                @match node.ready {
                    Some(true) => span.good { "yes" },
                    Some(false) => span.bad { "no" },
                    None => span.weak { "?" },
                }
            }
            td.number { (node.calls) }
            td.number { @if node.failed > 0 { span.bad { (node.failed) } } @else { "0" } }
            td.number { (milliseconds(node.p50)) }
            td.number { (milliseconds(node.p99)) }
            td.weak { @if let Some(at) = node.last_restart { (format!("{at:.0}")) } }
        }
    }
}

/// Most names of nodes that a cell shows at once.
const MAX_NAMES: usize = 8;

/// Returns the table of obstacles. An obstacle of several nodes has one row.
fn obstacle_table(nodes: &[Row]) -> Markup {
    let mut shared: std::collections::BTreeMap<&str, Vec<&str>> = std::collections::BTreeMap::new();
    for node in nodes {
        for obstacle in node.problems.iter().chain(&node.in_the_way) {
            shared.entry(obstacle).or_default().push(&node.name);
        }
    }
    let mut shared: Vec<_> = shared.into_iter().collect();
    shared.sort_by_key(|(_, nodes)| std::cmp::Reverse(nodes.len()));
    html! {
        @if shared.is_empty() { p.good { "Nothing." } }
        @else {
            table {
                thead { tr { th { "what" } th.number { "nodes" } th { "which" } } }
                tbody {
                    @for (what, nodes) in shared {
                        tr {
                            td { (what) }
                            td.number { (nodes.len()) }
                            td.weak {
                                @if nodes.len() <= MAX_NAMES { (nodes.join(", ")) }
                                @else { details { summary { "show them" } (nodes.join(", ")) } }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Draws stacked columns: how many nodes had which agent.
fn timeline_chart(timeline: &Timeline) -> Markup {
    let (Some(from), Some(until)) = (timeline.from, timeline.until) else {
        return html! { p.weak { "No logs." } };
    };
    let moments = timeline.apis.values().map(Vec::len).max().unwrap_or(0);
    let at = |counts: &Vec<usize>, moment: usize| counts.get(moment).copied().unwrap_or(0);
    let total = |moment| timeline.apis.values().map(|counts| at(counts, moment)).sum::<usize>();
    let most = (0..moments).map(total).max().unwrap_or(1).max(1);
    let (wide, high) = (1000.0, 160.0);
    let number = |count: usize| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
    let step = wide / number(moments.max(1));
    html! {
        svg viewBox="0 0 1000 160" role="img" aria-label="Nodes by the API of their agent, over time" {
            @for moment in 0..moments {
                @let mut below = 0;
                @for (counts, colour) in timeline.apis.values().zip(COLOURS.iter().cycle()) {
                    @let count = at(counts, moment);
                    @let height = high * number(count) / number(most);
                    @let top = high - high * number({ below += count; below }) / number(most);
                    rect x=(format!("{:.1}", step * number(moment))) y=(format!("{top:.1}"))
                        width=(format!("{:.1}", step * 0.92)) height=(format!("{height:.1}")) fill=(colour) {}
                }
            }
        }
        p.weak {
            (format!("{from:.0}")) " to " (format!("{until:.0}"))
            @for (api, colour) in timeline.apis.keys().zip(COLOURS.iter().cycle()) {
                span.key style={ "background:" (colour) } {} (api)
            }
        }
    }
}

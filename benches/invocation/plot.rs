// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Plots as SVG.

use std::fmt::Write as _;

use crate::measure::{BURSTS, Burst, Row};

const WIDTH: f64 = 720.0;
const LEFT: f64 = 190.0;
const STYLE: &str = "<style>text{font:13px sans-serif;fill:#555}.t{font-weight:bold;font-size:15px}.floor{fill:#9aa7b3;stroke:#9aa7b3}.plugin{fill:#1a7f5a;stroke:#1a7f5a}.peer{fill:#c2703d;stroke:#c2703d}.nothing{fill:#ccc;stroke:#ccc}.grid{stroke:#ccc;stroke-width:.5}polyline{fill:none!important;stroke-width:2}</style>";

fn kind(name: &str) -> &str {
    ["floor", "plugin", "peer"].into_iter().find(|it| name.starts_with(it)).unwrap_or("nothing")
}

/// Latency by generation: a bar to p50, a whisker to p90.
pub(crate) fn generations(rows: &[Row]) -> String {
    let most = rows.iter().map(|row| row.wall_ms[1]).fold(0.0, f64::max);
    let x = |ms: f64| LEFT + ms / most * (WIDTH - LEFT - 70.0);
    let height = 60.0 + 24.0 * rows.len() as f64;
    let mut svg = head(height, "One call, whole process: p50 (bar) and p90 (whisker), ms");
    for (index, row) in rows.iter().enumerate() {
        let y = 44.0 + 24.0 * index as f64;
        let (p50, p90, class) = (row.wall_ms[0], row.wall_ms[1], kind(&row.name));
        let _ = write!(
            svg,
            r#"<text x="{}" y="{}" text-anchor="end">{}</text><rect class="{class}" x="{LEFT}" y="{y}" width="{:.1}" height="15"/><line class="{class}" x1="{:.1}" x2="{:.1}" y1="{m}" y2="{m}"/><text x="{:.1}" y="{}">{p50:.2}</text>"#,
            LEFT - 8.0,
            y + 12.0,
            row.name,
            x(p50) - LEFT,
            x(p50),
            x(p90),
            x(p90) + 5.0,
            y + 12.0,
            m = y + 7.5,
        );
    }
    svg + "</svg>\n"
}

/// Burst size against time, both on logarithmic scales.
pub(crate) fn bursts(bursts: &[Burst]) -> String {
    let most = bursts.iter().map(|it| it.wall_ms).fold(1.0, f64::max);
    let least = bursts.iter().map(|it| it.wall_ms).fold(most, f64::min);
    let (bottom, top, left) = (300.0, 50.0, 70.0);
    let x = |count: usize| left + (count as f64).ln() / 500f64.ln() * (WIDTH - left - 100.0);
    let y = |ms: f64| bottom - (ms / least).ln() / (most / least).ln() * (bottom - top);
    let mut svg = head(340.0, "ADDs at once (across) and time until all are done (up), log scales");
    for count in BURSTS {
        let _ = write!(
            svg,
            r#"<line class="grid" x1="{x:.1}" x2="{x:.1}" y1="{top}" y2="{bottom}"/><text x="{x:.1}" y="320" text-anchor="middle">{count}</text>"#,
            x = x(count)
        );
    }
    let mut names: Vec<&str> = bursts.iter().map(|it| &*it.name).collect();
    names.dedup();
    names.sort_unstable();
    names.dedup();
    for name in names {
        let (class, mut points) = (kind(name), String::new());
        for it in bursts.iter().filter(|it| it.name == name) {
            let _ = write!(points, "{:.1},{:.1} ", x(it.count), y(it.wall_ms));
            let _ = write!(
                svg,
                r#"<circle class="{class}" cx="{:.1}" cy="{:.1}" r="3"/>"#,
                x(it.count),
                y(it.wall_ms)
            );
            if it.count == 500 {
                let _ = write!(
                    svg,
                    r#"<text x="{:.1}" y="{:.1}">{name} {:.0} ms</text>"#,
                    x(500) + 8.0,
                    y(it.wall_ms) + 4.0,
                    it.wall_ms
                );
            }
        }
        let _ = write!(svg, r#"<polyline class="{class}" points="{points}"/>"#);
    }
    svg + "</svg>\n"
}

fn head(height: f64, title: &str) -> String {
    format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}">{STYLE}<text class="t" x="16" y="26">{title}</text>"#
    )
}

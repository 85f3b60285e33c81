// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Tables for people, and the files of the documentation.

use std::fmt::Write as _;

use crate::measure::{Bench, Burst, Row};
use crate::plot;
use crate::waiting::{COUNT, Waiting};

/// Everything as Markdown.
pub(crate) fn text(bench: &Bench, rounds: &[Row], bursts: &[Burst], waiting: &Waiting) -> String {
    let mut text = format!(
        "Binary: {} bytes. Agent: grpc-go {}. Times are p50 and p90 in ms.\n\n",
        bench.bytes, bench.grpc
    );
    text.push_str("| one process | wall | | ÷ floor | | CPU | | page faults | max RSS |\n");
    text.push_str("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n");
    for Row { name, wall_ms, ratio, cpu_ms, faults, rss_kib, .. } in rounds {
        let _ = writeln!(
            text,
            "| {name} | {:.3} | {:.3} | {:.2} | {:.2} | {:.3} | {:.3} | {:.0} | {:.0} KiB |",
            wall_ms[0], wall_ms[1], ratio[0], ratio[1], cpu_ms[0], cpu_ms[1], faults[0], rss_kib[0]
        );
    }
    let p50 = |name: &str| rounds.iter().find(|row| row.name == name).map(|row| row.wall_ms[0]);
    if let (Some(without), Some(with)) = (p50("plugin ADD, v1"), p50("plugin ADD, v1, logFile")) {
        let cost = (with / without - 1.0) * 100.0;
        let _ = writeln!(text, "\nThe log (`logFile`) costs {cost:.1} % of an ADD.");
    }
    text.push_str("\n| ADDs at once | | all done in | ÷ floor | slowest | failed | sum of RSS |\n");
    text.push_str("| ---: | --- | ---: | ---: | ---: | ---: | ---: |\n");
    for Burst { name, count, wall_ms, slowest_ms, rss_mib, ratio, failed } in bursts {
        let _ = writeln!(
            text,
            "| {count} | {name} | {wall_ms:.1} ms | {ratio:.2} | {slowest_ms:.1} ms | {failed} | {rss_mib:.0} MiB |"
        );
    }
    let Waiting { missing, refused, noticed_ms, herd_ms, .. } = waiting;
    text.push_str("\n| plugins that wait | |\n| --- | ---: |\n");
    let floor = bursts.iter().find(|it| it.count == COUNT && it.name == "floor");
    let ratio = herd_ms / floor.map_or(f64::NAN, |it| it.wall_ms);
    let _ = writeln!(
        text,
        "| CPU of {COUNT}, the socket is missing | {missing:.2} % of a core |\n\
         | CPU of {COUNT}, nobody listens on it | {refused:.2} % of a core |\n\
         | one connects to a socket that came, p50 and p99 | {:.2} and {:.2} ms |\n\
         | {COUNT} are all done after the socket came in | {herd_ms:.1} ms, {ratio:.2} × the floor's burst |",
        noticed_ms[0], noticed_ms[1]
    );
    text
}

/// Writes table and plots into `docs/contributing/`.
pub(crate) fn write(text: &str, rounds: &[Row], bursts: &[Burst]) {
    const BEGIN: &str = "<!-- measured: begin -->\n";
    const END: &str = "<!-- measured: end -->\n";
    let docs = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/contributing");
    let page = format!("{docs}/performance.md");
    let old = std::fs::read_to_string(&page).unwrap();
    let (before, rest) = old.split_once(BEGIN).expect("a place for the table");
    let (_, after) = rest.split_once(END).expect("an end of the table");
    std::fs::write(page, format!("{before}{BEGIN}{text}{END}{after}")).unwrap();
    std::fs::write(format!("{docs}/performance-generations.svg"), plot::generations(rounds))
        .unwrap();
    std::fs::write(format!("{docs}/performance-bursts.svg"), plot::bursts(bursts)).unwrap();
}

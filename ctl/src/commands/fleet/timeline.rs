// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Counts over time how many nodes had which agent, to show an upgrade.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::inputs::Inputs;
use crate::commands::log::event::short_name;

/// Number of intervals between the counted moments.
const INTERVALS: i32 = 60;

/// Counts nodes by API, from the first call to the last.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Timeline {
    /// Time of the first call
    pub from: Option<Timestamp>,
    /// Time of the last call
    pub until: Option<Timestamp>,
    /// Number of nodes at each moment, by the API that answered last
    pub apis: BTreeMap<String, Vec<usize>>,
}

impl Timeline {
    pub(super) fn new<'a>(nodes: impl Iterator<Item = &'a Inputs> + Clone) -> Self {
        let starts = nodes.clone().flat_map(|it| it.log.generations.first()).map(|(at, _)| *at);
        let ends = nodes.clone().filter_map(|it| it.log.until);
        let (Some(from), Some(until)) = (starts.min(), ends.max()) else { return Self::default() };
        let step = until.duration_since(from) / INTERVALS;
        let moments: Vec<_> = (0..=INTERVALS)
            .filter_map(|number| {
                from.checked_add(SignedDuration::from_nanos(
                    i64::try_from(step.as_nanos() * i128::from(number)).ok()?,
                ))
                .ok()
            })
            .collect();
        let mut apis: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for inputs in nodes {
            for (number, moment) in moments.iter().enumerate() {
                let past = inputs.log.generations.iter().rev().find(|(at, _)| at <= moment);
                let Some((_, package)) = past else { continue };
                let counts = apis.entry(short_name(package).to_owned());
                let counts = counts.or_insert_with(|| vec![0; moments.len()]);
                if let Some(count) = counts.get_mut(number) {
                    *count += 1;
                }
            }
        }
        Self { from: Some(from), until: Some(until), apis }
    }
}

// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! What could panic in the release binary is what `docs/contributing/panics.md` explains:
//! `make test-release`.
//!
//! A place that can panic has its source file's name in the binary.
#![expect(clippy::unwrap_used, reason = "a test program")]

use std::collections::BTreeSet;
use std::process::ExitCode;

use antrea_cni_test_support::{Case, binary_under_test, run_cases};

fn main() -> ExitCode {
    let name = "what could panic is explained";
    let case = match binary_under_test() {
        Some(plugin) => Case::new(name, move || explained(&std::fs::read(plugin).unwrap())),
        None => Case::skipped(name, "it is about the release binary: `make test-release`"),
    };
    run_cases(None, || vec![case], || Ok(()))
}

fn explained(binary: &[u8]) -> Result<(), String> {
    let found = sources(binary);
    let page = include_str!("../docs/contributing/panics.md");
    let rows = page.lines().filter_map(|line| line.strip_prefix("| ")?.split(" | ").next());
    let explained: BTreeSet<_> =
        rows.skip(2).flat_map(|row| row.split(", ")).map(str::to_owned).collect();
    let new: Vec<_> = found.difference(&explained).collect();
    let old: Vec<_> = explained.difference(&found).collect();
    if new.is_empty() && old.is_empty() {
        return Ok(());
    }
    Err(format!(
        "not in docs/contributing/panics.md: {new:?}; there, and cannot panic any more: {old:?}"
    ))
}

/// Our own files, and the crates of others, whose names end in `.rs` in a binary.
fn sources(binary: &[u8]) -> BTreeSet<String> {
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-./".contains(byte);
    let mut found = BTreeSet::new();
    for text in binary.split(|byte| !is_name(byte)) {
        let text = str::from_utf8(text).unwrap();
        // Texts stand close together: one may end with the start of another.
        for (end, _) in text.match_indices(".rs") {
            let path = text.get(..end).unwrap();
            let path = path.rsplit_once(".rs").map_or(path, |(_, rest)| rest);
            found.extend(source(path));
        }
    }
    found
}

fn source(path: &str) -> Option<String> {
    if let Some((_, rest)) = path.rsplit_once("/library/") {
        let name =
            if rest.contains("/backtrace/") { "backtrace" } else { rest.split('/').next()? };
        return Some(name.to_owned());
    }
    match path.split_once("/src/").or_else(|| path.split_once("src/")) {
        Some(("", rest)) => Some(format!("src/{rest}.rs")),
        Some(_) => {
            // …/name-1.2.3/src/…
            let package =
                path.split("/src/").filter_map(|part| part.rsplit('/').next()).find(|it| {
                    it.rsplit_once('-').is_some_and(|(_, version)| {
                        version.contains('.') && version.starts_with(|c: char| c.is_ascii_digit())
                    }) && !it.starts_with("index.")
                })?;
            Some(package.rsplit_once('-')?.0.to_owned())
        }
        None => None,
    }
}

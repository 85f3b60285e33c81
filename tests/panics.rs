//! What could panic in the release binary is what `docs/panics.md` explains:
//! `make test-release`.
//!
//! A place that can panic has its source file's name in the binary.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a test program")]

use std::collections::BTreeSet;
use std::process::ExitCode;

fn main() -> ExitCode {
    let Some(plugin) = std::env::var_os("ANTREA_CNI_PLUGIN") else {
        println!("*** panics skipped: they are the release binary's; `make test-release` ***");
        println!("0 passed, 0 failed, 1 skipped");
        return ExitCode::SUCCESS;
    };
    let binary = std::fs::read(plugin).unwrap();
    let found = sources(&binary);
    let page = include_str!("../docs/panics.md");
    let rows = page.lines().filter_map(|line| line.strip_prefix("| ")?.split(" | ").next());
    let explained: BTreeSet<_> =
        rows.skip(2).flat_map(|row| row.split(", ")).map(str::to_owned).collect();
    let mut failed = 0;
    for source in found.difference(&explained) {
        println!("FAILED  {source} can panic, and docs/panics.md does not say why it does not");
        failed += 1;
    }
    for source in explained.difference(&found) {
        println!("FAILED  docs/panics.md explains {source}, which cannot panic any more");
        failed += 1;
    }
    println!("{} passed, {failed} failed", found.intersection(&explained).count());
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
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

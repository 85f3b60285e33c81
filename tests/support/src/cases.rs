// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Programs that run a table of cases, each of which is reported as a test.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};

/// A case by its name; what it gives is said where it failed.
pub struct Case {
    name: String,
    skipped: bool,
    run: Box<dyn FnOnce() -> Result<(), String> + Send>,
}

impl Case {
    pub fn new(
        name: impl Into<String>,
        run: impl FnOnce() -> Result<(), String> + Send + 'static,
    ) -> Self {
        Self { name: name.into(), skipped: false, run: Box::new(run) }
    }

    /// A case that cannot run here: it is said loudly, and counted as ignored.
    pub fn skipped(name: impl Into<String>, why: &str) -> Self {
        let name = name.into();
        skipped(&format!("{name}: {why}"));
        Self { skipped: true, ..Self::new(name, || Ok(())) }
    }
}

/// Says that something cannot run here, also in a test whose output is kept back.
pub fn skipped(what: &str) {
    let _ = writeln!(std::io::stderr(), "*** skipped: {what} ***");
}

/// Runs the cases that the command line wants, as many at once as `threads` says.
/// `after` is asked for more when all of them ran.
pub fn run_cases(
    threads: Option<usize>,
    cases: impl FnOnce() -> Vec<Case>,
    after: impl FnOnce() -> Result<(), String>,
) -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads = arguments.test_threads.or(threads);
    let is_whole = arguments.filter.is_none() && !arguments.list && arguments.skip.is_empty();
    let trials = cases().into_iter().map(|case| {
        let run = case.run;
        Trial::test(case.name, move || run().map_err(Failed::from)).with_ignored_flag(case.skipped)
    });
    let conclusion = libtest_mimic::run(&arguments, trials.collect());
    if is_whole && let Err(why) = after() {
        complain(&why);
        return ExitCode::FAILURE;
    }
    conclusion.exit_code()
}

#[expect(clippy::print_stderr, reason = "a person has to see it")]
fn complain(why: &str) {
    eprintln!("FAILED  {why}");
}

/// The binary that `ANTREA_CNI_PLUGIN` names, such as the release one.
pub fn binary_under_test() -> Option<PathBuf> {
    std::env::var_os("ANTREA_CNI_PLUGIN").map(PathBuf::from)
}

// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Connects the program to its process: environment and standard input in, standard output and exit
//! status out.

use std::io::{Write, stderr};
use std::process::ExitCode;

use antrea_cni::input::Stdin;
use antrea_cni::{Output, run};

/// Replaces musl's own allocator, which makes many system calls. They are a noticeable part of a
/// process that lives for a millisecond.
#[global_allocator]
static ALLOCATOR: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;

fn main() -> ExitCode {
    std::panic::set_hook(Box::new(|_| exit_with_internal_error()));
    write_output(&run(&|name| std::env::var_os(name), &mut Stdin))
}

/// Writes the output. An ADD fails if its result cannot be written, so that the container runtime
/// undoes it.
fn write_output(output: &Output) -> ExitCode {
    let written = output.write_to_stdout();
    let _ = stderr().write_all(output.stderr.as_bytes());
    if output.success && written.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Ends the process with a CNI error. Without this, a panic in a library would end it by a signal,
/// and the container runtime would find nothing to read.
#[expect(clippy::exit, reason = "a panic ends here")]
fn exit_with_internal_error() {
    let _ = write_output(&Output::internal_error());
    std::process::exit(1);
}

//! The plugin's edge: environment and standard input in, bytes and exit status
//! out.

use std::io::{Write, stderr};
use std::process::ExitCode;

use antrea_cni::input::Stdin;
use antrea_cni::{Output, run};

/// musl's own allocator asks the kernel for memory again and again, which shows
/// in a process that lives for a millisecond.
#[global_allocator]
static ALLOCATOR: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;

fn main() -> ExitCode {
    std::panic::set_hook(Box::new(|_| exit_with_internal_error()));
    write_output(&run(&|name| std::env::var_os(name), &mut Stdin))
}

/// An ADD whose result cannot be written has to fail, so that the runtime undoes
/// it.
fn write_output(output: &Output) -> ExitCode {
    let written = output.write_to_stdout();
    let _ = stderr().write_all(output.stderr.as_bytes());
    if output.success && written.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// A mistake in a library would otherwise end the process by a signal, and say
/// nothing that a runtime reads.
#[expect(clippy::exit, reason = "a panic ends here")]
fn exit_with_internal_error() {
    let _ = write_output(&Output::internal_error());
    std::process::exit(1);
}

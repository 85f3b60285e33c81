//! The plugin's edge: environment and standard input in, bytes and exit status
//! out.

use std::io::{self, Write, stderr};
use std::os::fd::AsFd;
use std::process::ExitCode;

use antrea_cni::input::Stdin;
use antrea_cni::{Output, run};
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::stat::{SFlag, fstat};

/// musl's own allocator asks the kernel for memory again and again, which shows
/// in a process that lives for a millisecond.
#[global_allocator]
static ALLOCATOR: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;

fn main() -> ExitCode {
    std::panic::set_hook(Box::new(|_| leave_with_an_error()));
    write(&run(&|name| std::env::var_os(name), &mut Stdin))
}

/// An ADD whose result cannot be told has to fail, so that the runtime undoes
/// it.
fn write(output: &Output) -> ExitCode {
    let told = match output.stdout.is_empty() {
        true => Ok(()),
        false => tell(output),
    };
    let _ = stderr().write_all(output.stderr.as_bytes());
    if output.success && told.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Writes to standard output, past the standard library, which takes a descriptor
/// that cannot be written for one that swallows everything.
fn tell(output: &Output) -> io::Result<()> {
    let stdout = io::stdout();
    let mut rest = &*output.stdout;
    if output.is_result {
        prepare(&stdout)?;
    }
    while !rest.is_empty() {
        match nix::unistd::write(&stdout, rest) {
            Ok(written) => rest = rest.get(written..).unwrap_or_default(),
            Err(nix::errno::Errno::EINTR) => (),
            Err(errno) => return Err(errno.into()),
        }
    }
    Ok(())
}

/// Finds out what would lose a result: a limit of file sizes ends a process by a
/// signal, and in the place of a descriptor that was closed the standard library
/// opens `/dev/null`, to read and write.
fn prepare(stdout: &impl AsFd) -> io::Result<()> {
    let file = fstat(stdout)?;
    match SFlag::from_bits_truncate(file.st_mode & SFlag::S_IFMT.bits()) {
        SFlag::S_IFREG => SigSet::from(Signal::SIGXFSZ).thread_block()?,
        SFlag::S_IFCHR if file.st_rdev == NULL_DEVICE => {
            let flags = OFlag::from_bits_truncate(fcntl(stdout, FcntlArg::F_GETFL)?);
            if flags & OFlag::O_ACCMODE == OFlag::O_RDWR {
                return Err(io::ErrorKind::NotConnected.into());
            }
        }
        _ => (),
    }
    Ok(())
}

/// `/dev/null`, on every Linux.
const NULL_DEVICE: u64 = 1 << 8 | 3;

/// A mistake in a library would otherwise end the process by a signal, and say
/// nothing that a runtime reads.
#[expect(clippy::exit, reason = "a panic ends here")]
fn leave_with_an_error() {
    let _ = write(&Output::internal_error());
    std::process::exit(1);
}

//! Signals, which end a command wherever it waits.

use tokio::runtime::{Builder, Runtime};

use crate::error::{Error, Exit};
use crate::platform::Signals;

/// Does something, or ends with `otherwise` as soon as a signal says so, wherever it
/// waits.
pub(super) fn until_terminated(
    work: impl Future<Output = Result<Exit, Error>>,
    otherwise: Exit,
) -> Result<Exit, Error> {
    let runtime: Runtime =
        Builder::new_current_thread().enable_all().build().map_err(Error::Runtime)?;
    let done = runtime.block_on(async {
        let mut signals = Signals::listen().map_err(Error::Runtime)?;
        tokio::select! {
            () = signals.terminated() => Ok(otherwise),
            done = work => done,
        }
    });
    // Not to wait for a thread that nobody waits for any more.
    runtime.shutdown_background();
    done
}

//! SIGTERM and SIGINT, which end a command wherever it waits.

use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::error::{Error, Exit};

/// Does something, or ends with `otherwise` as soon as a signal says so, wherever it
/// waits.
pub(super) fn until_terminated(
    work: impl Future<Output = Result<Exit, Error>>,
    otherwise: Exit,
) -> Result<Exit, Error> {
    let runtime: Runtime =
        Builder::new_current_thread().enable_all().build().map_err(Error::Runtime)?;
    let done = runtime.block_on(async {
        let mut signals = Signals::listen()?;
        tokio::select! {
            () = signals.terminated() => Ok(otherwise),
            done = work => done,
        }
    });
    // Not to wait for a thread that nobody waits for any more.
    runtime.shutdown_background();
    done
}

/// SIGTERM and SIGINT. The first process of a container has no default action for them.
struct Signals {
    term: Signal,
    int: Signal,
}

impl Signals {
    fn listen() -> Result<Self, Error> {
        let listen = |kind| signal(kind).map_err(Error::Runtime);
        Ok(Self { term: listen(SignalKind::terminate())?, int: listen(SignalKind::interrupt())? })
    }

    /// Until the process is asked to end.
    async fn terminated(&mut self) {
        tokio::select! {
            _ = self.term.recv() => (),
            _ = self.int.recv() => (),
        }
    }
}

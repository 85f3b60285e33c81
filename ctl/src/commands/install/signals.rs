// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Ends a command at a signal, even while it waits.

use tokio::runtime::{Builder, Runtime};

use crate::error::{Error, Exit};
use crate::platform::Signals;

/// Does `work`. A signal ends it early, with the exit status `otherwise`.
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
    // Does not wait for threads, which may be blocked in the kernel.
    runtime.shutdown_background();
    done
}

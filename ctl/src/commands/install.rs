// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Implements `install`, `uninstall` and `rollback`.
//!
//! A container runtime may start the plugin at any moment. So there is always a whole file under
//! the plugin's name, and it is never open for writing ("text file busy"): a new plugin is written
//! beside it, run once and renamed over it. [`managed_file::ManagedFile`] keeps the replaced file
//! in a hidden folder. [`state::State`] locks that folder.

mod installation;
#[cfg(unix)]
mod keep;
mod managed_file;
#[cfg(unix)]
mod metrics;
mod settings;
mod signals;
pub(crate) mod state;
mod undo;
#[cfg(unix)]
mod watch;

use std::io::Write;

use self::installation::Installation;
use self::signals::until_terminated;
use self::state::sha256;
use crate::cli::Install;
use crate::error::{Error, Exit};
use crate::output::warn;
use crate::plugin_check;

pub(crate) use self::undo::{rollback, uninstall};

#[cfg(embedded)]
const EMBEDDED: Option<&[u8]> = Some(include_bytes!(concat!(env!("OUT_DIR"), "/plugin")));
#[cfg(not(embedded))]
const EMBEDDED: Option<&[u8]> = None;

/// Describes the embedded plugin for people.
pub(crate) fn embedded() -> String {
    match EMBEDDED {
        Some(plugin) => format!(
            "with the plugin {} in it, sha256 {}",
            env!("CARGO_PKG_VERSION"),
            sha256(plugin)
        ),
        None => "no plugin is in it".to_owned(),
    }
}

/// Runs the command `install`. With `--keep` it runs until a signal ends it.
pub(crate) fn install(arguments: &Install, out: &mut impl Write) -> Result<Exit, Error> {
    until_terminated(
        async {
            let installed = match Installation::prepare(arguments, EMBEDDED).await {
                Ok(installation) => {
                    let done = installation.install(out).await;
                    done.map(|()| installation)
                }
                Err(error) => Err(error),
            };
            let plugin = arguments.place.plugin()?;
            let installation = match installed {
                Ok(installation) => installation,
                Err(error)
                    if arguments.best_effort
                        && plugin_check::works(&plugin, plugin_check::LIMIT).await =>
                {
                    warn(format!("{}: left as it is: {error}", plugin.display()));
                    match arguments.keep {
                        // The keeper tries again, because the error may be temporary.
                        Some(_) => Installation::prepare(arguments, EMBEDDED).await?,
                        None => return Ok(Exit::Success),
                    }
                }
                Err(error) => return Err(error),
            };
            match arguments.keep {
                #[cfg(unix)]
                Some(interval) => keep::keep(&installation, interval, out).await?,
                _ => drop(installation),
            }
            Ok(Exit::Success)
        },
        if arguments.keep.is_some() { Exit::Success } else { Exit::Failure },
    )
}

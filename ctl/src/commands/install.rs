// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Implements `install`, `uninstall` and `rollback`.
//!
//! A container runtime may start the plugin at any moment. So there is always a whole file under
//! the plugin's name, and it is never open for writing ("text file busy"): a new plugin is written
//! beside it, run once and renamed over it. [`managed_file::ManagedFile`] keeps the replaced file
//! in a hidden folder. [`state::State`] locks that folder. Where Antrea's installer writes into
//! folders of its own, [`staged::Staged`] moves what changed to the node.

#[cfg(target_os = "linux")]
mod endpoint;
mod installation;
#[cfg(target_os = "linux")]
mod keep;
mod managed_file;
#[cfg(target_os = "linux")]
mod metrics;
mod settings;
mod signals;
mod staged;
pub(crate) mod state;
mod undo;
#[cfg(target_os = "linux")]
mod watch;

use std::io::Write;

use self::installation::{Installation, PLUGIN_MODE, put_instead};
use self::signals::until_terminated;
use self::staged::Staged;
use self::state::sha256;
use crate::cli::Install;
use crate::error::{Error, Exit};
use crate::output::warn;
use crate::{files, plugin_check};

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
            #[cfg(target_os = "linux")]
            let published = endpoint::start(arguments)?;
            let staged = arguments.staged.as_ref();
            let mut staged = staged.map(|it| Staged::read(it, &arguments.place)).transpose()?;
            if let Some(staged) = &mut staged {
                staged.move_programs(arguments.best_effort, out)?;
            }
            let antreas = staged.as_mut().and_then(Staged::take_plugin);
            let antreas = antreas.as_deref();
            let prepare = || Installation::prepare(arguments, EMBEDDED, antreas);
            let installed = match prepare().await {
                Ok(installation) => {
                    installation.install(out).await.map(|lock| (installation, lock))
                }
                Err(error) => Err(error),
            };
            let installed = match installed {
                Err(error) if arguments.best_effort => {
                    do_without(arguments, antreas, error).await?;
                    None
                }
                installed => Some(installed?),
            };
            if let Some(staged) = &mut staged {
                staged.move_lists(arguments.best_effort, out)?;
            }
            #[cfg(target_os = "linux")]
            if let Some(interval) = arguments.keep {
                keep::keep(installed, prepare, interval, published.as_ref(), out).await?;
            }
            #[cfg(not(target_os = "linux"))]
            drop(installed);
            Ok(Exit::Success)
        },
        if arguments.keep.is_some() { Exit::Success } else { Exit::Failure },
    )
}

/// Warns that the plugin cannot be used on this node. Antrea's staged plugin takes its place, unless
/// it does not run and another plugin does.
///
/// # Errors
/// No other plugin is there either.
async fn do_without(arguments: &Install, antreas: Option<&[u8]>, why: Error) -> Result<(), Error> {
    let plugin = arguments.place.plugin()?;
    let path = plugin.display();
    match antreas {
        Some(antreas) if put_instead(&arguments.place, antreas).await.is_ok() => {
            warn(format!("{path}: Antrea's plugin is there: {why}"));
            Ok(())
        }
        _ if plugin_check::works(&plugin, plugin_check::LIMIT).await => {
            warn(format!("{path}: left as it is: {why}"));
            Ok(())
        }
        // Without this tool, Antrea's installer would write it, too.
        Some(antreas) if files::write(&plugin, antreas, PLUGIN_MODE).is_ok() => {
            warn(format!("{path}: Antrea's plugin is there, and it does not run here: {why}"));
            Ok(())
        }
        _ => Err(why),
    }
}

//! Putting the plugin on a node, and taking it off again.
//!
//! Runtimes start the plugin at any moment and know only its name. So there is
//! never a moment without a whole file under that name, and none at which it is
//! open for writing ("text file busy"): a new one is written beside it, run once
//! and renamed over it. What was there is kept in a hidden folder beside it,
//! [`managed_file::ManagedFile`]; [`state::State`] says whose turn it is.

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

/// What is embedded, for a person.
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

/// Installs the plugin; stays if that is wanted.
pub(crate) fn install(arguments: &Install, out: &mut impl Write) -> Result<Exit, Error> {
    until_terminated(
        async {
            let installed = match Installation::read(arguments, EMBEDDED).await {
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
                        // The reason may pass.
                        Some(_) => Installation::read(arguments, EMBEDDED).await?,
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

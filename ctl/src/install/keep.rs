//! Staying, so that the plugin is still there after somebody else's installer
//! ran.

use std::fs;
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::{Installation, Turn};
use crate::error::Error;
use crate::output::say;

/// SIGTERM and SIGINT.
pub(super) struct Signals {
    term: Signal,
    int: Signal,
}

impl Signals {
    pub(super) fn listen() -> Result<Self, Error> {
        let listen = |kind| signal(kind).map_err(Error::Runtime);
        Ok(Self { term: listen(SignalKind::terminate())?, int: listen(SignalKind::interrupt())? })
    }

    /// Until the process is asked to end.
    pub(super) async fn terminated(&mut self) {
        tokio::select! {
            _ = self.term.recv() => (),
            _ = self.int.recv() => (),
        }
    }
}

/// Installs again whenever a file changed, until a signal comes. Stops doing so
/// when it was uninstalled.
pub(super) async fn keep(
    installation: &Installation<'_>,
    interval: Duration,
    signals: &mut Signals,
    out: &mut impl Write,
) -> Result<(), Error> {
    let mut seen = None;
    loop {
        // What is seen before installing, so that nothing that comes meanwhile
        // is taken for ours.
        let there = Some(installation.look());
        if there != seen {
            let installed = tokio::select! {
                () = signals.terminated() => return Ok(()),
                done = installation.install(Turn::Again, out) => done?,
            };
            if !installed {
                say(out, "uninstalled meanwhile: waiting for SIGTERM")?;
                signals.terminated().await;
                return Ok(());
            }
            seen = there;
        }
        tokio::select! {
            () = signals.terminated() => return Ok(()),
            () = tokio::time::sleep(interval) => (),
        }
    }
}

/// What changes when a file does.
type Look = Option<(u64, u64, u64, i64, i64)>;

impl Installation<'_> {
    fn look(&self) -> [Look; 2] {
        let plugin = self.place.bin_dir.join(&self.place.name);
        [look(&plugin), self.conflist.as_ref().and_then(|conflist| look(&conflist.target))]
    }
}

fn look(path: &Path) -> Look {
    let file = fs::symlink_metadata(path).ok()?;
    Some((file.dev(), file.ino(), file.size(), file.ctime(), file.ctime_nsec()))
}

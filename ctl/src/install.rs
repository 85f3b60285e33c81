//! Putting the plugin on a node, and taking it off again.
//!
//! Runtimes start the plugin at any moment and know only its name. So there is
//! never a moment without a whole file under that name, and none at which it is
//! open for writing ("text file busy"): a new one is written beside it, run once
//! and renamed over it. What was there is kept in a hidden folder beside the
//! plugin, [`slot::Slot`].

mod keep;
mod slot;
mod trial;

use std::fs;
use std::io::Write;
use std::path::Path;

use tokio::runtime::{Builder, Runtime};
use tokio::time::{Instant, sleep};

use self::slot::{Change, Lock, Slot};
use crate::cli::{Install, Place, Undo};
use crate::error::{Error, Exit};
use crate::output::{say, waiting};
use crate::{check, files, probe};

const PLUGIN_MODE: u32 = 0o755;
const CONFLIST_MODE: u32 = 0o644;

#[cfg(embedded)]
const EMBEDDED: Option<&[u8]> = Some(include_bytes!(concat!(env!("OUT_DIR"), "/plugin")));
#[cfg(not(embedded))]
const EMBEDDED: Option<&[u8]> = None;

/// Installs the plugin, and then the network configuration list.
pub(crate) fn install(arguments: &Install, out: &mut impl Write) -> Result<Exit, Error> {
    let installation = Installation::of(arguments)?;
    let runtime = runtime()?;
    let done = runtime.block_on(async {
        // The first process of a container has no default action for signals.
        let mut signals = keep::Signals::listen()?;
        tokio::select! {
            () = signals.terminated() => return Ok(Exit::Failure),
            done = installation.install(Turn::First, out) => drop(done?),
        }
        if let Some(interval) = arguments.keep {
            keep::keep(&installation, interval, &mut signals, out).await?;
        }
        Ok(Exit::Success)
    });
    // Not to wait for a probe that nobody waits for any more.
    runtime.shutdown_background();
    done
}

fn runtime() -> Result<Runtime, Error> {
    Builder::new_current_thread().enable_all().build().map_err(Error::Runtime)
}

/// What is to be there in the end.
struct Installation<'a> {
    place: &'a Place,
    plugin: Vec<u8>,
    conflist: Option<Conflist<'a>>,
}

struct Conflist<'a> {
    target: std::path::PathBuf,
    bytes: Vec<u8>,
    wait_for_agent: Option<std::time::Duration>,
    source: &'a Path,
}

impl<'a> Installation<'a> {
    /// Reads and checks everything before anything is changed.
    fn of(arguments: &'a Install) -> Result<Self, Error> {
        let plugin = match &arguments.from {
            Some(path) => fs::read(path).map_err(Error::file("read", path))?,
            None => EMBEDDED.ok_or(Error::NothingEmbedded)?.to_vec(),
        };
        let conflist = match &arguments.conflist {
            Some(source) => Some(Conflist::read(source, arguments)?),
            None => None,
        };
        Ok(Self { place: &arguments.place, plugin, conflist })
    }

    /// Whether it is installed now; not if it was uninstalled since the first
    /// turn.
    async fn install(&self, turn: Turn, out: &mut impl Write) -> Result<bool, Error> {
        let folder = &self.place.bin_dir;
        fs::create_dir_all(folder).map_err(Error::file("create", folder))?;
        let Some(lock) = self.lock(turn)? else { return Ok(false) };
        let slot = Slot::plugin(self.place, &lock)?;
        let trial = async |prepared: &Path| trial::run(prepared, folder).await;
        let change = slot.put(&self.plugin, PLUGIN_MODE, trial).await?;
        turn.report(out, &slot, change)?;
        let Some(conflist) = &self.conflist else { return Ok(true) };
        // Not under the lock: others may want to uninstall meanwhile.
        drop(lock);
        conflist.wait_for_agent().await?;
        let Some(lock) = self.lock(turn)? else { return Ok(false) };
        let slot = Slot::conflist(&lock, &conflist.target)?;
        let change = slot.put(&conflist.bytes, CONFLIST_MODE, async |_| Ok(())).await?;
        turn.report(out, &slot, change)?;
        Ok(true)
    }

    fn lock(&self, turn: Turn) -> Result<Option<Lock>, Error> {
        match turn {
            Turn::First => Lock::take(self.place).map(Some),
            Turn::Again => Lock::take_existing(self.place),
        }
    }
}

/// Whether a person asked for the installation just now, or it is being kept.
#[derive(Clone, Copy)]
enum Turn {
    First,
    Again,
}

impl Turn {
    fn report(self, out: &mut impl Write, slot: &Slot<'_>, change: Change) -> Result<(), Error> {
        match (self, change) {
            (Self::Again, Change::Unchanged) => Ok(()),
            _ => report(out, slot, change),
        }
    }
}

impl<'a> Conflist<'a> {
    fn read(source: &'a Path, arguments: &Install) -> Result<Self, Error> {
        let bytes = fs::read(source).map_err(Error::file("read", source))?;
        let problems = check::problems(&bytes);
        if !problems.is_empty() {
            return Err(Error::Conflist { path: source.to_owned(), problems: problems.join("\n") });
        }
        let name = source.file_name().unwrap_or_default().to_string_lossy();
        let target = files::within(&arguments.conf_dir, &name)?;
        fs::create_dir_all(&arguments.conf_dir)
            .map_err(Error::file("create", &arguments.conf_dir))?;
        Ok(Self { target, bytes, wait_for_agent: arguments.wait_for_agent, source })
    }

    /// Waits until the agent that the list leads to can wire a Pod.
    async fn wait_for_agent(&self) -> Result<(), Error> {
        let Some(limit) = self.wait_for_agent else { return Ok(()) };
        let socket = check::socket(&self.bytes);
        let spinner = waiting(format!("waiting for the agent behind {socket}"));
        let deadline = Instant::now() + limit;
        loop {
            let pause = probe::PAUSE.min(limit);
            let (path, timeout) = (socket.clone(), limit.min(probe::TIMEOUT));
            let probe = move || probe::probe(Path::new(&path), timeout);
            let report = tokio::task::spawn_blocking(probe).await;
            let report = report.map_err(|error| Error::Runtime(error.into()))?;
            if report.exit() == Exit::Success {
                spinner.finish_and_clear();
                return Ok(());
            }
            if Instant::now() + pause >= deadline {
                spinner.finish_and_clear();
                let waited = format!("{limit:?} (for {})", self.source.display());
                return Err(Error::NoAgent { waited, last: report.sentence });
            }
            sleep(pause).await;
        }
    }
}

/// Takes something back, and stays if that is wanted.
pub(crate) fn undo<O: Write>(
    arguments: &Undo,
    undo: fn(&Place, &mut O) -> Result<Exit, Error>,
    out: &mut O,
) -> Result<Exit, Error> {
    if !arguments.stay {
        return undo(&arguments.place, out);
    }
    runtime()?.block_on(async {
        let mut signals = keep::Signals::listen()?;
        let exit = undo(&arguments.place, out)?;
        say(out, "done: waiting for SIGTERM")?;
        signals.terminated().await;
        Ok(exit)
    })
}

/// Takes the list away, then the plugin, each only if it is still ours.
pub(crate) fn uninstall(place: &Place, out: &mut impl Write) -> Result<Exit, Error> {
    let Some(lock) = Lock::take_existing(place)? else {
        let target = files::within(&place.bin_dir, &place.name)?;
        say(out, format!("{}: nothing was installed here", target.display()))?;
        return Ok(Exit::Success);
    };
    if let Some(slot) = Slot::installed_conflist(&lock)? {
        report(out, &slot, slot.undo()?)?;
    }
    let slot = Slot::plugin(place, &lock)?;
    report(out, &slot, slot.undo()?)?;
    lock.remove_all()?;
    Ok(Exit::Success)
}

/// Puts the version before this one back.
pub(crate) fn rollback(place: &Place, out: &mut impl Write) -> Result<Exit, Error> {
    let Some(lock) = Lock::take_existing(place)? else {
        let target = files::within(&place.bin_dir, &place.name)?;
        say(out, format!("{}: nothing was installed here", target.display()))?;
        return Ok(Exit::Success);
    };
    let slot = Slot::plugin(place, &lock)?;
    report(out, &slot, slot.back()?)?;
    Ok(Exit::Success)
}

fn report(out: &mut impl Write, slot: &Slot<'_>, change: Change) -> Result<(), Error> {
    say(out, format!("{}: {change}", slot.target().display()))
}

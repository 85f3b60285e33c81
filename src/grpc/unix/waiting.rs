//! Waiting for a server that is away.
//!
//! Of all the processes that wait for one socket, one looks for it: it watches the
//! folder (inotify(7)) while the socket is missing, and tries to connect while nobody
//! listens on it, of which the kernel tells nobody. The others wait for that one, since a
//! user has few inotify instances, often 128, and a node may start more Pods. They are
//! connected to an abstract socket of its own (unix(7)), which is closed when it found
//! the server, ran out of time or died; then they look, and the first of them takes over.
//! Until then they sleep: 500 processes that wake up now and then cost more than all else.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};
use nix::sys::socket::UnixAddr;

use super::socket;
use crate::backoff::{Backoff, jitter};
use crate::grpc::error::Error;

/// Between two looks, where nothing tells that the server is there. The first is short: a
/// socket is there a moment before somebody listens on it.
const LOOKS: Backoff = Backoff::new(1, LONGEST_MS);
const LONGEST_MS: u64 = 80;

/// Between two looks of the process that watches the folder: what is mounted over it is
/// not seen.
const WATCHING: Duration = Duration::from_secs(if cfg!(test) { 600 } else { 1 });

/// A process that waits, from one attempt to connect to the next.
#[derive(Debug)]
pub struct Waiting {
    place: Option<Place>,
    looks: Backoff,
}

/// What a process is to the others that wait for the same socket.
#[derive(Debug)]
enum Place {
    /// It looks for the server. What tells of files is kept: to close it takes up to 16 ms.
    First { _others: UnixListener, files: Option<Inotify> },
    /// It waits for the one that does
    Behind { first: UnixStream },
}

impl Default for Waiting {
    fn default() -> Self {
        Self { place: None, looks: LOOKS }
    }
}

impl Waiting {
    /// Waits until it is time to try again, at most until `until`, when connecting to the
    /// socket at `path` said that the server is `away`.
    pub fn wait(&mut self, path: &str, away: &Error, until: Instant) {
        match &self.place {
            // What came before we had a place was seen by nobody: it is looked for now.
            None => {
                self.place = place(path);
                if self.place.is_none() {
                    self.pause(until);
                }
            }
            Some(Place::First { files, .. }) if away.is_missing() => {
                watch(path, files.as_ref(), until);
            }
            Some(Place::First { .. }) => self.pause(until),
            Some(Place::Behind { first }) => {
                // Where that one is stopped, the last attempt, at `until`, is ours.
                if wait_for(first.as_fd(), PollFlags::empty(), until) {
                    self.place = None;
                }
            }
        }
    }

    fn pause(&mut self, until: Instant) {
        sleep(jitter(self.looks.pause()).min(left(until)));
    }
}

/// The first place, if it is free, or one behind its holder. The name is open to all: only
/// root's and our own user's word counts.
fn place(path: &str) -> Option<Place> {
    let mut hasher = DefaultHasher::new();
    path.hash(&mut hasher);
    let name = format!("antrea-cni-{:x}", hasher.finish());
    let address = SocketAddr::from_abstract_name(&name).ok()?;
    if let Ok(others) = UnixListener::bind_addr(&address) {
        let flags = InitFlags::IN_CLOEXEC | InitFlags::IN_NONBLOCK;
        return Some(Place::First { _others: others, files: Inotify::init(flags).ok() });
    }
    let first = socket::open(&UnixAddr::new_abstract(name.as_bytes()).ok()?).ok()?;
    let is_trusted = socket::credentials(&first).is_ok_and(|it| socket::is_trusted(it.uid()));
    is_trusted.then_some(Place::Behind { first })
}

/// Waits until something is at `path`.
fn watch(path: &str, files: Option<&Inotify>, until: Instant) {
    let flags = AddWatchFlags::IN_CREATE
        | AddWatchFlags::IN_MOVED_TO
        | AddWatchFlags::IN_MOVE_SELF
        | AddWatchFlags::IN_DELETE_SELF;
    while fs::metadata(path).is_err() && !left(until).is_zero() {
        let folder = folder(path);
        let watched = files.filter(|it| it.add_watch(folder, flags).is_ok());
        // What a link leads to comes elsewhere.
        let is_link = fs::symlink_metadata(path).is_ok_and(|it| it.is_symlink());
        match watched.filter(|_| !is_link) {
            None => return sleep(jitter(Duration::from_millis(LONGEST_MS)).min(left(until))),
            // It may have come, or a folder on the way to it, before it was watched.
            Some(_) if fs::metadata(path).is_ok() || self::folder(path) != folder => (),
            Some(it) => {
                wait_for(it.as_fd(), PollFlags::POLLIN, until.min(Instant::now() + WATCHING));
                let _ = it.read_events();
            }
        }
    }
}

/// The nearest folder on the way to `path` that exists.
fn folder(path: &str) -> &Path {
    Path::new(path).ancestors().skip(1).find(|it| it.is_dir()).unwrap_or_else(|| Path::new("/"))
}

/// Whether something happens to `fd` until then.
fn wait_for(fd: BorrowedFd<'_>, events: PollFlags, until: Instant) -> bool {
    let time = PollTimeout::try_from(left(until)).unwrap_or(PollTimeout::ZERO);
    poll(&mut [PollFd::new(fd, events)], time).is_ok_and(|ready| ready > 0)
}

fn left(until: Instant) -> Duration {
    until.saturating_duration_since(Instant::now())
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsRawFd;

    use super::*;

    /// Watches for `run/cni.sock` in a folder while `come` brings it.
    fn watched(come: impl Fn(&Path)) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run/cni.sock");
        fs::create_dir(folder.path().join("run")).unwrap();
        let files = Inotify::init(InitFlags::IN_NONBLOCK).unwrap();
        let until = Instant::now() + Duration::from_secs(60);
        std::thread::scope(|all| {
            all.spawn(|| watch(path.to_str().unwrap(), Some(&files), until));
            let info = format!("/proc/self/fdinfo/{}", files.as_fd().as_raw_fd());
            while !fs::read_to_string(&info).unwrap().contains("inotify wd") {
                std::thread::yield_now();
            }
            come(folder.path());
        });
        assert!(path.exists() && Instant::now() < until);
    }

    #[test]
    fn what_is_made_is_seen() {
        watched(|folder| fs::write(folder.join("run/cni.sock"), "").unwrap());
    }

    #[test]
    fn what_is_moved_there_is_seen() {
        watched(|folder| {
            fs::write(folder.join("new"), "").unwrap();
            fs::rename(folder.join("new"), folder.join("run/cni.sock")).unwrap();
        });
    }

    #[test]
    fn another_folder_in_that_place_is_seen() {
        watched(|folder| {
            fs::create_dir(folder.join("new")).unwrap();
            fs::write(folder.join("new/cni.sock"), "").unwrap();
            fs::rename(folder.join("run"), folder.join("old")).unwrap();
            fs::rename(folder.join("new"), folder.join("run")).unwrap();
        });
    }
}

// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Stores owed DELs: those that were answered without an agent. Each is a file in a folder beside
//! the agent's socket, until an agent does it. Agents release leftover interfaces when they start,
//! but addresses only from v1.15.0 on.
//!
//! The name of a file tells when the DEL is due, in milliseconds of Unix time, and for which
//! container and interface it is: `1700000000000_CONTAINER@INTERFACE`. The file holds the values of
//! the variables, each ended by a NUL, and then standard input.

mod file;

use std::fs::File;
use std::io::{self, ErrorKind};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use self::file::{MAX_BYTES, decode_args, encode_args, key_of};
use crate::client::OwedDels;
use crate::input::CmdArgs;
use crate::platform::files::path_beside_socket;
use crate::platform::folder::{self, Folder};

/// Most DELs that a node stores.
pub const MAX_DELS: usize = 1024;

/// Longest delay of a DEL that no agent answered.
const POSTPONED: Duration = Duration::from_secs(60);

/// No DEL is due later than this from now. A later time was written while the clock was ahead.
const LATEST: Duration = Duration::from_secs(90);

/// Stores the DELs that are owed to the agent behind a socket.
#[derive(Debug)]
pub struct OwedFolder {
    folder: Folder,
    path: String,
}

/// Names the file of one owed DEL.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry(String);

impl Entry {
    fn new(due: Duration, key: &str) -> Self {
        Self(format!("{:013}_{key}", due.as_millis()))
    }

    fn parse(name: String) -> Option<Self> {
        let (due, key) = name.split_once('_')?;
        let is_one = due.len() >= 13 && due.bytes().all(|it| it.is_ascii_digit());
        (is_one && !key.is_empty()).then_some(Self(name))
    }

    /// Returns when the DEL is due, in Unix time.
    pub fn due(&self) -> Duration {
        let (due, _) = self.0.split_once('_').unwrap_or_default();
        Duration::from_millis(due.parse().unwrap_or_default())
    }

    fn is_due(&self, now: Duration) -> bool {
        self.due() <= now || self.due() >= now + LATEST
    }

    /// Returns container and interface, as `CONTAINER@INTERFACE`.
    pub fn key(&self) -> &str {
        self.0.split_once('_').map_or("", |(_, key)| key)
    }
}

impl OwedFolder {
    /// Returns the folder for the agent behind `socket`. `None` if there can be none.
    pub fn folder(socket: &str) -> Option<String> {
        path_beside_socket(socket, "owed")
    }

    /// Opens the folder for the agent behind `socket`. Returns `None` if nothing is owed.
    ///
    /// # Errors
    /// The folder cannot be examined, or other users may write to it.
    pub fn open(socket: &str) -> io::Result<Option<Self>> {
        let Some(path) = Self::folder(socket) else { return Ok(None) };
        match Folder::open(&path) {
            Ok(folder) => Ok(Some(Self { folder, path })),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Stores a DEL with `args` that is due after `later`. Returns `false` if it cannot be stored.
    pub(crate) fn store(socket: &str, args: &CmdArgs, later: Duration) -> bool {
        let (Some(path), Some(bytes)) = (Self::folder(socket), encode_args(args)) else {
            return false;
        };
        // Another process may remove the empty folder before the file is in it.
        (0..3).any(|_| {
            let Ok(folder) = Folder::create(&path) else { return false };
            let owed = Self { folder, path: path.clone() };
            owed.store_or_postpone(args, later, &bytes).unwrap_or_default()
        })
    }

    fn store_or_postpone(&self, args: &CmdArgs, later: Duration, bytes: &[u8]) -> io::Result<bool> {
        let (key, now) = (key_of(args), unix_time());
        let new = Entry::new(now + later, &key);
        // The first DEL names the network namespace, which a second one may not. It is sent when
        // the later of the two is due.
        if let Some(old) = find_in_scans(&key, || self.entries())? {
            return Ok(old.due() >= new.due() || self.folder.rename(&old.0, &new.0).is_ok());
        }
        if self.entries()?.len() >= MAX_DELS {
            return Ok(false);
        }
        let temporary = format!(".{}-{}", std::process::id(), now.subsec_nanos());
        self.folder.write_atomically(&new.0, &temporary, bytes)?;
        self.is_kept(&new)
    }

    /// Returns whether the DEL just stored stays within the limit, which other processes may have
    /// reached meanwhile. Of several for one container and interface, only the one that is due last
    /// is kept.
    fn is_kept(&self, new: &Entry) -> io::Result<bool> {
        let entries = self.entries()?;
        if entries.len() > MAX_DELS {
            self.remove(new);
            return Ok(false);
        }
        let same = entries.iter().filter(|it| it.key() == new.key());
        for earlier in same.rev().skip(1) {
            self.remove(earlier);
        }
        Ok(true)
    }

    /// Returns the owed DELs, oldest first.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn entries(&self) -> io::Result<Vec<Entry>> {
        self.folder.file_names().map(sorted)
    }
}

impl OwedDels for OwedFolder {
    type Entry = Entry;
    type Claim = File;

    fn find(&self, args: &CmdArgs) -> io::Result<Option<Entry>> {
        find_in_scans(&key_of(args), || self.entries())
    }

    fn due(&self) -> Vec<Entry> {
        // A process that was killed while it stored a DEL left a temporary file.
        let names = self.folder.file_names().unwrap_or_default();
        for temporary in names.iter().filter(|it| it.starts_with('.')) {
            if self.folder.is_older(temporary, LATEST) {
                let _ = self.folder.remove(temporary);
            }
        }
        let now = unix_time();
        sorted(names).into_iter().filter(|it| it.is_due(now)).collect()
    }

    fn try_lock(&self) -> bool {
        self.folder.try_lock()
    }

    fn claim(&self, entry: &Entry) -> io::Result<(File, CmdArgs)> {
        let (file, bytes) = self.folder.lock_and_read(&entry.0, MAX_BYTES as u64)?;
        let args = decode_args(&bytes).filter(|args| Self::is_for(entry, args));
        args.map(|args| (file, args)).ok_or_else(|| ErrorKind::InvalidData.into())
    }

    fn remove(&self, entry: &Entry) -> bool {
        let removed = self.folder.remove(&entry.0);
        removed.is_ok() || removed.is_err_and(|error| error.kind() == ErrorKind::NotFound)
    }

    /// Delays a DEL by half its age: a new one is tried again at once, and one that no agent ever
    /// answers does not block the others.
    fn postpone(&self, entry: &Entry, claim: &File) {
        let written = claim.metadata().and_then(|it| it.modified()).ok();
        let age = written.and_then(|it| it.elapsed().ok()).unwrap_or_default();
        let later = Entry::new(unix_time() + (age / 2).min(POSTPONED), entry.key());
        let _ = self.folder.rename(&entry.0, &later.0);
    }

    fn is_for(entry: &Entry, args: &CmdArgs) -> bool {
        entry.key() == key_of(args)
    }

    fn key(entry: &Entry) -> String {
        entry.key().to_owned()
    }
}

/// Removes the empty folder, so that later calls need one system call to find nothing.
impl Drop for OwedFolder {
    fn drop(&mut self) {
        folder::remove_empty(&self.path);
    }
}

/// Returns the DEL of `key`. A file that is renamed during a scan may be in it under neither name
/// (readdir(3p)). So where others are owed, two scans have to agree that this one is not.
fn find_in_scans(
    key: &str,
    mut scan: impl FnMut() -> io::Result<Vec<Entry>>,
) -> io::Result<Option<Entry>> {
    let mut before = Vec::new();
    loop {
        let entries = scan()?;
        if let Some(entry) = entries.iter().find(|it| it.key() == key) {
            return Ok(Some(entry.clone()));
        }
        if entries == before {
            return Ok(None);
        }
        before = entries;
    }
}

/// Returns the DELs of these file names, oldest first. The standard library's sort would add 6 KB
/// of code.
fn sorted(names: Vec<String>) -> Vec<Entry> {
    let mut entries = Vec::new();
    for entry in names.into_iter().filter_map(Entry::parse) {
        let at = entries.partition_point(|it| *it < entry);
        entries.insert(at, entry);
    }
    entries
}

fn unix_time() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_del_that_is_renamed_during_a_scan_is_found_by_the_next() {
        let [other, before, after] =
            ["x@y", "a@b", "a@b"].map(|key| Entry::new(Duration::ZERO, key));
        let mut scans = [vec![other.clone()], vec![before, other.clone()]].into_iter();
        let found = find_in_scans("a@b", || Ok(scans.next().unwrap()));
        assert_eq!(found.unwrap(), Some(after));
        let mut scans = [vec![other.clone()], vec![other]].into_iter();
        assert_eq!(find_in_scans("a@b", || Ok(scans.next().unwrap())).unwrap(), None);
    }

    #[test]
    fn what_is_due_too_late_is_due_now() {
        let (now, s) = (Duration::from_secs(1000), Duration::from_secs);
        for (due, expected) in
            [(999, true), (1000, true), (1001, false), (1060, false), (2000, true)]
        {
            assert_eq!(Entry::new(s(due), "a@b").is_due(now), expected, "{due}");
        }
    }
}

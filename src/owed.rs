//! DELs that were answered without an agent. Each is a file in a folder beside the agent's
//! socket until an agent does it: an agent releases the interfaces that were left when it
//! starts, but addresses only from v1.15.0 on.
//!
//! The name of a file is when the DEL is due, in milliseconds of Unix time, and whose it is:
//! `1700000000000_CONTAINER@INTERFACE`. It holds the values of the variables, each ended by
//! a NUL, and then standard input.

use std::io::{self, ErrorKind};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::input::CmdArgs;
use crate::input::environment::is_identifier;
use crate::ladder::OwedDels;
use crate::platform::files::beside_socket;
use crate::platform::folder::{self, Folder};

/// Longest file, in bytes.
pub(crate) const MAX_BYTES: usize = 64 << 10;

/// Most DELs that are owed on a node.
pub const MAX_DELS: usize = 1024;

/// How long a DEL that no agent answered in time is left alone.
const POSTPONED: Duration = Duration::from_secs(60);

/// No DEL is due later than this: what claims to be was written before the clock was set.
const LATEST: Duration = Duration::from_secs(90);

/// The DELs that are owed to the agent behind a socket.
#[derive(Debug)]
pub struct Owed {
    folder: Folder,
    path: String,
}

/// One DEL that is owed: the name of its file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry(String);

impl Entry {
    fn new(due: Duration, key: &str) -> Self {
        Self(format!("{:013}_{key}", due.as_millis()))
    }

    fn parse(name: String) -> Option<Self> {
        name.split_once('_')?.0.parse::<u64>().ok().map(|_| Self(name))
    }

    /// Returns since when, or from when on, it is due, in Unix time.
    pub fn due(&self) -> Duration {
        let (due, _) = self.0.split_once('_').unwrap_or_default();
        Duration::from_millis(due.parse().unwrap_or_default())
    }

    fn is_due(&self, now: Duration) -> bool {
        !(now..now + LATEST).contains(&self.due()) || self.due() == now
    }

    /// Container and interface, as `CONTAINER@INTERFACE`.
    pub fn key(&self) -> &str {
        self.0.split_once('_').map_or("", |(_, key)| key)
    }
}

impl Owed {
    /// Opens the folder beside `socket`. `None` if nothing is owed, or if others may write
    /// the folder.
    pub fn open(socket: &str) -> Option<Self> {
        let path = beside_socket(socket, "owed")?;
        Folder::open(&path).ok().map(|folder| Self { folder, path })
    }

    /// Writes down a DEL with `args` that is due `later`. Returns `false` if it cannot be
    /// kept.
    pub(crate) fn write(socket: &str, args: &CmdArgs, later: Duration) -> bool {
        let (Some(path), Some(bytes)) = (beside_socket(socket, "owed"), encode(args)) else {
            return false;
        };
        // The folder may be removed, as an empty one, before the file is in it.
        (0..3).any(|_| {
            let Ok(folder) = Folder::create(&path) else { return false };
            let owed = Self { folder, path: path.clone() };
            owed.add(args, later, &bytes)
        })
    }

    fn add(&self, args: &CmdArgs, later: Duration, bytes: &[u8]) -> bool {
        let entries = self.entries();
        let key = key(args);
        let old = entries.iter().find(|it| it.key() == key);
        if old.is_none() && entries.len() >= MAX_DELS {
            return false;
        }
        let new = Entry::new(now() + later, &key);
        let Some(old) = old else {
            let temporary = format!(".{}", std::process::id());
            return self.folder.write(&new.0, &temporary, bytes).is_ok() && self.is_kept(&new);
        };
        // The first one has the network namespace, which a second one may lack. It is
        // sent when the later of the two is due.
        *old >= new || self.folder.rename(&old.0, &new.0).is_ok()
    }

    /// Whether one that was just written is kept: others may write at the same time. Of
    /// several for one container and interface the one that is due last is enough.
    fn is_kept(&self, new: &Entry) -> bool {
        let entries = self.entries();
        if entries.len() > MAX_DELS {
            self.remove(new);
            return false;
        }
        let same = entries.iter().filter(|it| it.key() == new.key());
        same.rev().skip(1).for_each(|it| self.remove(it));
        true
    }

    /// Returns the DELs that are owed, oldest first.
    pub fn entries(&self) -> Vec<Entry> {
        let names = self.folder.names().unwrap_or_default();
        let mut entries = Vec::new();
        // The library's sort is 6 KB of code.
        for entry in names.into_iter().filter_map(Entry::parse) {
            let at = entries.partition_point(|it| *it < entry);
            entries.insert(at, entry);
        }
        entries
    }
}

impl OwedDels for Owed {
    type Entry = Entry;

    fn find(&self, args: &CmdArgs) -> Option<Entry> {
        let key = key(args);
        self.entries().into_iter().find(|it| it.key() == key)
    }

    fn due(&self) -> Vec<Entry> {
        // A process that was killed left them; one that lives writes its file again.
        let names = self.folder.names().unwrap_or_default();
        for temporary in names.iter().filter(|it| it.starts_with('.')) {
            let _ = self.folder.remove(temporary);
        }
        let now = now();
        self.entries().into_iter().filter(|it| it.is_due(now)).collect()
    }

    fn try_lock(&self) -> bool {
        self.folder.try_lock()
    }

    fn read(&self, entry: &Entry) -> io::Result<CmdArgs> {
        let bytes = self.folder.read(&entry.0, MAX_BYTES as u64)?;
        decode(&bytes).ok_or_else(|| ErrorKind::InvalidData.into())
    }

    fn remove(&self, entry: &Entry) {
        let _ = self.folder.remove(&entry.0);
    }

    fn postpone(&self, entry: &Entry) {
        let later = Entry::new(now() + POSTPONED, entry.key());
        let _ = self.folder.rename(&entry.0, &later.0);
    }
}

/// Where nothing is owed, a call pays for no more than finding no folder.
impl Drop for Owed {
    fn drop(&mut self) {
        folder::remove_empty(&self.path);
    }
}

fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// Container and interface as part of a file's name. What makes no name is hashed (FNV-1a).
fn key(CmdArgs { container_id, ifname, .. }: &CmdArgs) -> String {
    const LONGEST: usize = 200;
    let is_name = is_identifier(container_id) && !ifname.contains(['/', '\\', ':', '\0']);
    let key = format!("{container_id}@{ifname}");
    if is_name && key.len() <= LONGEST {
        return key;
    }
    let hash = key.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("{hash:016x}")
}

fn encode(args: &CmdArgs) -> Option<Vec<u8>> {
    let CmdArgs { container_id, netns, ifname, args, path, stdin_data, .. } = args;
    let values = [container_id, netns, ifname, args, path];
    let mut bytes = Vec::new();
    for value in values {
        bytes.extend_from_slice(value.as_bytes());
        bytes.push(0);
    }
    bytes.extend_from_slice(stdin_data);
    let can_be_read = !values.iter().any(|it| it.contains('\0')) && bytes.len() <= MAX_BYTES;
    can_be_read.then_some(bytes)
}

fn decode(bytes: &[u8]) -> Option<CmdArgs> {
    let mut parts = bytes.splitn(6, |byte| *byte == 0);
    let mut value = || String::from_utf8(parts.next()?.to_vec()).ok();
    let (container_id, netns, ifname, args, path) =
        (value()?, value()?, value()?, value()?, value()?);
    let stdin_data = parts.next()?.to_vec();
    Some(CmdArgs { container_id, netns, ifname, args, path, stdin_data, ..CmdArgs::default() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(container: &str) -> CmdArgs {
        CmdArgs {
            container_id: container.to_owned(),
            netns: "/n".to_owned(),
            ifname: "eth0".to_owned(),
            stdin_data: b"{\0\xff}".to_vec(),
            ..CmdArgs::default()
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let bytes = encode(&args("a")).unwrap();
        assert_eq!(decode(&bytes), Some(args("a")));
        assert_eq!(decode(b"a\0b\0c"), None);
        let long = CmdArgs { stdin_data: vec![b' '; MAX_BYTES], ..args("a") };
        let nul = CmdArgs { netns: "\0".to_owned(), ..args("a") };
        assert_eq!((encode(&long), encode(&nul)), (None, None));
    }

    #[test]
    fn a_key_is_the_name_of_a_file() {
        assert_eq!(key(&args("a.b-c_d")), "a.b-c_d@eth0");
        for container in ["a/b", "", "..", &"x".repeat(300)] {
            assert!(key(&args(container)).bytes().all(|it| it.is_ascii_hexdigit()), "{container}");
        }
        assert_ne!(key(&args("a/b")), key(&args("a/c")));
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

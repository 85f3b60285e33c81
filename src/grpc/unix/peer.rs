// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Identifies the process at the other end of a connection and tells whether it has ended.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;

use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, OFlag, openat};
use nix::sys::stat::Mode;

/// Identifies the process that listens on the socket, as the kernel knew it when the connection was
/// made.
#[derive(Debug)]
pub struct Peer {
    /// Process id (`SO_PEERCRED`), if the kernel tells one
    pub pid: Option<i32>,
    /// User id
    pub uid: u32,
    /// `/proc/PID/stat` of a tracked process that was alive. The open file still belongs to that
    /// process after its id is reused
    stat: Option<File>,
}

impl Peer {
    pub(super) fn new(pid: i32, uid: u32) -> Self {
        // 0 means a process of another PID namespace.
        Self { pid: Some(pid).filter(|pid| *pid > 0), uid, stat: None }
    }

    /// Does the same as [`Self::new`], and opens the process's `stat`, so that its end is noticed.
    /// The process may have ended already, while a child serves its socket.
    pub(super) fn tracked(pid: i32, uid: u32) -> Self {
        let peer = Self::new(pid, uid);
        let stat = peer.pid.and_then(|pid| open_stat(pid).ok());
        let stat = stat.filter(|stat| peer.life(stat) == Life::Alive);
        Self { stat, ..peer }
    }

    /// Returns whether the process, which was alive when the connection was made, has certainly
    /// ended. A process that cannot be examined counts as alive.
    pub fn is_gone(&self) -> bool {
        let gone = self.stat.as_ref().is_some_and(|stat| self.life(stat) == Life::Gone);
        gone && is_own_proc()
    }

    /// Returns whether a tracked process had certainly ended when the connection was made.
    pub fn was_gone(&self) -> bool {
        let is_gone = |pid| match open_stat(pid) {
            Ok(stat) => self.life(&stat) == Life::Gone,
            Err(errno) => matches!(errno, Errno::ENOENT | Errno::ESRCH),
        };
        self.stat.is_none() && self.pid.is_some_and(is_gone) && is_own_proc()
    }

    /// Returns whether the process is certainly alive, like an agent that only closed the
    /// connection.
    pub fn is_alive(&self) -> bool {
        let stat = self.pid.and_then(|pid| open_stat(pid).ok());
        stat.is_some_and(|stat| self.life(&stat) == Life::Alive)
    }

    fn life(&self, stat: &File) -> Life {
        match (self.pid, read_state(stat)) {
            (_, Err(error)) if error.raw_os_error() == Some(Errno::ESRCH as i32) => Life::Gone,
            (Some(pid), Ok((named, _))) if named != pid => Life::Unknown,
            (Some(pid), Ok((_, b'Z' | b'X'))) => life_of_tasks(pid),
            (Some(_), Ok(_)) => Life::Alive,
            _ => Life::Unknown,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Life {
    Alive,
    Gone,
    Unknown,
}

/// Opens the `stat` of a process. `File::open` would be two system calls in musl.
fn open_stat(pid: i32) -> nix::Result<File> {
    let path = ["/proc/", &pid.to_string(), "/stat"].concat();
    openat(AT_FDCWD, &*path, OFlag::O_RDONLY | OFlag::O_CLOEXEC, Mode::empty()).map(File::from)
}

/// Returns the id and the state of a process or thread (proc_pid_stat(5)). Its name stands between
/// them in parentheses. A name may hold any bytes, has at most 15, and may be written twice as
/// long.
fn read_state(stat: &File) -> io::Result<(i32, u8)> {
    let mut bytes = [0; 48];
    let read = stat.read_at(&mut bytes, 0)?;
    let text = bytes.get(..read).unwrap_or_default();
    let id = text.split(|byte| *byte == b' ').next().and_then(|id| str::from_utf8(id).ok());
    let name_ends = text.iter().rposition(|byte| *byte == b')');
    match (id.and_then(|id| id.parse().ok()), name_ends.and_then(|at| text.get(at + 2))) {
        (Some(id), Some(state)) => Ok((id, *state)),
        _ => Err(io::ErrorKind::InvalidData.into()),
    }
}

/// Examines all threads, because a process whose first thread has ended may live on in the others.
fn life_of_tasks(pid: i32) -> Life {
    let Ok(tasks) = fs::read_dir(format!("/proc/{pid}/task")) else { return Life::Unknown };
    for task in tasks {
        let Ok(task) = task else { return Life::Unknown };
        match File::open(task.path().join("stat")).and_then(|stat| read_state(&stat)) {
            Ok((_, b'Z' | b'X')) => (),
            Ok(_) => return Life::Alive,
            // The thread may have ended just now; the next check does not find it.
            Err(_) => return Life::Unknown,
        }
    }
    Life::Gone
}

/// Returns whether `/proc` shows the plugin's own PID namespace.
fn is_own_proc() -> bool {
    let own = std::process::id().to_string();
    fs::read_link("/proc/self").is_ok_and(|link| link.to_str() == Some(&own))
}

#[cfg(test)]
mod tests {
    use std::process::{Child, Command, Stdio};

    use super::*;

    fn start(program: &str, arguments: &[&str]) -> (Child, i32) {
        let mut command = Command::new(program);
        let child = command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
        let child = child.spawn().unwrap();
        let pid = child.id().cast_signed();
        (child, pid)
    }

    #[test]
    fn a_process_that_ended_is_gone_also_before_it_is_waited_for() {
        let (mut child, pid) = start("cat", &[]);
        let peer = Peer::tracked(pid, 0);
        assert!(!peer.is_gone());
        child.kill().unwrap();
        while !peer.is_gone() {
            std::thread::yield_now();
        }
        child.wait().unwrap();
        assert!(peer.is_gone());
    }

    #[test]
    fn a_process_that_was_not_seen_alive_is_never_gone() {
        let (mut child, pid) = start("cat", &[]);
        let seen = Peer::tracked(pid, 0);
        let not_seen = Peer::new(pid, 0);
        child.kill().unwrap();
        while !seen.is_gone() {
            std::thread::yield_now();
        }
        let seen_dead = Peer::tracked(pid, 0);
        child.wait().unwrap();
        let seen_absent = Peer::tracked(pid, 0);
        assert!(![not_seen, seen_dead, seen_absent].iter().any(Peer::is_gone));
    }

    #[test]
    fn what_is_not_known_is_not_gone() {
        for pid in [0, -1, 1] {
            assert!(!Peer::tracked(pid, 0).is_gone());
        }
        let with = |pid, stat| Peer { pid: Some(pid), uid: 0, stat };
        // A file without content, and the file of another process.
        assert!(!with(1, File::open("/dev/null").ok()).is_gone());
        let (mut one, one_pid) = start("true", &[]);
        let (mut two, two_pid) = start("true", &[]);
        let (own, others) =
            (with(one_pid, open_stat(one_pid).ok()), with(one_pid, open_stat(two_pid).ok()));
        let other_itself = with(two_pid, open_stat(two_pid).ok());
        while !own.is_gone() || !other_itself.is_gone() {
            std::thread::yield_now();
        }
        assert!(!others.is_gone());
        one.wait().unwrap();
        two.wait().unwrap();
    }
}

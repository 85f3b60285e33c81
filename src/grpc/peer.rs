//! The process at the other end of a connection, and whether it is gone.

use std::fs;
use std::time::Instant;

/// Clock ticks a second in `/proc`, the same on every Linux.
const TICKS_PER_SECOND: f64 = 100.0;

/// The agent's process, as the kernel knew it when the connection was made.
#[derive(Clone, Copy, Debug)]
pub struct Peer {
    /// Its id (`SO_PEERCRED`), where the kernel tells one
    pub pid: Option<i32>,
    /// Its user
    pub uid: u32,
    /// When the connection was made
    connected: Instant,
}

impl Peer {
    pub(super) fn new(pid: i32, uid: u32) -> Self {
        // 0: a process of another PID namespace.
        Self { pid: Some(pid).filter(|pid| *pid > 0), uid, connected: Instant::now() }
    }

    /// Whether the process is certainly gone: no such process, a zombie, or
    /// another one that got its number later. What cannot be known is not.
    pub fn is_gone(&self) -> bool {
        let Some(pid) = self.pid else { return false };
        let Some(uptime) = uptime_ticks() else { return false };
        let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) else { return true };
        let connected = uptime - self.connected.elapsed().as_secs_f64() * TICKS_PER_SECOND;
        // proc_pid_stat(5): the name, in parentheses, may hold anything.
        let mut fields = stat.rsplit(") ").next().unwrap_or_default().split(' ');
        let state = fields.next();
        let started = fields.nth(18).and_then(|ticks| ticks.parse::<f64>().ok());
        matches!(state, Some("Z" | "X")) || started.is_some_and(|ticks| ticks > connected + 2.0)
    }
}

/// Time since the machine started. `None` without `/proc`, where nothing can be
/// known about processes.
fn uptime_ticks() -> Option<f64> {
    let uptime = fs::read_to_string("/proc/uptime").ok()?;
    Some(uptime.split(' ').next()?.parse::<f64>().ok()? * TICKS_PER_SECOND)
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};
    use std::time::Duration;

    use super::*;

    fn peer(pid: u32) -> Peer {
        Peer { pid: Some(pid.cast_signed()), uid: 0, connected: Instant::now() }
    }

    #[test]
    fn a_process_that_ended_is_gone_also_before_it_is_waited_for() {
        let mut child = Command::new("cat").stdin(Stdio::piped()).spawn().unwrap();
        let peer = peer(child.id());
        assert!(!peer.is_gone());
        child.kill().unwrap();
        while !peer.is_gone() {
            std::thread::yield_now();
        }
        child.wait().unwrap();
        assert!(peer.is_gone());
    }

    #[test]
    fn a_process_that_started_after_the_connection_is_another_one() {
        let mut child = Command::new("cat").stdin(Stdio::piped()).spawn().unwrap();
        let long_ago = Instant::now().checked_sub(Duration::from_secs(1)).unwrap();
        assert!(Peer { connected: long_ago, ..peer(child.id()) }.is_gone());
        assert!(!peer(child.id()).is_gone());
        child.kill().unwrap();
        child.wait().unwrap();
    }

    #[test]
    fn what_is_not_known_is_not_gone() {
        for pid in [0, -1, 1] {
            assert!(!Peer::new(pid, 0).is_gone());
        }
    }
}

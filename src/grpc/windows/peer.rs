//! The process at the other end of a connection, and whether it is gone.

use antrea_cni_windows::Process;

/// The process that serves the pipe, as the system knew it when the connection was made.
#[derive(Debug)]
pub struct Peer {
    /// Its id, where the system tells one
    pub pid: Option<i32>,
    /// The process, if it is track_peer and was alive then
    process: Option<Process>,
}

impl Peer {
    pub(super) fn new(pid: Option<u32>, process: Option<Process>) -> Self {
        let process = process.filter(|it| !it.is_gone());
        Self { pid: pid.map(u32::cast_signed), process }
    }

    /// Whether the process had certainly ended when the connection was made: nobody can tell.
    pub fn was_gone(&self) -> bool {
        false
    }

    /// Whether the process certainly lives now.
    pub fn is_alive(&self) -> bool {
        let process = self.pid.map(|pid| Process::open(pid.cast_unsigned()));
        process.is_some_and(|it| it.is_ok_and(|it| !it.is_gone()))
    }

    /// Whether the process, which was alive when the connection was made, is certainly
    /// gone. A process that cannot be looked at counts as alive.
    pub fn is_gone(&self) -> bool {
        self.process.as_ref().is_some_and(Process::is_gone)
    }
}

// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Identifies the process at the other end of a connection and tells whether it has ended.

use antrea_cni_windows::Process;

/// Identifies the process that serves the pipe, as Windows knew it when the connection was made.
#[derive(Debug)]
pub struct Peer {
    /// Process id, if Windows tells one
    pub pid: Option<i32>,
    /// A tracked process that was alive when the connection was made
    process: Option<Process>,
}

impl Peer {
    pub(super) fn new(pid: Option<u32>, process: Option<Process>) -> Self {
        let process = process.filter(|it| !it.is_gone());
        Self { pid: pid.map(u32::cast_signed), process }
    }

    /// Returns `false`: Windows does not tell whether the process had ended when the connection was
    /// made.
    pub fn was_gone(&self) -> bool {
        false
    }

    /// Returns whether the process is certainly alive.
    pub fn is_alive(&self) -> bool {
        let process = self.pid.map(|pid| Process::open(pid.cast_unsigned()));
        process.is_some_and(|it| it.is_ok_and(|it| !it.is_gone()))
    }

    /// Returns whether the process, which was alive when the connection was made, has certainly
    /// ended. A process that cannot be examined counts as alive.
    pub fn is_gone(&self) -> bool {
        self.process.as_ref().is_some_and(Process::is_gone)
    }
}

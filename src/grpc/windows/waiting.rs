//! Waiting for a server that is away.

use std::thread::sleep;
use std::time::Instant;

use crate::backoff::{Backoff, jitter};
use crate::grpc::error::Error;

/// A process that waits, from one attempt to connect to the next. Nothing tells that a pipe
/// is there, so it looks.
#[derive(Debug)]
pub struct Waiting(Backoff);

impl Default for Waiting {
    fn default() -> Self {
        Self(Backoff::new(5, 80))
    }
}

impl Waiting {
    /// Waits until it is time to try again, at most until `until`.
    pub fn wait(&mut self, _: &str, _: &Error, until: Instant) {
        let left = until.saturating_duration_since(Instant::now());
        sleep(jitter(self.0.pause()).min(left));
    }
}

// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Runs a future until it is ready, and holds back acknowledgements that can go with the next write.
//!
//! A call waits for one thing at a time, its socket, so poll(2) is enough. An async runtime would
//! create an epoll instance, an eventfd and a timer, which takes a noticeable part of a process
//! that lives for half a millisecond.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use super::stream::Stream;
use crate::deadline::Deadline;

/// How long an acknowledgement of SETTINGS or PING waits for more to write. Most calls are over by
/// then, or the next call sends it along.
const ACK_DELAY: Duration = Duration::from_millis(2);

/// Upper bound of pending acknowledgements; more bytes are a request.
const MAX_ACK_BYTES: usize = 64;

impl Stream {
    /// Polls `future`, which waits for nothing but this socket. Returns `None` after `deadline`.
    pub(in crate::grpc) fn block_on<F: Future>(
        &self,
        future: F,
        deadline: &Deadline,
    ) -> Option<F::Output> {
        let woken = Arc::new(Woken::default());
        let waker = Waker::from(Arc::clone(&woken));
        let mut future = pin!(future);
        let mut is_first = true;
        loop {
            if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
                return Some(output);
            }
            let now = Instant::now();
            let left = deadline.next_check(now).saturating_duration_since(now);
            if left.is_zero() {
                return None;
            }
            if !woken.0.swap(false, Ordering::Relaxed) {
                let is_ack = !is_first && (1..MAX_ACK_BYTES).contains(&self.0.unsent_bytes());
                if is_ack && self.0.wait_until_ready(left.min(ACK_DELAY)) {
                    continue;
                }
                is_first = false;
                self.0.write_unsent();
                self.0.wait_until_ready(left);
            }
        }
    }
}

/// Is set when the future asks to be polled again.
#[derive(Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

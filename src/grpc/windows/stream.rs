// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Reads and writes the connected pipe for HTTP/2, and waits for it.
//!
//! A pipe has no poll(2), and a blocking pipe does one thing at a time: a read that waits blocks a
//! write. So tokio drives the pipe with overlapped I/O.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::io::{self, ErrorKind};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::windows::named_pipe::NamedPipeClient;
use tokio::runtime::Runtime;

use crate::deadline::Deadline;
use crate::grpc::flood::TrafficMeter;

/// Wraps a connected pipe.
#[derive(Clone)]
pub struct Stream(Rc<Shared>);

struct Shared {
    pipe: RefCell<NamedPipeClient>,
    runtime: Runtime,
    traffic: Cell<TrafficMeter>,
    /// Bytes that the pipe accepted
    written: Cell<usize>,
}

impl Stream {
    pub(super) fn new(pipe: NamedPipeClient, runtime: Runtime) -> Self {
        Self(Rc::new(Shared {
            pipe: RefCell::new(pipe),
            runtime,
            traffic: Cell::default(),
            written: Cell::default(),
        }))
    }

    /// Returns whether the peer sent more than an RPC can need.
    pub(in crate::grpc) fn is_flooded(&self) -> bool {
        self.0.traffic.get().is_flood()
    }

    /// Returns the number of bytes written.
    pub(in crate::grpc) fn written(&self) -> usize {
        self.0.written.get()
    }

    /// Polls `future`, which waits for nothing but this pipe. Returns `None` after `deadline`.
    pub(in crate::grpc) fn block_on<F: Future>(
        &self,
        future: F,
        deadline: &Deadline,
    ) -> Option<F::Output> {
        self.0.runtime.block_on(async {
            let mut future = pin!(future);
            loop {
                let next = deadline.next_check(Instant::now());
                let timely = tokio::time::timeout_at(next.into(), future.as_mut()).await;
                match timely {
                    Ok(output) => return Some(output),
                    Err(_) if deadline.time_left(Instant::now()).is_zero() => return None,
                    Err(_) => (),
                }
            }
        })
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut *self.0.pipe.borrow_mut()).poll_read(cx, buffer))?;
        let read = buffer.filled().get(before..).unwrap_or_default();
        self.0.traffic.set(self.0.traffic.get().record(read));
        if self.is_flooded() {
            return Poll::Ready(Err(ErrorKind::InvalidData.into()));
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut *self.0.pipe.borrow_mut()).poll_write(cx, bytes))?;
        self.0.written.set(self.0.written.get() + written);
        Poll::Ready(Ok(written))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.0.pipe.borrow_mut()).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.0.pipe.borrow_mut()).poll_shutdown(cx)
    }
}

// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Reads and writes the connected socket for HTTP/2, and waits for it.

use std::cell::Cell;
use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::grpc::flood::TrafficMeter;

/// Bytes in the write buffer from which on it is written before more is added.
const BUFFER_BYTES: usize = 16 << 10;

/// Size of a read. It has room for the usual reply; more memory would have to be cleared.
const READ_BYTES: usize = 2 << 10;

/// Wraps a connected, non-blocking socket.
#[derive(Clone)]
pub struct Stream(pub(super) Rc<Shared>);

pub(super) struct Shared {
    socket: UnixStream,
    /// Bytes not yet written. They are written right before the next wait, so that a request is one
    /// write, and no acknowledgement follows the reply
    unsent: Cell<Vec<u8>>,
    /// Events that the socket is known to be ready for; poll(2) waits for the others
    ready: Cell<PollFlags>,
    traffic: Cell<TrafficMeter>,
    /// Bytes that the socket accepted
    written: Cell<usize>,
    /// The errno of a failed write. It is reported after all reads, because an answer may be there.
    /// A read reports a closed connection itself, but not a lack of memory (ENOMEM)
    write_error: Cell<Option<i32>>,
}

impl Stream {
    pub(super) fn new(socket: UnixStream) -> Self {
        Self(Rc::new(Shared {
            socket,
            unsent: Cell::default(),
            ready: Cell::new(PollFlags::POLLOUT),
            traffic: Cell::default(),
            written: Cell::default(),
            write_error: Cell::default(),
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
}

impl Shared {
    /// Writes the buffer as far as the socket accepts it.
    pub(super) fn write_unsent(&self) {
        let mut unsent = self.unsent.take();
        while !unsent.is_empty()
            && let Poll::Ready(sent) =
                self.attempt(PollFlags::POLLOUT, |mut socket| socket.write(&unsent))
        {
            unsent = match sent {
                Ok(sent) => {
                    self.written.set(self.written.get() + sent);
                    unsent.get(sent..).unwrap_or_default().to_vec()
                }
                Err(error) => {
                    self.write_error.set(error.raw_os_error());
                    self.ready.set(self.ready.get() | PollFlags::POLLIN);
                    Vec::new()
                }
            };
        }
        self.unsent.set(unsent);
    }

    pub(super) fn unsent_bytes(&self) -> usize {
        let unsent = self.unsent.take();
        let bytes = unsent.len();
        self.unsent.set(unsent);
        bytes
    }

    /// Waits at most `time`, and returns whether the socket is ready.
    pub(super) fn wait_until_ready(&self, time: Duration) -> bool {
        // A read reports the error.
        if self.write_error.get().is_some() && self.ready.get().contains(PollFlags::POLLIN) {
            return true;
        }
        // poll(2) returns at once for events that are ready already. A peer that sends and does not
        // read would keep the processor busy.
        let mut wanted = PollFlags::POLLIN;
        wanted.set(PollFlags::POLLOUT, self.unsent_bytes() > 0);
        wanted.remove(self.ready.get());
        let mut fds = [PollFd::new(self.socket.as_fd(), wanted)];
        match poll(&mut fds, PollTimeout::try_from(time).unwrap_or(PollTimeout::MAX)) {
            Ok(0) | Err(_) => false,
            Ok(_) => {
                let [fd] = &fds;
                let found = fd.revents().unwrap_or(wanted);
                // Reading or writing reports the error or the end.
                let ready = match found.intersects(PollFlags::POLLERR | PollFlags::POLLHUP) {
                    true => PollFlags::POLLIN | PollFlags::POLLOUT,
                    false => found,
                };
                self.ready.set(self.ready.get() | ready);
                true
            }
        }
    }

    /// Does one operation, unless the socket is known not to be ready for it.
    fn attempt<T>(
        &self,
        flag: PollFlags,
        mut operation: impl FnMut(&UnixStream) -> io::Result<T>,
    ) -> Poll<io::Result<T>> {
        if !self.ready.get().contains(flag) {
            return Poll::Pending;
        }
        loop {
            match operation(&self.socket) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.ready.set(self.ready.get().difference(flag));
                    return Poll::Pending;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => (),
                done => return Poll::Ready(done),
            }
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let ready = &self.0.ready;
        let size = buffer.remaining().min(READ_BYTES);
        let room = buffer.initialize_unfilled_to(size);
        let read = match self.0.attempt(PollFlags::POLLIN, |mut socket| socket.read(room)) {
            Poll::Ready(read) => read?,
            Poll::Pending => {
                // HTTP/2 passes on the text of an inner error, and of others the kind alone.
                let error = |code| io::Error::other(io::Error::from_raw_os_error(code));
                let code = self.0.write_error.get();
                return code.map_or(Poll::Pending, |code| Poll::Ready(Err(error(code))));
            }
        };
        // A short read means that the socket is empty now.
        if (1..size).contains(&read) {
            ready.set(ready.get().difference(PollFlags::POLLIN));
        }
        self.0.traffic.set(self.0.traffic.get().record(room.get(..read).unwrap_or_default()));
        if self.is_flooded() {
            return Poll::Ready(Err(ErrorKind::InvalidData.into()));
        }
        buffer.advance(read);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut unsent = self.0.unsent.take();
        if unsent.len() > BUFFER_BYTES {
            self.0.unsent.set(unsent);
            self.0.write_unsent();
            unsent = self.0.unsent.take();
        }
        let written = match unsent.len() {
            // poll(2) returns when the socket accepts more, and then this is called again.
            ..=BUFFER_BYTES => {
                slices.iter().for_each(|bytes| unsent.extend_from_slice(bytes));
                Poll::Ready(Ok(slices.iter().map(|bytes| bytes.len()).sum()))
            }
            _ => Poll::Pending,
        };
        self.0.unsent.set(unsent);
        written
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.write_unsent();
        Poll::Ready(self.0.socket.shutdown(std::net::Shutdown::Write))
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::time::Instant;

    use super::*;
    use crate::deadline::Deadline;

    /// Reads everything, as HTTP/2 does.
    fn read(stream: &mut Stream, cx: &mut Context<'_>) {
        let mut bytes = [0; 8];
        while Pin::new(&mut *stream).poll_read(cx, &mut ReadBuf::new(&mut bytes)).is_ready() {}
    }

    fn write(stream: &mut Stream, cx: &mut Context<'_>, bytes: &[u8]) {
        assert!(matches!(Pin::new(stream).poll_write(cx, bytes), Poll::Ready(Ok(_))));
    }

    /// The request is written before the first wait, however short it is. The acknowledgement of
    /// SETTINGS waits for more bytes, and the call is over by then.
    #[test]
    fn an_answer_waits_for_company_and_a_request_does_not() {
        let (ours, theirs) = UnixStream::pair().unwrap();
        ours.set_nonblocking(true).unwrap();
        let mut stream = Stream::new(ours);
        let driver = stream.clone();
        let mut polls = 0;
        let call = poll_fn(|cx| {
            polls += 1;
            match polls {
                1 => {
                    write(&mut stream, cx, b"request");
                    (&theirs).write_all(b"SETTINGS").unwrap();
                }
                2 => {
                    read(&mut stream, cx);
                    write(&mut stream, cx, b"SETT");
                    write(&mut stream, cx, b"INGS");
                    (&theirs).write_all(b"reply").unwrap();
                }
                _ => return Poll::Ready(()),
            }
            Poll::Pending
        });
        let deadline = Deadline::at(Instant::now() + Duration::from_secs(60));
        assert_eq!(driver.block_on(call, &deadline), Some(()));
        drop((driver, stream));
        let mut sent = String::new();
        let _ = (&theirs).read_to_string(&mut sent);
        assert_eq!((sent.as_str(), polls), ("request", 3));
    }
}

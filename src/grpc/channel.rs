// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Makes RPCs on one connection, with tonic's client over an HTTP/2 connection that the call itself
//! drives. So when a call fails, it is known whether the server answered, only the call ended, or
//! the connection did.

use std::error::Error as StdError;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::time::{Duration, Instant};

use bytes::{Buf, BufMut, Bytes};
use http::uri::{PathAndQuery, Uri};
use tonic::client::Grpc;
use tonic::codec::{BufferSettings, Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::{Code, Status};

use super::error::{Error, error_chain};
use super::system::{Peer, Stream};
use super::transport::{Transport, TransportError};
use crate::deadline::Deadline;

/// Largest reply that is read; grpc-go's default.
const MAX_REPLY_BYTES: usize = 4 << 20;

/// Largest headers or trailers that are read. They have room for a long `grpc-message`, but not for
/// an endless one.
const MAX_HEADER_BYTES: u32 = 256 << 10;

/// How long before the plugin's deadline the server may already consider it over.
const DEADLINE_TOLERANCE: Duration = Duration::from_millis(100);

/// grpc-go sends this `:authority` for a unix socket. Strict servers refuse a path.
const ORIGIN: &str = "http://localhost";

const FLOODED: &str = "the other side sends without end";

/// Holds an HTTP/2 connection, the driver of its frames, and the peer.
pub struct Channel {
    send: h2::client::SendRequest<Bytes>,
    driver: Option<Box<h2::client::Connection<Stream, Bytes>>>,
    stream: Stream,
    peer: Peer,
    deadline: Rc<Deadline>,
    /// Number of RPCs that were answered on this connection
    answered: usize,
}

impl Channel {
    /// Starts HTTP/2 on the result of [`connect`](super::connect), for RPCs that end by `deadline`.
    ///
    /// # Errors
    /// [`Error::Deadline`], [`Error::ConnectionLost`].
    // Not inlined, so that the stack of the handshake is free again before the call.
    #[inline(never)]
    pub fn start((stream, peer): (Stream, Peer), deadline: &Rc<Deadline>) -> Result<Self, Error> {
        let handshake = h2::client::Builder::new()
            .enable_push(false)
            .max_header_list_size(MAX_HEADER_BYTES)
            .handshake(stream.clone());
        let (send, driver) = stream
            .block_on(handshake, deadline)
            .ok_or(Error::Deadline)?
            .map_err(|error| Error::ConnectionLost(error_chain(&error)))?;
        let (driver, deadline) = (Some(Box::new(driver)), Rc::clone(deadline));
        Ok(Self { send, driver, stream, peer, deadline, answered: 0 })
    }

    /// Returns the process at the other end.
    pub fn peer(&self) -> &Peer {
        &self.peer
    }

    /// Makes one unary RPC and sends `metadata` as its headers.
    ///
    /// # Errors
    /// [`Error::Status`], [`Error::NoValidReply`], [`Error::Refused`], [`Error::ConnectionLost`],
    /// [`Error::Deadline`].
    pub fn call(
        &mut self,
        path: String,
        message: Bytes,
        metadata: &mut dyn Iterator<Item = (&'static str, &str)>,
    ) -> Result<Bytes, Error> {
        self.call_unary(path, message, metadata, false)
    }

    /// Makes a unary RPC whose message no server can decode, so that it reaches no handler. A
    /// server looks up the method first: any error but UNIMPLEMENTED shows that it has the method.
    ///
    /// # Errors
    /// As [`Self::call`].
    pub fn probe_method(&mut self, path: String) -> Result<Bytes, Error> {
        // A field whose length exceeds the rest of the message.
        self.call_unary(path, Bytes::from_static(&[0x0a, 0x7f]), &mut std::iter::empty(), true)
    }

    fn call_unary(
        &mut self,
        path: String,
        message: Bytes,
        metadata: &mut dyn Iterator<Item = (&'static str, &str)>,
        is_undecodable: bool,
    ) -> Result<Bytes, Error> {
        let path = PathAndQuery::from_maybe_shared(path)
            .map_err(|error| Error::NoValidReply(error_chain(&error)))?;
        let mut request = tonic::Request::new(message);
        request.set_timeout(self.deadline.time_left(Instant::now()));
        for (name, value) in metadata {
            if let Ok(value) = value.parse() {
                request.metadata_mut().insert(name, value);
            }
        }
        let has_error = Arc::new(AtomicBool::new(false));
        let transport = Transport {
            send: self.send.clone(),
            is_undecodable,
            has_error: Arc::clone(&has_error),
        };
        let mut grpc = Grpc::with_origin(transport, Uri::from_static(ORIGIN))
            .max_decoding_message_size(MAX_REPLY_BYTES);
        let (stream, deadline) = (self.stream.clone(), Rc::clone(&self.deadline));
        let written = stream.written();
        let call = self.drive(grpc.unary(request, path, BytesCodec));
        let reply = match stream.block_on(call, &deadline).ok_or(Error::Deadline)? {
            Some(Ok(reply)) => Ok(reply.into_inner()),
            Some(Err(status)) => Err(self.classify(status, has_error.load(Ordering::Relaxed))),
            None => Err(Error::ConnectionLost("the other side closed it".to_owned())),
        };
        match reply {
            // A server may close each connection after an answer.
            Err(Error::ConnectionLost(why)) if self.answered > 0 && stream.written() == written => {
                Err(Error::Refused(why))
            }
            reply => {
                self.answered += 1;
                reply
            }
        }
    }

    /// Classifies a status. tonic also turns each transport error into a status, with that error as
    /// its source, and makes statuses of its own: then the server's has no error.
    fn classify(&self, status: Status, has_error: bool) -> Error {
        let is_late = self.deadline.time_left(Instant::now()) < DEADLINE_TOLERANCE;
        let Some(error) = StdError::source(&status) else {
            return match status.code() {
                Code::Cancelled | Code::DeadlineExceeded if is_late => Error::Deadline,
                _ if !has_error => Error::NoValidReply(status.message().to_owned()),
                _ => Error::Status(status),
            };
        };
        match error.downcast_ref::<TransportError>() {
            Some(TransportError::Refused(error)) => Error::Refused(error_chain(error)),
            Some(error) if is_late && error.is_cancelled() => Error::Deadline,
            _ if self.stream.is_flooded() => Error::NoValidReply(FLOODED.to_owned()),
            _ if self.driver.is_some() => Error::NoValidReply(error_chain(error)),
            _ => Error::ConnectionLost(error_chain(error)),
        }
    }

    /// Polls the connection and `call` until the call is done. Returns `None` if the connection
    /// ended first.
    async fn drive<F: Future>(&mut self, call: F) -> Option<F::Output> {
        let mut call = pin!(call);
        // The call is queued before the connection writes, so that one write sends both.
        let mut queued = false;
        poll_fn(|cx| {
            if !queued && let Poll::Ready(output) = call.as_mut().poll(cx) {
                return Poll::Ready(Some(output));
            }
            queued = true;
            if self.driver.as_mut().is_some_and(|driver| Pin::new(driver).poll(cx).is_ready()) {
                self.driver = None;
            }
            match call.as_mut().poll(cx) {
                Poll::Ready(output) => Poll::Ready(Some(output)),
                Poll::Pending if self.driver.is_none() => Poll::Ready(None),
                Poll::Pending => Poll::Pending,
            }
        })
        .await
    }
}

/// Returns buffers for the usual message, which grow for larger ones. tonic's 8 KiB for each
/// direction would take more memory from the kernel.
fn small_buffers() -> BufferSettings {
    BufferSettings::new(1 << 10, usize::MAX)
}

/// Passes messages through as bytes. Each API encodes and decodes its own messages.
struct BytesCodec;

impl Codec for BytesCodec {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for BytesCodec {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, message: Bytes, out: &mut EncodeBuf<'_>) -> Result<(), Status> {
        out.put(message);
        Ok(())
    }

    fn buffer_settings(&self) -> BufferSettings {
        small_buffers()
    }
}

impl Decoder for BytesCodec {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, message: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(message.copy_to_bytes(message.remaining())))
    }

    fn buffer_settings(&self) -> BufferSettings {
        small_buffers()
    }
}

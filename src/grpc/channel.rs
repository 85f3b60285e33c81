//! One connection: tonic's client over an HTTP/2 connection that the call drives
//! itself, so that one question can always be answered when a call fails: did the
//! server say so, did the call end, or did the connection?

use std::error::Error as StdError;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Instant;

use bytes::Bytes;
use http::uri::{PathAndQuery, Uri};
use tonic::client::Grpc;

use super::codec::Raw;
use super::error::{Error, chain};
use super::peer::Peer;
use super::stream::Stream;
use super::transport::Transport;

/// Largest reply that is read, grpc-go's default.
const MAX_REPLY_BYTES: usize = 4 << 20;

/// Largest head or trailers that are read: room for a long `grpc-message`, and
/// not for an endless one.
const MAX_HEADER_BYTES: u32 = 256 << 10;

/// `:authority` is what grpc-go says of a unix socket: a path would be refused
/// by strict servers.
const ORIGIN: &str = "http://localhost";

/// An HTTP/2 connection, what drives it, and who is at the other end.
pub struct Channel {
    send: h2::client::SendRequest<Bytes>,
    driver: Option<h2::client::Connection<Stream, Bytes>>,
    stream: Stream,
    peer: Peer,
    deadline: Instant,
}

impl Channel {
    /// Starts HTTP/2 on what [`connect`](super::connect) gave, for calls that end
    /// by `deadline`.
    ///
    /// # Errors
    /// [`Error::Deadline`], [`Error::Cut`].
    pub fn start((stream, peer): (Stream, Peer), deadline: Instant) -> Result<Self, Error> {
        let handshake = h2::client::Builder::new()
            .enable_push(false)
            .max_header_list_size(MAX_HEADER_BYTES)
            .handshake(stream.clone());
        let (send, driver) = stream
            .block_on(handshake, deadline)
            .ok_or(Error::Deadline)?
            .map_err(|error| Error::Cut(chain(&error)))?;
        Ok(Self { send, driver: Some(driver), stream, peer, deadline })
    }

    /// The process at the other end.
    pub fn peer(&self) -> &Peer {
        &self.peer
    }

    /// Makes one unary call, with names and values of `metadata`.
    ///
    /// # Errors
    /// [`Error::Status`], [`Error::Ended`], [`Error::Cut`], [`Error::Deadline`].
    pub fn call<'a>(
        &mut self,
        path: String,
        message: Bytes,
        metadata: impl Iterator<Item = (&'static str, &'a str)>,
    ) -> Result<Bytes, Error> {
        let path =
            PathAndQuery::from_maybe_shared(path).map_err(|error| Error::Ended(chain(&error)))?;
        let mut request = tonic::Request::new(message);
        request.set_timeout(self.deadline.saturating_duration_since(Instant::now()));
        for (name, value) in metadata {
            if let Ok(value) = value.parse() {
                request.metadata_mut().insert(name, value);
            }
        }
        let mut grpc = Grpc::with_origin(Transport(self.send.clone()), Uri::from_static(ORIGIN))
            .max_decoding_message_size(MAX_REPLY_BYTES);
        let (stream, deadline) = (self.stream.clone(), self.deadline);
        let call = self.drive(grpc.unary(request, path, Raw));
        match stream.block_on(call, deadline).ok_or(Error::Deadline)? {
            Some(Ok(reply)) => Ok(reply.into_inner()),
            // A status that tonic made of an error of ours has it as its source.
            Some(Err(status)) => Err(match StdError::source(&status) {
                None => Error::Status(status),
                Some(error) if self.driver.is_some() => Error::Ended(chain(error)),
                Some(error) => Error::Cut(chain(error)),
            }),
            None => Err(Error::Cut("the server closed it".to_owned())),
        }
    }

    /// Polls the connection beside `call`, until the call is done. `None` if the
    /// connection ended first.
    async fn drive<F: Future>(&mut self, call: F) -> Option<F::Output> {
        let mut call = pin!(call);
        // Before the connection writes, so that one write has all of it.
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

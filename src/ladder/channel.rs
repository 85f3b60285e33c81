//! One connection to an agent: tonic's client over an HTTP/2 connection that
//! this call drives itself, so that one question can always be answered when a
//! call fails: did the agent say so, did the call end, or did the connection?

use std::error::Error as StdError;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Instant;

use bytes::Bytes;
use http::uri::{PathAndQuery, Uri};
use http::{HeaderMap, HeaderValue};
use http_body::{Body, Frame};
use percent_encoding::{NON_ALPHANUMERIC, percent_decode, utf8_percent_encode};
use thiserror::Error;
use tonic::client::{Grpc, GrpcService};
use tonic::{Code, Status};

use super::raw::Raw;
use super::stream::Stream;
use crate::input::TraceContext;

/// Largest reply that is read, grpc-go's default.
const MAX_REPLY_BYTES: usize = 4 << 20;

/// Largest head or trailers that are read: room for a long `grpc-message`, and
/// not for an endless one.
const MAX_HEADER_BYTES: u32 = 256 << 10;

/// `:authority` is what grpc-go says of a unix socket: a path would be refused
/// by strict servers.
const ORIGIN: &str = "http://localhost";

/// Why an RPC has no reply.
#[derive(Debug, Error)]
pub(super) enum CallError {
    /// A gRPC status that came from the agent.
    #[error("{:?}: {}", .0.code(), .0.message())]
    Status(Status),
    /// The transport ended this call; the connection lived on.
    #[error("the call ended without an answer: {0}")]
    Ended(String),
    /// The connection died, so the outcome is unknown.
    #[error("the connection was cut: {0}")]
    Cut(String),
    /// No answer by the deadline.
    #[error("no answer in time")]
    Deadline,
}

impl From<Status> for CallError {
    fn from(status: Status) -> Self {
        Self::Status(status)
    }
}

impl CallError {
    /// Whether the agent does not have what it was asked for: the one reason to
    /// step down the ladder. It says so before anything has an effect.
    pub(super) fn is_unimplemented(&self) -> bool {
        matches!(self, Self::Status(status) if status.code() == Code::Unimplemented)
    }
}

/// An HTTP/2 connection and what drives it.
pub(super) struct Channel {
    send: h2::client::SendRequest<Bytes>,
    driver: Option<h2::client::Connection<Stream, Bytes>>,
    stream: Stream,
    deadline: Instant,
}

impl Channel {
    /// Starts HTTP/2 on a connected socket, for calls that end by `deadline`.
    pub(super) fn start(stream: Stream, deadline: Instant) -> Result<Self, CallError> {
        let handshake = h2::client::Builder::new()
            .enable_push(false)
            .max_header_list_size(MAX_HEADER_BYTES)
            .handshake(stream.clone());
        let (send, driver) = stream
            .block_on(handshake, deadline)
            .ok_or(CallError::Deadline)?
            .map_err(|error| CallError::Cut(chain(&error)))?;
        Ok(Self { send, driver: Some(driver), stream, deadline })
    }

    /// Makes one unary RPC. `trace` goes along as metadata.
    pub(super) fn call(
        &mut self,
        path: String,
        message: Bytes,
        trace: &TraceContext,
    ) -> Result<Bytes, CallError> {
        let path = PathAndQuery::from_maybe_shared(path)
            .map_err(|error| CallError::Ended(chain(&error)))?;
        let mut request = tonic::Request::new(message);
        request.set_timeout(self.deadline.saturating_duration_since(Instant::now()));
        for (name, value) in trace.headers() {
            if let Ok(value) = value.parse() {
                request.metadata_mut().insert(name, value);
            }
        }
        let mut grpc = Grpc::with_origin(Transport(self.send.clone()), Uri::from_static(ORIGIN))
            .max_decoding_message_size(MAX_REPLY_BYTES);
        let (stream, deadline) = (self.stream.clone(), self.deadline);
        let driven = stream.block_on(self.drive(grpc.unary(request, path, Raw)), deadline);
        match driven.ok_or(CallError::Deadline)? {
            Driven::Done(Ok(reply)) => Ok(reply.into_inner()),
            // A status that tonic made of an error of ours has it as its source.
            Driven::Done(Err(status)) => Err(match StdError::source(&status) {
                None => CallError::Status(status),
                Some(error) if self.driver.is_some() => CallError::Ended(chain(error)),
                Some(error) => CallError::Cut(chain(error)),
            }),
            Driven::ConnectionEnded => Err(CallError::Cut("the agent closed it".to_owned())),
        }
    }

    /// Polls the connection beside `call`, until one of them is done.
    async fn drive<F: Future>(&mut self, call: F) -> Driven<F::Output> {
        let mut call = pin!(call);
        // Before the connection writes, so that one write has all of it.
        let mut queued = false;
        poll_fn(|cx| {
            if !queued && let Poll::Ready(output) = call.as_mut().poll(cx) {
                return Poll::Ready(Driven::Done(output));
            }
            queued = true;
            if self.driver.as_mut().is_some_and(|driver| Pin::new(driver).poll(cx).is_ready()) {
                self.driver = None;
            }
            match call.as_mut().poll(cx) {
                Poll::Ready(output) => Poll::Ready(Driven::Done(output)),
                Poll::Pending if self.driver.is_none() => Poll::Ready(Driven::ConnectionEnded),
                Poll::Pending => Poll::Pending,
            }
        })
        .await
    }
}

enum Driven<T> {
    Done(T),
    ConnectionEnded,
}

/// An error and what it came from, in one line.
fn chain(error: &(dyn StdError + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}

/// What the transport itself finds wrong with a call.
#[derive(Debug, Error)]
enum TransportError {
    #[error(transparent)]
    Http2(#[from] h2::Error),
    #[error("HTTP status {0} without a gRPC status")]
    HttpStatus(u16),
    #[error("the reply is not gRPC: content-type {0:?}")]
    ContentType(String),
    #[error("the reply is compressed with {0:?}, which was not offered")]
    Compressed(String),
    #[error("the reply ended without a gRPC status")]
    NoStatus,
}

/// tonic's view of the connection. It turns into errors what tonic would make
/// UNIMPLEMENTED or UNAVAILABLE of, so that these are always the agent's. What
/// tonic says of a message (too long, none at all) is neither.
#[derive(Clone)]
struct Transport(h2::client::SendRequest<Bytes>);

impl GrpcService<tonic::body::Body> for Transport {
    type ResponseBody = Reply;
    type Error = TransportError;
    type Future =
        Pin<Box<dyn Future<Output = Result<http::Response<Reply>, TransportError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        self.0.poll_ready(cx).map_err(TransportError::from)
    }

    fn call(&mut self, request: http::Request<tonic::body::Body>) -> Self::Future {
        let send = self.0.clone();
        Box::pin(async move {
            let (head, mut body) = request.into_parts();
            let mut send = send.ready().await?;
            let (response, mut out) =
                send.send_request(http::Request::from_parts(head, ()), false)?;
            while let Some(Ok(frame)) = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
                if let Ok(data) = frame.into_data() {
                    out.send_data(data, body.is_end_stream())?;
                }
            }
            if !body.is_end_stream() {
                out.send_data(Bytes::new(), true)?;
            }
            let (mut head, body) = response.await?.into_parts();
            check_head(&head)?;
            mend_message(&mut head.headers);
            let saw_status = has_status(&head.headers);
            Ok(http::Response::from_parts(head, Reply { body, saw_status }))
        })
    }
}

fn check_head(head: &http::response::Parts) -> Result<(), TransportError> {
    if has_status(&head.headers) {
        return Ok(());
    }
    let header = |name| {
        let value = head.headers.get(name);
        value.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
    };
    if head.status != http::StatusCode::OK {
        return Err(TransportError::HttpStatus(head.status.as_u16()));
    }
    let content_type = header("content-type").unwrap_or_default();
    if !content_type.starts_with("application/grpc") {
        return Err(TransportError::ContentType(content_type));
    }
    match header("grpc-encoding") {
        Some(encoding) if encoding != "identity" => Err(TransportError::Compressed(encoding)),
        _ => Ok(()),
    }
}

fn has_status(headers: &HeaderMap) -> bool {
    headers.contains_key("grpc-status")
}

/// Makes a text of the agent's that is not UTF-8 readable: tonic would forget
/// the status for it.
fn mend_message(headers: &mut HeaderMap) {
    let Some(message) = headers.get_mut("grpc-message") else { return };
    let text = percent_decode(message.as_bytes()).decode_utf8_lossy();
    if text.contains(char::REPLACEMENT_CHARACTER) {
        let text = utf8_percent_encode(&text, NON_ALPHANUMERIC).to_string();
        *message = text.try_into().unwrap_or(HeaderValue::from_static(""));
    }
}

/// The body of a response.
struct Reply {
    body: h2::RecvStream,
    saw_status: bool,
}

impl Body for Reply {
    type Data = Bytes;
    type Error = TransportError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, TransportError>>> {
        let this = &mut *self;
        if let Some(data) = std::task::ready!(this.body.poll_data(cx)?) {
            this.body.flow_control().release_capacity(data.len())?;
            return Poll::Ready(Some(Ok(Frame::data(data))));
        }
        let mut trailers = std::task::ready!(this.body.poll_trailers(cx)?);
        trailers.as_mut().map(mend_message);
        this.saw_status |= trailers.as_ref().is_some_and(has_status);
        Poll::Ready(match trailers {
            Some(trailers) if this.saw_status => Some(Ok(Frame::trailers(trailers))),
            None if this.saw_status => None,
            _ => Some(Err(TransportError::NoStatus)),
        })
    }
}

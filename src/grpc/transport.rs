// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Adapts an HTTP/2 connection to tonic's client.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use h2::Reason;
use http::{HeaderMap, HeaderValue};
use http_body::{Body, Frame};
use percent_encoding::{NON_ALPHANUMERIC, percent_decode, utf8_percent_encode};
use thiserror::Error;
use tonic::client::GrpcService;

/// The `grpc-status` UNIMPLEMENTED.
const UNIMPLEMENTED: &str = "12";

/// The `grpc-status` OK.
const OK: &str = "0";

/// Returns a length-prefixed message (gRPC over HTTP2) with its compressed flag set.
fn compressed(message: &[u8]) -> Bytes {
    [&[1], message.get(1..).unwrap_or_default()].concat().into()
}

/// Describes an error that the transport itself finds.
#[derive(Debug, Error)]
pub(super) enum TransportError {
    #[error(transparent)]
    Refused(h2::Error),
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
    #[error("the reply has more than one gRPC status")]
    SeveralStatuses,
    #[error("UNIMPLEMENTED after a message")]
    UnimplementedAfterMessage,
    #[error("UNIMPLEMENTED before the end of the reply")]
    UnimplementedBeforeEnd,
}

impl TransportError {
    /// Classifies an error that came before the reply's headers.
    fn before_headers(error: h2::Error) -> Self {
        let refused = error.reason() == Some(Reason::REFUSED_STREAM);
        // h2 reports a GOAWAY to the streams above its last one, and to new ones.
        match error.is_remote() && (refused || error.is_go_away()) {
            true => Self::Refused(error),
            false => Self::Http2(error),
        }
    }

    /// Returns whether the server cancelled the call, as grpc-go does at the deadline.
    pub(super) fn is_cancelled(&self) -> bool {
        matches!(self, Self::Http2(error) if error.reason() == Some(Reason::CANCEL))
    }
}

/// Shows the connection to tonic's client. tonic would turn some replies without a status into
/// UNIMPLEMENTED or UNAVAILABLE. The transport turns such replies into errors first, so that these
/// two statuses always come from the server.
#[derive(Clone)]
pub(super) struct Transport {
    pub(super) send: h2::client::SendRequest<Bytes>,
    /// Whether messages have the Compressed-Flag without `grpc-encoding`, which a server refuses when
    /// it reads them. The bytes are no valid message either
    pub(super) is_undecodable: bool,
    /// Whether the server sent an error. tonic makes statuses of its own for replies that it cannot
    /// read
    pub(super) has_error: Arc<AtomicBool>,
}

impl GrpcService<tonic::body::Body> for Transport {
    type ResponseBody = Reply;
    type Error = TransportError;
    type Future =
        Pin<Box<dyn Future<Output = Result<http::Response<Reply>, TransportError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        self.send.poll_ready(cx).map_err(TransportError::before_headers)
    }

    fn call(&mut self, request: http::Request<tonic::body::Body>) -> Self::Future {
        let Self { send, is_undecodable, has_error } = self.clone();
        Box::pin(async move {
            let (head, mut body) = request.into_parts();
            let response = async {
                let mut send = send.ready().await?;
                let (response, mut out) =
                    send.send_request(http::Request::from_parts(head, ()), false)?;
                while let Some(Ok(frame)) = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
                    if let Ok(mut data) = frame.into_data() {
                        if is_undecodable {
                            data = compressed(&data);
                        }
                        out.send_data(data, body.is_end_stream())?;
                    }
                }
                if !body.is_end_stream() {
                    out.send_data(Bytes::new(), true)?;
                }
                response.await
            };
            let (mut head, body) =
                response.await.map_err(TransportError::before_headers)?.into_parts();
            let (statuses, is_unimplemented) = statuses(&head.headers, &has_error);
            let is_end = body.is_end_stream();
            if is_unimplemented && !is_end {
                return Err(TransportError::UnimplementedBeforeEnd);
            }
            if statuses == 0 || !is_end {
                check_headers(&head)?;
            }
            if statuses > 0 {
                // This header is about messages. tonic turns an encoding that it lacks into UNIMPLEMENTED.
                head.headers.remove("grpc-encoding");
                sanitize_status(&mut head.headers);
            }
            Ok(http::Response::from_parts(
                head,
                Reply { body, statuses, has_message: false, has_error },
            ))
        })
    }
}

/// Checks that the reply is gRPC and not compressed.
fn check_headers(head: &http::response::Parts) -> Result<(), TransportError> {
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

/// Returns the number of gRPC statuses, and whether one of them is UNIMPLEMENTED. Notes whether one is
/// an error.
fn statuses(headers: &HeaderMap, has_error: &AtomicBool) -> (usize, bool) {
    let mut statuses = (0, false);
    for status in headers.get_all("grpc-status") {
        statuses = (statuses.0 + 1, statuses.1 || *status == UNIMPLEMENTED);
        has_error.fetch_or(*status != OK, Ordering::Relaxed);
    }
    statuses
}

/// Removes details, which tonic panics on if they are not base64, and repairs a `grpc-message` that is
/// not UTF-8, for which tonic would replace the status.
fn sanitize_status(headers: &mut HeaderMap) {
    headers.remove("grpc-status-details-bin");
    let Some(message) = headers.get_mut("grpc-message") else { return };
    let text = percent_decode(message.as_bytes()).decode_utf8_lossy();
    if text.contains(char::REPLACEMENT_CHARACTER) {
        let text = utf8_percent_encode(&text, NON_ALPHANUMERIC).to_string();
        *message = text.try_into().unwrap_or(HeaderValue::from_static(""));
    }
}

/// Streams the body of a reply.
pub(super) struct Reply {
    body: h2::RecvStream,
    /// Number of gRPC statuses so far
    statuses: usize,
    has_message: bool,
    has_error: Arc<AtomicBool>,
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
            this.has_message |= !data.is_empty();
            return Poll::Ready(Some(Ok(Frame::data(data))));
        }
        let mut trailers = std::task::ready!(this.body.poll_trailers(cx)?);
        trailers.as_mut().map(sanitize_status);
        let read = trailers.as_ref().map(|trailers| statuses(trailers, &this.has_error));
        let (more, is_unimplemented) = read.unwrap_or_default();
        this.statuses += more;
        Poll::Ready(match (trailers, this.statuses) {
            (_, 0) => Some(Err(TransportError::NoStatus)),
            (_, 2..) => Some(Err(TransportError::SeveralStatuses)),
            // A server that has the method and sent a message may have had an effect.
            _ if this.has_message && is_unimplemented => {
                Some(Err(TransportError::UnimplementedAfterMessage))
            }
            (trailers, _) => trailers.map(|trailers| Ok(Frame::trailers(trailers))),
        })
    }
}

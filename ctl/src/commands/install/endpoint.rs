// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Answers HTTP for the keeper: `/metrics`, `/readyz` and `/livez`.
//!
//! A client may be slow or hostile. So each connection has one request of limited size and time,
//! and their number is limited. All of it runs on the keeper's own thread.

mod readiness;

use std::collections::VecDeque;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{ALLOW, CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch::{self, Receiver, Sender};
use tokio::task::{JoinHandle, yield_now};
use tokio::time::{Instant, sleep, sleep_until, timeout};

use self::readiness::Readiness;
use crate::cli::Install;
use crate::commands::log::prometheus::OPENMETRICS;
use crate::error::Error;
use crate::output::warn;

/// Most connections at once. A further one takes the place of the oldest.
const MAX_CONNECTIONS: usize = 32;

/// Time that each connection has before another may take its place. A client sends its request
/// right after it connected.
const GRACE: Duration = Duration::from_millis(50);

/// Most connections that wait in the kernel meanwhile. With fewer, a client has to try again.
const BACKLOG: u32 = 1024;

/// Longest time until the headers of a request are there.
const HEADERS_TIME: Duration = Duration::from_secs(2);

/// Longest time of a connection: for the headers, the answer of a plugin, and a slow reader.
const CONNECTION_TIME: Duration = Duration::from_secs(6);

/// Most bytes of a request. hyper takes no lower bound.
const MAX_REQUEST: usize = 8 << 10;

/// Pause after an error, such as an address that the node does not have yet.
const RETRY: Duration = Duration::from_secs(1);

/// Longest time between two checks of a keeper that works. A check may wait for another installer.
const MAX_LOOK: Duration = Duration::from_secs(60);

/// Holds what the keeper tells the clients.
#[derive(Debug, Default)]
pub(super) struct Published {
    /// The metrics, once there are some
    pub(super) metrics: Bytes,
    /// When the keeper looked last, while there is something to keep
    pub(super) looked: Option<std::time::Instant>,
}

/// Starts the endpoint if there is `--listen`. Returns where the keeper publishes what it knows.
///
/// # Errors
/// The address cannot be used. With `--best-effort` that is a warning, and the address is tried
/// again: a node may get it later.
pub(super) fn start(arguments: &Install) -> Result<Option<Sender<Published>>, Error> {
    let Some(address) = arguments.listen else { return Ok(None) };
    let listener = match listen(address) {
        Ok(listener) => Some(listener),
        Err(error) if arguments.best_effort => {
            warn(format!("{error}; it is tried again"));
            None
        }
        Err(error) => return Err(error),
    };
    let (sender, published) = watch::channel(Published::default());
    let endpoint = Endpoint { published, readiness: Readiness::new(arguments.place.clone()) };
    tokio::spawn(Arc::new(endpoint).serve(address, listener));
    Ok(Some(sender))
}

fn listen(address: SocketAddr) -> Result<TcpListener, Error> {
    let listen = || {
        let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        // A keeper that was killed leaves connections that the kernel still closes.
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        socket.listen(BACKLOG)
    };
    listen().map_err(|source| Error::Listen { address, source })
}

struct Endpoint {
    published: Receiver<Published>,
    readiness: Readiness,
}

impl Endpoint {
    async fn serve(self: Arc<Self>, address: SocketAddr, mut listener: Option<TcpListener>) {
        let listener = loop {
            match listener {
                Some(listener) => break listener,
                None => sleep(RETRY).await,
            }
            listener = listen(address).ok();
        };
        let mut open: VecDeque<(Instant, JoinHandle<()>)> = VecDeque::new();
        loop {
            let Ok((stream, _)) = listener.accept().await else {
                // Such as for the lack of file descriptors.
                sleep(GRACE).await;
                continue;
            };
            open.retain(|(_, connection)| !connection.is_finished());
            if open.len() >= MAX_CONNECTIONS
                && let Some((since, oldest)) = open.pop_front()
            {
                sleep_until(since + GRACE).await;
                oldest.abort();
            }
            let connection = tokio::spawn(Arc::clone(&self).answer(stream));
            open.push_back((Instant::now(), connection));
            // A request that is there already is answered before the next connection.
            yield_now().await;
        }
    }

    /// Answers one request, and closes the connection.
    async fn answer(self: Arc<Self>, stream: TcpStream) {
        let service = service_fn(|request| {
            let endpoint = Arc::clone(&self);
            async move { Ok::<_, Infallible>(endpoint.respond(&request).await) }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADERS_TIME)
            .max_buf_size(MAX_REQUEST)
            .keep_alive(false)
            .serve_connection(TokioIo::new(stream), service);
        // Who is too slow, or speaks no HTTP, gets no answer.
        let _ = timeout(CONNECTION_TIME, connection).await;
    }

    async fn respond(&self, request: &Request<Incoming>) -> Response<Full<Bytes>> {
        let path = request.uri().path();
        if !["/metrics", "/readyz", "/livez"].contains(&path) {
            return text(StatusCode::NOT_FOUND, "there are /metrics, /readyz and /livez");
        }
        if ![Method::GET, Method::HEAD].contains(request.method()) {
            let mut response = text(StatusCode::METHOD_NOT_ALLOWED, "ask with GET or HEAD");
            response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
            return response;
        }
        match path {
            "/metrics" => self.metrics(),
            "/readyz" => verdict(self.readiness.ask().await),
            _ => verdict(self.liveness()),
        }
    }

    fn metrics(&self) -> Response<Full<Bytes>> {
        let mut metrics = self.published.borrow().metrics.clone();
        if metrics.is_empty() {
            metrics = Bytes::from_static(b"# EOF\n");
        }
        let mut response = Response::new(Full::new(metrics));
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(OPENMETRICS));
        response
    }

    fn liveness(&self) -> Result<(), String> {
        let since = self.published.borrow().looked.map(|it| it.elapsed());
        match since.filter(|since| *since > MAX_LOOK) {
            Some(since) => {
                Err(format!("the keeper has not checked the plugin for {} s", since.as_secs()))
            }
            None => Ok(()),
        }
    }
}

/// Answers "ok", or why not.
fn verdict(verdict: Result<(), String>) -> Response<Full<Bytes>> {
    match verdict {
        Ok(()) => text(StatusCode::OK, "ok"),
        Err(why) => text(StatusCode::SERVICE_UNAVAILABLE, &why),
    }
}

fn text(status: StatusCode, text: &str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(format!("{text}\n")));
    *response.status_mut() = status;
    let kind = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

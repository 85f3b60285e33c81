//! One question to one API, for tools that want to know what an agent can do.
//! No command takes this way.

use std::time::Duration;

use bytes::Bytes;
use tokio::time::{Instant, timeout};

use super::channel::{CallError, Channel};
use super::delivery::Error;
use super::{Capabilities, Request, Response, Rung, socket, v1};
use crate::input::{Settings, TraceContext};

/// Asks one API for one command: one connection, one RPC. The answer counts
/// also if it is UNIMPLEMENTED, which is an [`Error::Status`].
///
/// # Errors
/// All but [`Error::Result`], [`Error::Exhausted`] and [`Error::Runtime`].
pub async fn ask(
    rung: &Rung,
    request: &Request<'_>,
    settings: &Settings,
    within: Duration,
) -> Result<Response, Error> {
    let message = (rung.encode)(request).into();
    let reply = call(rung, request.action.method(), message, settings, within).await?;
    (rung.decode)(reply).map_err(Error::Undecodable)
}

/// What the agent says of itself. Only v1 has that question.
///
/// # Errors
/// As [`ask`].
pub async fn capabilities(settings: &Settings, within: Duration) -> Result<Capabilities, Error> {
    let reply =
        call(&v1::RUNG, v1::CAPABILITIES, Capabilities::request(), settings, within).await?;
    Capabilities::decode(reply).map_err(Error::Undecodable)
}

async fn call(
    rung: &Rung,
    method: &str,
    message: Bytes,
    settings: &Settings,
    within: Duration,
) -> Result<Bytes, Error> {
    let path = format!("/{}.Cni/{method}", rung.package);
    let call = async {
        let (stream, peer) = socket::connect(settings, Instant::now()).await?;
        let failed = |error: CallError| Error::of(error, peer);
        let mut channel = Channel::start(stream).await.map_err(failed)?;
        let trace = TraceContext::default();
        channel.call(path, message, within, &trace).await.map_err(failed)
    };
    timeout(within, call).await.unwrap_or(Err(Error::Deadline))
}

//! One question to one API, for tools that want to know what an agent can do.
//! No command takes this way.

use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::channel::Channel;
use super::delivery::Error;
use super::{Capabilities, Request, Response, Rung, socket, v1};
use crate::input::{Settings, TraceContext};

/// Asks one API for one command: one connection, one RPC. The answer counts
/// also if it is UNIMPLEMENTED, which is an [`Error::Status`].
///
/// # Errors
/// All but [`Error::Result`] and [`Error::Exhausted`].
pub fn ask(
    rung: &Rung,
    request: &Request<'_>,
    settings: &Settings,
    within: Duration,
) -> Result<Response, Error> {
    let message = (rung.encode)(request).into();
    let reply = call(rung, request.action.method(), message, settings, within)?;
    (rung.decode)(reply).map_err(Error::Undecodable)
}

/// What the agent says of itself. Only v1 has that question.
///
/// # Errors
/// As [`ask`].
pub fn capabilities(settings: &Settings, within: Duration) -> Result<Capabilities, Error> {
    let reply = call(&v1::RUNG, v1::CAPABILITIES, Capabilities::request(), settings, within)?;
    Capabilities::decode(reply).map_err(Error::Undecodable)
}

/// Who listens on `socket`: user and, where the kernel tells it, process.
///
/// # Errors
/// Why the socket cannot be connected to.
pub fn peer(socket: &Path) -> io::Result<(u32, Option<i32>)> {
    let to_anybody = Settings {
        socket: socket.to_string_lossy().into_owned(),
        require_root_agent: false,
        ..Settings::default()
    };
    match socket::connect(&to_anybody, Instant::now()) {
        Ok((_, peer)) => Ok((peer.uid, peer.pid.filter(|pid| *pid > 0))),
        Err(
            Error::Unreachable(error)
            | Error::NoSocket(error)
            | Error::Untrusted { source: Some(error), .. },
        ) => Err(error),
        Err(other) => Err(io::Error::other(other)),
    }
}

fn call(
    rung: &Rung,
    method: &str,
    message: Bytes,
    settings: &Settings,
    within: Duration,
) -> Result<Bytes, Error> {
    let path = format!("/{}.Cni/{method}", rung.package);
    let now = Instant::now();
    let (stream, peer) = socket::connect(settings, now)?;
    let mut channel =
        Channel::start(stream, now + within).map_err(|error| Error::of(error, peer))?;
    channel.call(path, message, &TraceContext::default()).map_err(|error| Error::of(error, peer))
}

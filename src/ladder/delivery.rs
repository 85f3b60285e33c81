//! Getting one command to an agent and its answer back, in time: deadlines,
//! waiting and sending again.

use std::io;
use std::time::Duration;

use thiserror::Error;
use tokio::time::{Instant, sleep_until, timeout_at};

use super::channel::{CallError, Channel};
use super::{LADDER, Request, Response, Stop, Tried, socket, walk};
use crate::Action;
use crate::input::Settings;

/// Why a command got no answer that counts.
#[derive(Debug, Error)]
pub enum Error {
    /// The socket cannot be connected to.
    #[error(
        "antrea-agent cannot be reached: wait until its Pod on this node is running, then try again"
    )]
    Unreachable(#[source] io::Error),
    /// The process behind the socket is neither root's nor our own user's.
    #[error(
        "the process behind the socket is not trusted: run antrea-agent as root, or set {key}.requireRootAgent to false",
        key = Settings::KEY
    )]
    Untrusted {
        /// Its user, where the kernel told it
        uid: Option<u32>,
        /// Why the kernel did not
        source: Option<io::Error>,
    },
    /// The connection died after the command may have been sent.
    #[error(
        "antrea-agent went away during the call: try again when its Pod on this node is running"
    )]
    Cut(String),
    /// No answer by the deadline.
    #[error("antrea-agent did not answer in time: look at its log on this node, then try again")]
    Deadline,
    /// The agent answered with a gRPC status.
    #[error("antrea-agent answered {:?}: {}", .0.code(), .0.message())]
    Status(tonic::Status),
    /// The call ended without an answer, but the connection lived.
    #[error("antrea-agent gave no valid answer: look at its log on this node")]
    Ended(String),
    /// The reply is no message of the API.
    #[error("the reply of antrea-agent cannot be decoded: look at its log on this node")]
    Undecodable(#[source] prost::DecodeError),
    /// No API version of ours is served.
    #[error(
        "antrea-agent serves none of the API versions of this plugin: install the plugin that came with the agent"
    )]
    Exhausted,
    /// The runtime that drives the connection cannot be set up.
    #[error("cannot set up I/O: raise the limit of open files of the container runtime")]
    Runtime(#[source] io::Error),
}

/// What happened on the way, for error texts and logs.
#[derive(Debug, Default)]
pub struct Trace {
    /// What each API answered, in the order of asking
    pub tried: Vec<Tried>,
    /// Connections that the command was sent on
    pub attempts: u32,
    /// Whole time of the command
    pub elapsed: Duration,
}

/// How long a command may take, and what may be done about an agent that is
/// away. Runtimes decide the totals: kubelet gives up after 120 s, CRI-O gives a
/// DEL 60 s and a GC 30 s, and containerd calls STATUS under a lock.
struct Limits {
    /// From start to answer
    total: Duration,
    /// For an agent that is away
    wait: Duration,
    /// Whether the command can be sent again when it was cut off: a second ADD
    /// makes real agents delete the first one's interface.
    resend: bool,
}

impl Limits {
    fn of(action: Action, settings: &Settings) -> Self {
        let (total, wait, resend) = match action {
            Action::Add => (settings.add_timeout, 60, false),
            Action::Check => (Duration::from_secs(45), 5, true),
            Action::Del => (Duration::from_secs(45), 15, true),
            Action::Gc => (Duration::from_secs(25), 5, true),
            Action::Status => (Duration::from_secs(1), 0, false),
        };
        Self { total, wait: settings.wait_for_agent.min(Duration::from_secs(wait)), resend }
    }
}

/// Pauses between two sendings of one command: from the first to the second,
/// doubled each time.
const PAUSE: (Duration, Duration) = (Duration::from_millis(10), Duration::from_secs(1));

/// Asks the agent, from now on within the command's time.
///
/// # Errors
/// All but [`Error::Runtime`].
pub async fn deliver(
    request: Request<'_>,
    settings: &Settings,
    trace: &mut Trace,
) -> Result<Response, Error> {
    let started = Instant::now();
    let limits = Limits::of(request.action, settings);
    let deadline = started + limits.total;
    let mut pause = PAUSE.0;
    let result = loop {
        let sending = send(request, settings, deadline, limits.wait, trace);
        let result = timeout_at(deadline, sending).await.unwrap_or(Err(Error::Deadline));
        match result {
            Err(Error::Cut(_)) if limits.resend && Instant::now() + pause < deadline => {
                sleep_until(Instant::now() + pause).await;
                pause = PAUSE.1.min(pause * 2);
            }
            result => break result,
        }
    };
    trace.elapsed = started.elapsed();
    result
}

/// Sends the command once: on one connection, down the ladder.
async fn send(
    request: Request<'_>,
    settings: &Settings,
    deadline: Instant,
    wait: Duration,
    trace: &mut Trace,
) -> Result<Response, Error> {
    let stream = socket::connect(settings, deadline.min(Instant::now() + wait)).await?;
    trace.attempts += 1;
    // A walk belongs to one connection: a new agent is asked from the newest on.
    trace.tried.clear();
    let mut channel = Channel::start(stream).await?;
    let call = async |path, message| {
        let timeout = deadline.saturating_duration_since(Instant::now());
        channel.call(path, message, timeout).await
    };
    Ok(walk(LADDER, &request, &mut trace.tried, call).await?)
}

impl From<CallError> for Error {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Status(status) => Self::Status(status),
            CallError::Ended(why) => Self::Ended(why),
            CallError::Cut(why) => Self::Cut(why),
        }
    }
}

impl From<Stop> for Error {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Failed(error) => error.into(),
            Stop::Undecodable(error) => Self::Undecodable(error),
            Stop::Exhausted => Self::Exhausted,
        }
    }
}

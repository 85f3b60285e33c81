//! Getting one command to an agent and its answer back, in time: deadlines,
//! waiting and sending again.

use std::io;
use std::thread::sleep;
use std::time::{Duration, Instant};

use thiserror::Error;

use super::channel::{CallError, Channel};
use super::peer::Peer;
use super::{LADDER, Outcome, Request, Response, Rung, Stop, Tried, recovery, socket, walk};
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
    /// The path leads to something else than a socket.
    #[error("{0} is not a socket: correct {key}.socket, or remove that file", key = Settings::KEY)]
    NotASocket(String),
    /// The path is a link into a folder where others than root and our own user
    /// may put a socket of theirs.
    #[error(
        "the socket is a link to {0}, where other users may write: name a path in a folder of root's"
    )]
    OpenFolder(String),
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
    Cut {
        /// What the transport saw, and what was tried since
        why: String,
        /// The process that went away
        peer: Peer,
    },
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
    /// The result of ADD cannot be put into the configuration's cniVersion.
    #[error(
        "the result of antrea-agent cannot be put into the cniVersion of the configuration: set a lower one"
    )]
    Result(String),
    /// No API version of ours is served.
    #[error(
        "antrea-agent serves none of the API versions of this plugin: install the plugin that came with the agent"
    )]
    Exhausted,
    /// No socket of our own.
    #[error("cannot make a socket: raise the limit of open files of the container runtime")]
    NoSocket(#[source] io::Error),
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

impl Trace {
    /// Writes down that an RPC was sent.
    pub(super) fn started(&mut self, rung: &Rung, request: &Request<'_>) -> &mut Tried {
        self.tried.push_mut(Tried {
            package: rung.package,
            cni_version: request.cni_version.cloned(),
            attempt: self.attempts,
            action: request.action,
            outcome: Outcome::Silence,
            asked: Instant::now(),
            elapsed: Duration::ZERO,
        })
    }
}

/// How long a command may take, and what may be done about an agent that is
/// away. Runtimes decide the totals: kubelet gives up after 120 s, CRI-O gives a
/// DEL 60 s and a GC 30 s, and containerd calls STATUS under a lock.
struct Limits {
    /// From start to answer
    total: Duration,
    /// For an agent that is away
    wait: Duration,
}

impl Limits {
    fn of(action: Action, settings: &Settings) -> Self {
        let (total, wait) = match action {
            Action::Add => (settings.add_timeout, 60),
            Action::Check => (Duration::from_secs(45), 5),
            Action::Del => (Duration::from_secs(45), 15),
            Action::Gc => (Duration::from_secs(25), 5),
            Action::Status => (Duration::from_secs(1), 0),
        };
        Self { total, wait: settings.wait_for_agent.min(Duration::from_secs(wait)) }
    }
}

/// How long a command may take in all, where the configuration is not known yet.
pub(crate) fn total(action: Action) -> Duration {
    Limits::of(action, &Settings::default()).total
}

/// Pauses between two sendings of one command: from the first to the second,
/// doubled each time.
const PAUSE: (Duration, Duration) = (Duration::from_millis(10), Duration::from_secs(1));

/// Asks the agent, within the command's time since `started`.
///
/// # Errors
/// All of them.
pub fn deliver(
    request: Request<'_>,
    settings: &Settings,
    started: Instant,
    trace: &mut Trace,
) -> Result<Response, Error> {
    let limits = Limits::of(request.action, settings);
    let deadline = started + limits.total;
    let mut delivery = Delivery { request, settings, deadline, wait: limits.wait, trace };
    let answer = match request.action {
        Action::Add => recovery::add(&mut delivery),
        Action::Status => delivery.send(Action::Status),
        repeatable => delivery.repeat(repeatable),
    };
    trace.elapsed = started.elapsed();
    answer
}

/// A command on its way.
pub(super) struct Delivery<'a> {
    request: Request<'a>,
    settings: &'a Settings,
    pub(super) deadline: Instant,
    wait: Duration,
    trace: &'a mut Trace,
}

impl Delivery<'_> {
    /// Sends a command that may be sent again, until it is not cut off.
    pub(super) fn repeat(&mut self, action: Action) -> Result<Response, Error> {
        let mut pause = PAUSE.0;
        loop {
            match self.send(action) {
                Err(Error::Cut { .. }) if Instant::now() + pause < self.deadline => {
                    sleep(pause);
                    pause = PAUSE.1.min(pause * 2);
                }
                answer => return answer,
            }
        }
    }

    /// Sends a command once: one connection, down the ladder.
    pub(super) fn send(&mut self, action: Action) -> Result<Response, Error> {
        let wait_until = self.deadline.min(Instant::now() + self.wait);
        let (stream, peer) = socket::connect(self.settings, wait_until)?;
        self.trace.attempts += 1;
        let mut channel =
            Channel::start(stream, self.deadline).map_err(|error| Error::of(error, peer))?;
        let context = &self.request.args.trace;
        let request = Request { action, ..self.request };
        let call = |path, message| channel.call(path, message, context);
        walk(LADDER, &request, self.trace, call).map_err(|stop| match stop {
            Stop::Failed(error) => Error::of(error, peer),
            Stop::Undecodable(error) => Error::Undecodable(error),
            Stop::Result(why) => Error::Result(why),
            Stop::Exhausted => Error::Exhausted,
        })
    }
}

impl Error {
    /// Whether nobody answered at all, as while an agent is being restarted.
    pub fn is_silence(&self) -> bool {
        matches!(self, Self::Unreachable(_) | Self::Cut { .. } | Self::Deadline)
    }

    pub(super) fn of(error: CallError, peer: Peer) -> Self {
        match error {
            CallError::Status(status) => Self::Status(status),
            CallError::Ended(why) => Self::Ended(why),
            CallError::Cut(why) => Self::Cut { why, peer },
            CallError::Deadline => Self::Deadline,
        }
    }
}

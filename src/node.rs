//! The node that the plugin runs on: its clock, and its agent behind a socket.

use std::thread::sleep;
use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::grpc::{self, Channel, Waiting};
use crate::input::{Settings, TraceContext};
use crate::ladder::{Connection, Node};
use crate::last_seen;
use crate::platform::netns;

/// The real node.
#[derive(Clone, Copy, Debug)]
pub struct ThisNode<'a> {
    /// Where the agent is, and whether it is trusted
    pub settings: &'a Settings,
    /// What the calls belong to
    pub trace: &'a TraceContext,
}

impl<'a> Node for ThisNode<'a> {
    type Connection = Agent<'a>;
    type Waiting = Waiting;

    fn now(&self) -> Instant {
        Instant::now()
    }

    fn sleep(&self, pause: Duration) {
        sleep(pause);
    }

    fn connect(&self, deadline: Instant, watched: bool) -> Result<Agent<'a>, grpc::Error> {
        let Settings { socket, require_root_agent, .. } = self.settings;
        let connected = grpc::connect(socket, !require_root_agent, watched, deadline)?;
        Ok(Agent { channel: Channel::start(connected, deadline)?, trace: self.trace })
    }

    fn wait(&self, waiting: &mut Waiting, away: &grpc::Error, until: Instant) {
        waiting.wait(&self.settings.socket, away, until);
    }

    fn remove_link(&self, netns: &str, ifname: &str) {
        // The next agent says what is in its way.
        let _ = netns::remove_link(netns, ifname);
    }

    fn remember(&self) {
        last_seen::remember(&self.settings.socket);
    }

    fn forget(&self) {
        last_seen::forget(&self.settings.socket);
    }

    fn was_seen(&self, within: Duration) -> bool {
        last_seen::was_seen(&self.settings.socket, within)
    }
}

/// A connection to the agent.
pub struct Agent<'a> {
    channel: Channel,
    trace: &'a TraceContext,
}

impl Connection for Agent<'_> {
    fn call(&mut self, path: String, message: Bytes) -> Result<Bytes, grpc::Error> {
        self.channel.call(path, message, &mut self.trace.headers())
    }

    fn call_undecodable(&mut self, path: String) -> Result<Bytes, grpc::Error> {
        self.channel.call_undecodable(path)
    }

    fn peer_id(&self) -> Option<i32> {
        self.channel.peer().pid
    }

    fn peer_is_gone(&self) -> bool {
        self.channel.peer().is_gone()
    }
}

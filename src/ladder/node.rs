//! What the ladder needs of the node that it runs on. The plugin uses the real node; a
//! test uses a simulated one, with a clock of its own.

use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::grpc;

/// The node: its clock and its agent.
pub trait Node {
    /// How an agent is called.
    type Connection: Connection;

    /// What is kept from one attempt to connect to the next.
    type Waiting: Default;

    /// The time.
    fn now(&self) -> Instant;

    /// Lets time go by.
    fn sleep(&self, pause: Duration);

    /// Connects to the agent without waiting, for calls that end by `deadline`. If
    /// it is `watched`, the end of its process can be told.
    ///
    /// # Errors
    /// Why there is no connection.
    fn connect(&self, deadline: Instant, watched: bool) -> Result<Self::Connection, grpc::Error>;

    /// Waits until it is time to try to connect again, at most until `until`, after
    /// connecting said that the agent is `away`.
    fn wait(&self, waiting: &mut Self::Waiting, away: &grpc::Error, until: Instant);

    /// Removes the interface `ifname` from the network namespace `netns`, if it is
    /// there and may be removed.
    fn remove_link(&self, netns: &str, ifname: &str);

    /// Writes down that the agent was seen now.
    fn remember(&self);

    /// Forgets that the agent was seen.
    fn forget(&self);

    /// Whether the agent was seen less than `within` ago.
    fn was_seen(&self, within: Duration) -> bool;
}

/// A connection to an agent.
pub trait Connection {
    /// Makes one unary call.
    ///
    /// # Errors
    /// Why there is no reply.
    fn call(&mut self, path: String, message: Bytes) -> Result<Bytes, grpc::Error>;

    /// Makes a unary call whose message no agent can decode, so that it has no effect:
    /// UNIMPLEMENTED means that the agent lacks the method, any other status that it has
    /// it.
    ///
    /// # Errors
    /// Why there is no reply.
    fn call_undecodable(&mut self, path: String) -> Result<Bytes, grpc::Error>;

    /// The process at the other end, where it is known.
    fn peer_id(&self) -> Option<i32>;

    /// Whether that process, which was watched, is certainly gone.
    fn peer_is_gone(&self) -> bool;
}

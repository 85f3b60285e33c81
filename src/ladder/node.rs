//! What the ladder needs of the node that it runs on. The plugin's is the real
//! one; a test has its own, with a clock that it turns itself.

use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::grpc;

/// The node: its clock and its agent.
pub trait Node {
    /// How an agent is called.
    type Connection: Connection;

    /// The time.
    fn now(&self) -> Instant;

    /// Lets time go by.
    fn sleep(&self, pause: Duration);

    /// Connects to the agent without waiting, for calls that end by `deadline`.
    ///
    /// # Errors
    /// Why there is no connection.
    fn connect(&self, deadline: Instant) -> Result<Self::Connection, grpc::Error>;
}

/// A connection to an agent.
pub trait Connection {
    /// Makes one unary call.
    ///
    /// # Errors
    /// Why there is no reply.
    fn call(&mut self, path: String, message: Bytes) -> Result<Bytes, grpc::Error>;

    /// Whether the process at the other end is certainly gone.
    fn peer_is_gone(&self) -> bool;
}

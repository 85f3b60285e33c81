// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Defines what the client needs of the node. The plugin implements it for the real node, and a
//! test for a simulated one with its own clock.

use std::io;
use std::rc::Rc;
use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::deadline::{Deadline, LastChange};
use crate::grpc;
use crate::input::CmdArgs;

/// Gives access to the clock, the agent, and the files beside the agent's socket.
pub trait Node {
    /// Calls an agent.
    type Connection: Connection;

    /// Identifies a network namespace.
    type Netns: Copy;

    /// Stores owed DELs.
    type Owed: OwedDels;

    /// Returns the current time.
    fn now(&self) -> Instant;

    /// Sleeps for `pause`.
    fn sleep(&self, pause: Duration);

    /// Connects to the agent without waiting, for calls that end by `deadline`. With `track_peer`,
    /// the connection can tell when the agent's process ends.
    ///
    /// # Errors
    /// The reason why there is no connection.
    fn connect(
        &self,
        deadline: &Rc<Deadline>,
        track_peer: bool,
    ) -> Result<Self::Connection, grpc::Error>;

    /// Returns a function that tells of the last change of the container runtime's folder of network
    /// configurations.
    fn last_conf_change(&self) -> LastChange;

    /// Records that a command ends now that may have delayed the reading of a change.
    fn record_delay(&self);

    /// Returns the network namespace that `CNI_NETNS` led to before anything was sent.
    fn netns(&self) -> Option<Self::Netns>;

    /// Returns whether there is certainly no network namespace at `path`.
    fn netns_is_gone(&self, path: &str) -> bool;

    /// Returns whether `name`, a configuration's `type`, means this plugin.
    fn is_own_type(&self, name: &str) -> bool;

    /// Removes the interface `ifname` from the network namespace at `path`, if that is still
    /// `netns` and the interface is a veth.
    fn remove_veth(&self, path: &str, netns: Self::Netns, ifname: &str);

    /// Stores an owed DEL that is due after `later`. Returns `false` if it cannot be stored.
    fn store_owed_del(&self, args: &CmdArgs, later: Duration) -> bool;

    /// Opens the folder of owed DELs. Returns `None` if nothing is owed.
    ///
    /// # Errors
    /// The folder cannot be read now, so whether a DEL is owed is unknown.
    fn open_owed_dels(&self) -> io::Result<Option<Self::Owed>>;

    /// Returns whether the agent was seen less than `within` ago.
    fn was_seen(&self, within: Duration) -> bool;
}

/// Calls an agent on one connection.
pub trait Connection {
    /// Makes one unary RPC.
    ///
    /// # Errors
    /// The reason why there is no reply.
    fn call(&mut self, path: String, message: Bytes) -> Result<Bytes, grpc::Error>;

    /// Makes a unary RPC whose message no agent can decode, so that it has no effect. UNIMPLEMENTED
    /// means that the agent lacks the method; any other status means that it has it.
    ///
    /// # Errors
    /// The reason why there is no reply.
    fn probe_method(&mut self, path: String) -> Result<Bytes, grpc::Error>;

    /// Returns the id of the process that listens on the socket, if the kernel tells it.
    fn peer_id(&self) -> Option<i32>;

    /// Returns whether that tracked process had certainly ended when the connection was made.
    /// Either it is just ending, or another process inherited its socket.
    fn peer_was_gone(&self) -> bool;

    /// Returns whether that tracked process has certainly ended.
    fn peer_is_gone(&self) -> bool;

    /// Returns whether that process is certainly alive.
    fn peer_is_alive(&self) -> bool;
}

/// Gives access to the owed DELs of a node.
pub trait OwedDels {
    /// Names one owed DEL.
    type Entry;

    /// Keeps other processes from sending a DEL until it is dropped.
    type Claim;

    /// Finds the owed DEL for the container and interface of `args`, whether it is due or not.
    ///
    /// # Errors
    /// Whether one is owed cannot be determined.
    fn find(&self, args: &CmdArgs) -> io::Result<Option<Self::Entry>>;

    /// Returns the DELs that are due, oldest first.
    fn due(&self) -> Vec<Self::Entry>;

    /// Allows this process alone to send the DELs that are due. Returns `false` if another process
    /// sends them.
    fn try_lock(&self) -> bool;

    /// Claims a DEL and reads it.
    ///
    /// # Errors
    /// [`WouldBlock`](io::ErrorKind::WouldBlock): another process has claimed it.
    /// [`NotFound`](io::ErrorKind::NotFound): it was removed.
    /// [`InvalidData`](io::ErrorKind::InvalidData): it is not a stored DEL.
    /// Others: it cannot be read now.
    fn claim(&self, entry: &Self::Entry) -> io::Result<(Self::Claim, CmdArgs)>;

    /// Removes a DEL that is done or invalid. Returns `false` if it cannot be removed.
    fn remove(&self, entry: &Self::Entry) -> bool;

    /// Delays a DEL that no agent answered.
    fn postpone(&self, entry: &Self::Entry, claim: &Self::Claim);

    /// Returns whether the DEL is for the container and interface of `args`.
    fn is_for(entry: &Self::Entry, args: &CmdArgs) -> bool;

    /// Returns the container and interface of a DEL, as `CONTAINER@INTERFACE`.
    fn key(entry: &Self::Entry) -> String;
}

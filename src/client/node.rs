//! What asking an agent needs of the node. The plugin uses the real node; a test uses a
//! simulated one, with a clock of its own.

use std::io;
use std::rc::Rc;
use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::deadline::{Changed, Deadline};
use crate::grpc;
use crate::input::CmdArgs;

/// The node: its clock, its agent, and what is kept beside the agent's socket.
pub trait Node {
    /// How an agent is called.
    type Connection: Connection;

    /// What tells a network namespace from another one.
    type Netns: Copy;

    /// The DELs that are owed.
    type Owed: OwedDels;

    /// Returns the time.
    fn now(&self) -> Instant;

    /// Lets time go by.
    fn sleep(&self, pause: Duration);

    /// Connects to the agent without waiting, for calls that end by `deadline`. If
    /// it is `watched`, the end of its process can be told.
    ///
    /// # Errors
    /// Why there is no connection.
    fn connect(
        &self,
        deadline: &Rc<Deadline>,
        track_peer: bool,
    ) -> Result<Self::Connection, grpc::Error>;

    /// Returns what tells how long ago the runtime's folder of network configurations
    /// changed.
    fn conf_dir_changed(&self) -> Changed;

    /// Returns which network namespace the call's path led to before anything was sent.
    fn netns(&self) -> Option<Self::Netns>;

    /// Returns whether there certainly is no network namespace at `path`.
    fn netns_is_gone(&self, path: &str) -> bool;

    /// Returns whether `name` is this plugin's, as a configuration's `type`.
    fn is_own_type(&self, name: &str) -> bool;

    /// Removes the interface `ifname` from the network namespace at `path`, if that is
    /// still `netns`, and the interface is a veth.
    fn remove_veth(&self, path: &str, netns: Self::Netns, ifname: &str);

    /// Writes down a DEL that is due `later`. Returns `false` if it cannot be kept.
    fn owe(&self, args: &CmdArgs, later: Duration) -> bool;

    /// Opens the DELs that are owed, if any may be.
    ///
    /// # Errors
    /// It cannot be known, for want of descriptors or memory.
    fn owed(&self) -> io::Result<Option<Self::Owed>>;

    /// Returns whether the agent was seen less than `within` ago.
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
    fn probe_method(&mut self, path: String) -> Result<Bytes, grpc::Error>;

    /// Returns the process that listens on the socket, where it is known.
    fn peer_id(&self) -> Option<i32>;

    /// Returns whether that process, which was to be track_peer, had certainly ended when the
    /// connection was made: it is just ending, or has left its socket to others.
    fn peer_was_gone(&self) -> bool;

    /// Returns whether that process, which was track_peer, is certainly gone.
    fn peer_is_gone(&self) -> bool;

    /// Returns whether that process certainly lives now.
    fn peer_is_alive(&self) -> bool;
}

/// The DELs that are owed.
pub trait OwedDels {
    /// One of them.
    type Entry;

    /// Keeps others from sending one, until it is dropped.
    type Claim;

    /// Returns one for the same container and interface, due or not, if there is one.
    ///
    /// # Errors
    /// It cannot be known.
    fn find(&self, args: &CmdArgs) -> io::Result<Option<Self::Entry>>;

    /// Returns those that are due, oldest first.
    fn due(&self) -> Vec<Self::Entry>;

    /// Lets one process at a time send those that are due. Returns `false` if another one
    /// does.
    fn try_lock(&self) -> bool;

    /// Claims one, and reads it.
    ///
    /// # Errors
    /// [`WouldBlock`](io::ErrorKind::WouldBlock): another process has it.
    /// [`NotFound`](io::ErrorKind::NotFound): it is gone.
    /// [`InvalidData`](io::ErrorKind::InvalidData): it is none. Others: it cannot be read now.
    fn claim(&self, entry: &Self::Entry) -> io::Result<(Self::Claim, CmdArgs)>;

    /// Removes one that an agent answered, or that is none. Returns `false` if it stays.
    fn remove(&self, entry: &Self::Entry) -> bool;

    /// Leaves one that no agent answered alone for a while.
    fn postpone(&self, entry: &Self::Entry, claim: &Self::Claim);

    /// Returns whether it is for the container and interface of `args`.
    fn is_for(entry: &Self::Entry, args: &CmdArgs) -> bool;

    /// Says whose it is: `CONTAINER@INTERFACE`.
    fn key(entry: &Self::Entry) -> String;
}

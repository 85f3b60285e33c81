//! gRPC over a unix socket: one connection, one call after another, and whose
//! fault it is when a call has no reply. Nothing here knows what is called.
//!
//! ```text
//! channel ──▶ transport ──▶ stream ──▶ socket ──▶ peer
//! one call    HTTP/2        reads,     connects   who is there
//!             to gRPC       waits         ▲
//!                                      waiting
//!                                      for a server that is away
//! ```

mod channel;
mod codec;
mod error;
mod flood;
mod peer;
mod socket;
mod stream;
mod transport;
mod waiting;

pub use self::channel::Channel;
pub use self::error::Error;
pub use self::peer::Peer;
pub use self::socket::connect;
pub use self::waiting::Waiting;

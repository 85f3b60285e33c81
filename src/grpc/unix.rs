//! A unix socket.
//!
//! ```text
//! stream ──▶ socket ──▶ peer
//! reads,     connects   who is there
//! waits         ▲
//!            waiting
//!            for a server that is away
//! ```

mod peer;
mod socket;
mod stream;
mod waiting;

pub use self::peer::Peer;
pub use self::socket::connect;
pub(super) use self::stream::Stream;
pub use self::waiting::Waiting;

//! A named pipe.
//!
//! ```text
//! stream ──▶ pipe ──▶ peer       waiting
//! reads,     connects who is     for a server
//! waits               there      that is away
//! ```

mod peer;
mod pipe;
mod stream;
mod waiting;

pub use self::peer::Peer;
pub use self::pipe::connect;
pub(super) use self::stream::Stream;
pub use self::waiting::Waiting;

//! gRPC over a unix socket, or a named pipe on Windows: one connection, one call after
//! another, and whose fault it is when a call has no reply. Nothing here knows what is
//! called.
//!
//! ```text
//! channel ──▶ transport ──▶ unix, windows
//! one call    HTTP/2        connects, reads, waits;
//!             to gRPC       who is there
//! ```

mod channel;
mod error;
mod flood;
mod transport;
#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
use self::unix as system;
#[cfg(windows)]
use self::windows as system;

pub use self::channel::Channel;
pub use self::error::Error;
pub use self::system::{Peer, connect};

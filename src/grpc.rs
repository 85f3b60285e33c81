// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Makes gRPC calls over a unix socket, or over a named pipe on Windows: one connection, and one
//! RPC after another. Tells whether the server, the call or the connection failed. Knows nothing of
//! CNI.
//!
//! ```text
//! channel ──▶ transport ──▶ unix, windows
//! one RPC     HTTP/2 to     connects, reads,
//!             gRPC          waits; who is there
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

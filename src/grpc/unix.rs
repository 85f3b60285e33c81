// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Connects, reads and writes a unix socket.
//!
//! ```text
//! stream ──▶ socket ──▶ peer
//! reads,     connects   who is there
//! waits
//! ```

mod peer;
mod socket;
mod stream;
mod woken;

pub use self::peer::Peer;
pub use self::socket::connect;
pub(super) use self::stream::Stream;

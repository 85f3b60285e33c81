// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Connects, reads and writes a named pipe.
//!
//! ```text
//! stream ──▶ pipe ──▶ peer
//! reads,     connects who is there
//! waits
//! ```

mod peer;
mod pipe;
mod stream;

pub use self::peer::Peer;
pub use self::pipe::connect;
pub(super) use self::stream::Stream;

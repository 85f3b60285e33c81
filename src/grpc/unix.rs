// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Connects, reads and writes a unix socket.
//!
//! ```text
//! socket ──▶ peer        connects ──▶ who is there
//!   └──────▶ stream ◀── block_on
//!            reads,     runs a call
//!            writes     until it is done
//! ```

mod block_on;
mod peer;
mod socket;
mod stream;

pub use self::peer::Peer;
pub use self::socket::connect;
pub(super) use self::stream::Stream;

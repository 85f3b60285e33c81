// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Listens on a unix socket, or on a named pipe on Windows.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
pub(crate) use self::unix::{Listener, Stream, is_private, remove};
#[cfg(windows)]
pub(crate) use self::windows::{Listener, Stream, is_private, remove};

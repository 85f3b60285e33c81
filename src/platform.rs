// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Hides the differences between operating systems: standard input and output, files, and network
//! namespaces. The socket is in [`grpc`](crate::grpc).

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
pub(crate) use self::unix::{files, folder, netns, paths, stdio};
#[cfg(windows)]
pub(crate) use self::windows::{files, folder, netns, paths, stdio};

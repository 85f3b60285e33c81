// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Hides the differences between Unix and Windows: modes, owners, links, the identity of a file,
//! renames of files in use, and signals.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
pub(crate) use self::unix::*;
#[cfg(windows)]
pub(crate) use self::windows::*;

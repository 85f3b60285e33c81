// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Implements the platform for Linux, and for macOS as far as kubectl's plugin needs it.

pub(crate) mod files;
pub(crate) mod folder;
// macOS has no network namespaces, either.
#[cfg_attr(not(target_os = "linux"), path = "windows/netns.rs")]
pub(crate) mod netns;
pub(crate) mod paths;
pub(crate) mod stdio;

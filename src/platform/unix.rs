// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Implements the platform for Linux.

pub(crate) mod files;
pub(crate) mod folder;
pub(crate) mod netns;
pub(crate) mod paths;
pub(crate) mod stdio;

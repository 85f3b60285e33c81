// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Contains the commands, one module each.

pub(crate) mod bundle;
pub(crate) mod check_config;
pub(crate) mod fleet;
pub(crate) mod install;
pub(crate) mod log;
pub(crate) mod owed;
pub(crate) mod probe;
pub(crate) mod settings;
pub(crate) mod status;

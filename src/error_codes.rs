// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Codes of CNI errors: of the CNI specification (1 to 11, 50, 999) and of Antrea (201, 202).

pub(crate) const INCOMPATIBLE_CNI_VERSION: u32 = 1;
pub(crate) const INVALID_ENVIRONMENT_VARIABLES: u32 = 4;
pub(crate) const IO_FAILURE: u32 = 5;
pub(crate) const DECODING_FAILURE: u32 = 6;
pub(crate) const INVALID_NETWORK_CONFIG: u32 = 7;
pub(crate) const INVALID_NETNS: u32 = 8;
pub(crate) const TRY_AGAIN_LATER: u32 = 11;
pub(crate) const PLUGIN_NOT_AVAILABLE: u32 = 50;
pub(crate) const UNKNOWN_RPC_ERROR: u32 = 201;
pub(crate) const INCOMPATIBLE_API_VERSION: u32 = 202;
pub(crate) const INTERNAL: u32 = 999;

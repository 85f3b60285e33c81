// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Codes of CNI errors: of the CNI specification (1 to 7, 11, 50), of libcni (8, 999) and of Antrea
//! (201, 202).

/// The `cniVersion` is not supported
pub const INCOMPATIBLE_CNI_VERSION: u32 = 1;
/// A variable is missing or invalid
pub const INVALID_ENVIRONMENT_VARIABLES: u32 = 4;
/// Input cannot be read
pub const IO_FAILURE: u32 = 5;
/// JSON cannot be decoded
pub const DECODING_FAILURE: u32 = 6;
/// The network configuration or a setting is invalid
pub const INVALID_NETWORK_CONFIG: u32 = 7;
/// The network namespace cannot be used
pub const INVALID_NETNS: u32 = 8;
/// The container runtime should try again
pub const TRY_AGAIN_LATER: u32 = 11;
/// STATUS: an ADD cannot be done now
pub const PLUGIN_NOT_AVAILABLE: u32 = 50;
/// Antrea: the RPC failed
pub const UNKNOWN_RPC_ERROR: u32 = 201;
/// Antrea: no common API
pub const INCOMPATIBLE_API_VERSION: u32 = 202;
/// A failure of the plugin itself
pub const INTERNAL: u32 = 999;

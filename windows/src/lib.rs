// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! What the standard library and tokio do not offer of Windows: the process behind a
//! named pipe, its user and its end, whose a file is, and a folder of the system's own.
//! Empty on other systems.
#![cfg(windows)]

mod file;
mod process;
mod security;
mod token;

pub use self::file::{
    Identity, Owner, create_private_folder, identity, own, owner, owner_is_trusted,
};
pub use self::process::{Process, server_process_id};

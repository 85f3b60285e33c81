// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Files of the repository that tests write.

use std::fs;
use std::path::Path;

/// Compares a file, named from the root of the repository, with what it should be. With `UPDATE=1`
/// in the environment it is written instead.
pub fn check_file(name: &str, text: &str) -> Result<(), String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(name);
    if std::env::var_os("UPDATE").is_some() {
        return fs::write(path, text).map_err(|error| format!("{name}: {error}"));
    }
    match fs::read_to_string(path) {
        Ok(there) if there == text => Ok(()),
        _ => Err(format!("{name} is old: run this test with UPDATE=1")),
    }
}

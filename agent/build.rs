// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Compiles the messages of the newest API: those of the older ones are the
//! same on the wire.

use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=../proto");
    prost_build::Config::new()
        .compile_fds(protox::compile(["../proto/v1/cni.proto"], ["../proto"])?)?;
    Ok(())
}

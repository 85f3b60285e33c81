// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Compiles every `proto/*/cni.proto`; a new API version needs no edit here.

use std::error::Error;
use std::fmt::Write as _;
use std::{env, fs};

use prost_types::method_options::IdempotencyLevel;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=proto");
    if env::var("TARGET")? == "x86_64-unknown-linux-musl" {
        // GNU ld starts each part on a page of its own: 8 KiB of nothing in a small file.
        // rust-lld, which links the others, does not.
        println!("cargo::rustc-link-arg-bins=-Wl,-z,noseparate-code");
    }
    for version in fs::read_dir("proto")? {
        let folder = version?.path();
        let end = format!(".{}", folder.file_name().unwrap_or_default().display());
        let proto = protox::compile([folder.join("cni.proto")], ["proto"])?;
        if !proto.file.iter().any(|it| it.package().ends_with(&end)) {
            let folder = folder.display();
            return Err(format!("{folder}/cni.proto: its package has to end with {end}").into());
        }
        prost_build::Config::new().service_generator(Box::new(Names)).compile_fds(proto)?;
    }
    Ok(())
}

/// Writes the names of a service and its methods as constants, so that the
/// paths on the wire, and what may be repeated, come from the proto and from
/// nowhere else.
struct Names;

impl prost_build::ServiceGenerator for Names {
    fn generate(&mut self, service: prost_build::Service, out: &mut String) {
        let _ = writeln!(out, "pub const PACKAGE: &str = {:?};", service.package);
        let _ = writeln!(out, "pub const SERVICE: &str = {:?};", service.proto_name);
        for method in &service.methods {
            let (constant, name) = (method.name.to_uppercase(), &method.proto_name);
            let may_be_repeated =
                method.options.idempotency_level() != IdempotencyLevel::IdempotencyUnknown;
            let _ = writeln!(
                out,
                "pub const {constant}: super::Method = super::Method {{ name: {name:?}, may_be_repeated: {may_be_repeated} }};"
            );
        }
    }
}

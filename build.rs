//! Compiles every `proto/*/cni.proto`; a new API version needs no edit here.

use std::error::Error;
use std::fmt::Write as _;
use std::fs;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=proto");
    for version in fs::read_dir("proto")? {
        let file = version?.path().join("cni.proto");
        prost_build::Config::new()
            .service_generator(Box::new(Names))
            .compile_fds(protox::compile([file], ["proto"])?)?;
    }
    Ok(())
}

/// Writes the names of a service and its methods as constants, so that the
/// paths on the wire come from the proto and from nowhere else.
struct Names;

impl prost_build::ServiceGenerator for Names {
    fn generate(&mut self, service: prost_build::Service, out: &mut String) {
        let methods: Vec<_> = service.methods.iter().map(|method| &method.proto_name).collect();
        let _ = writeln!(out, "pub const PACKAGE: &str = {:?};", service.package);
        let _ = writeln!(out, "pub const METHODS: &[&str] = &{methods:?};");
    }
}

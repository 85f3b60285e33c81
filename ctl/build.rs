// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Embeds the plugin that `ANTREA_CNI_EMBED` names, so that one file installs
//! it. Without the variable the tool is the same but for `install --from`.

use std::path::Path;
use std::{env, fs};

const VARIABLE: &str = "ANTREA_CNI_EMBED";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rustc-check-cfg=cfg(embedded)");
    println!("cargo::rerun-if-env-changed={VARIABLE}");
    if let Some(plugin) = env::var_os(VARIABLE) {
        let plugin = Path::new(&plugin);
        println!("cargo::rerun-if-changed={}", plugin.display());
        let folder = env::var_os("OUT_DIR").ok_or("no OUT_DIR")?;
        fs::copy(plugin, Path::new(&folder).join("plugin"))
            .map_err(|error| format!("{VARIABLE}={}: {error}", plugin.display()))?;
        println!("cargo::rustc-cfg=embedded");
    }
    Ok(())
}

// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Converts a CNI result to another version of the CNI specification.

use super::comparable::Cidr;
use super::object::{Error, Object, parse_string};

/// Converts a result to `version`: its `cniVersion` and its shape. The version that the result names,
/// or `default_version` if it names none, has to be known. A result that needs no change stays the
/// same, byte for byte.
pub(super) fn convert(text: &str, default_version: &str, version: &str) -> Result<String, Error> {
    let mut result = Object::parse(text)?;
    let written_version = result.cni_version()?.unwrap_or_else(|| default_version.to_owned());
    // Agents may write one `cniVersion` and the shape of another version. So the written version
    // does not decide how the result is read.
    shape_of(&written_version)?;
    shape_of(version)?(&mut result)?;
    result.set("cniVersion", &version);
    if !result.is_changed() {
        return Ok(text.to_owned());
    }
    // libcni prints no empty `dns` from 1.0.0 on.
    let has_no_dns = |dns| Object::parse(dns).is_ok_and(|dns| dns.is_empty());
    if !is_with_address_family(version) && result.get("dns").is_some_and(has_no_dns) {
        result.remove("dns");
    }
    Ok(result.to_string())
}

/// Returns whether a result already has the `cniVersion` and the shape of `version`.
pub(super) fn is_in(result: &str, version: &str) -> bool {
    let written_version = Object::parse(result).and_then(|it| it.cni_version());
    written_version.is_ok_and(|it| it.as_deref() == Some(version))
        && convert(result, version, version).is_ok_and(|it| it == result)
}

/// Changes a result to the shape of a version.
type Shape = fn(&mut Object) -> Result<(), Error>;

/// Returns the function that gives a result the shape of `version`. Only versions from 0.3.0 on are
/// known.
fn shape_of(version: &str) -> Result<Shape, Error> {
    match version {
        version if is_with_address_family(version) => Ok(with_address_family),
        "1.0.0" | "1.1.0" => Ok(without_address_family),
        other => Err(Error::UnknownVersion(other.to_owned())),
    }
}

fn is_with_address_family(version: &str) -> bool {
    matches!(version, "0.3.0" | "0.3.1" | "0.4.0")
}

/// Gives a result the shape of 0.3.0 to 0.4.0: addresses have a `version`, and interfaces have only
/// name, MAC and sandbox.
fn with_address_family(result: &mut Object) -> Result<(), Error> {
    result.each("ips", |ip| {
        let address = parse_string(ip.get("address").unwrap_or("\"\""))?;
        let family = Cidr::parse(&address).ok_or(Error::Address(address))?.family();
        ip.set("version", &family);
        Ok(())
    })?;
    result.each("interfaces", |interface| {
        for name in ["mtu", "socketPath", "pciID"] {
            interface.remove(name);
        }
        Ok(())
    })
}

/// Gives a result the shape of 1.0.0 and 1.1.0: addresses have no `version`. Agents since v1.11.0
/// leave it out under 0.4.0, too.
fn without_address_family(result: &mut Object) -> Result<(), Error> {
    // An `ips` that is not an array of objects stays unchanged, and is not an error.
    let _ = result.each("ips", |ip| {
        ip.remove("version");
        Ok(())
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    /// Compares with what libcni makes of the same results. `tests/interop/go/golden` wrote the
    /// file.
    #[test]
    fn libcni_converts_alike() {
        let golden = include_str!("../../../tests/fixtures/translation-golden.jsonl");
        let mut compared = 0;
        for line in golden.lines() {
            let case: Value = serde_json::from_str(line).unwrap();
            let [from, to] = ["from", "to"].map(|key| case[key].as_str().unwrap());
            let ours = convert(&case["input"].to_string(), from, to).unwrap();
            let ours: Value = serde_json::from_str(&ours).unwrap();
            assert_eq!(
                without_empty_dns(ours),
                without_empty_dns(case["output"].clone()),
                "{line}"
            );
            compared += 1;
        }
        assert_eq!(compared, 58);
    }

    /// Removes an empty `dns`, which some versions of libcni print and others do not.
    fn without_empty_dns(mut result: Value) -> Value {
        if let Some(result) = result.as_object_mut() {
            result.retain(|key, value| key != "dns" || *value != serde_json::json!({}));
        }
        result
    }
}

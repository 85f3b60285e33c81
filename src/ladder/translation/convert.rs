//! A result in another version of the CNI specification.

use super::common::Cidr;
use super::error::Error;
use super::object::{Object, text};

/// Puts a result into `version`: its label, and the shape that goes with it. It
/// is read by its own label, which is `unlabelled` where there is none.
pub(super) fn convert(result: &str, unlabelled: &str, version: &str) -> Result<String, Error> {
    let mut result = Object::parse(result)?;
    let label = result.label()?.unwrap_or_else(|| unlabelled.to_owned());
    // Agents label a result with one version and give it the shape of another, so the
    // label does not decide how it is read.
    shape(&label)?;
    shape(version)?(&mut result)?;
    result.set("cniVersion", &version);
    Ok(result.to_string())
}

/// Puts a result into the shape of a version.
type Shape = fn(&mut Object) -> Result<(), Error>;

/// What of a result changes between the versions from 0.3.0 on.
fn shape(version: &str) -> Result<Shape, Error> {
    match version {
        "0.3.0" | "0.3.1" | "0.4.0" => Ok(with_address_family),
        "1.0.0" | "1.1.0" => Ok(without_address_family),
        other => Err(Error::Label(other.to_owned())),
    }
}

/// 0.3.0 to 0.4.0: addresses say of which family they are; interfaces have no more
/// than name, MAC and sandbox.
fn with_address_family(result: &mut Object) -> Result<(), Error> {
    result.each("ips", |ip| {
        let address = text(ip.get("address").unwrap_or("\"\""))?;
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

/// 1.0.0 and 1.1.0: addresses do not say of which family they are. Agents since
/// v1.11.0 leave that out also under a 0.4.0 label, so it may be missing already.
fn without_address_family(result: &mut Object) -> Result<(), Error> {
    // Nothing has to be known of an address to leave that out: what is no list of
    // objects stays as it is.
    let _ = result.each("ips", |ip| {
        ip.remove("version");
        Ok(())
    });
    if result.get("dns").is_some_and(|dns| Object::parse(dns).is_ok_and(|dns| dns.is_empty())) {
        result.remove("dns");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    /// What libcni makes of the same results; `tests/interop/go/golden` wrote
    /// the file.
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

    /// Whether an empty `dns` is printed is up to the version of libcni.
    fn without_empty_dns(mut result: Value) -> Value {
        if let Some(result) = result.as_object_mut() {
            result.retain(|key, value| key != "dns" || *value != serde_json::json!({}));
        }
        result
    }
}

//! A result in another version of the CNI specification.

use super::comparable::Cidr;
use super::object::{Error, Object, parse_string};

/// Puts a result into `version`: its label, and the shape that goes with it. Reads the
/// result by its own `cniVersion`, or by `default_version` if it has none. A result that is
/// right already stays as it is, byte for byte.
pub(super) fn convert(text: &str, default_version: &str, version: &str) -> Result<String, Error> {
    let mut result = Object::parse(text)?;
    let label = result.cni_version()?.unwrap_or_else(|| default_version.to_owned());
    // Agents label a result with one version and give it the shape of another, so the
    // label does not decide how it is read.
    shape(&label)?;
    shape(version)?(&mut result)?;
    result.set("cniVersion", &version);
    if !result.is_changed() {
        return Ok(text.to_owned());
    }
    // libcni prints none from 1.0.0 on.
    let has_no_dns = |dns| Object::parse(dns).is_ok_and(|dns| dns.is_empty());
    if !is_with_address_family(version) && result.get("dns").is_some_and(has_no_dns) {
        result.remove("dns");
    }
    Ok(result.to_string())
}

/// Returns whether a result is in `version` already: its label, and its shape.
pub(super) fn is_in(result: &str, version: &str) -> bool {
    let label = Object::parse(result).and_then(|it| it.cni_version());
    label.is_ok_and(|it| it.as_deref() == Some(version))
        && convert(result, version, version).is_ok_and(|it| it == result)
}

/// Puts a result into the shape of a version.
type Shape = fn(&mut Object) -> Result<(), Error>;

/// What of a result changes between the versions from 0.3.0 on.
fn shape(version: &str) -> Result<Shape, Error> {
    match version {
        version if is_with_address_family(version) => Ok(with_address_family),
        "1.0.0" | "1.1.0" => Ok(without_address_family),
        other => Err(Error::Label(other.to_owned())),
    }
}

fn is_with_address_family(version: &str) -> bool {
    matches!(version, "0.3.0" | "0.3.1" | "0.4.0")
}

/// 0.3.0 to 0.4.0: addresses say of which family they are; interfaces have no more
/// than name, MAC and sandbox.
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

/// 1.0.0 and 1.1.0: addresses do not say of which family they are. Agents since
/// v1.11.0 leave that out also under a 0.4.0 label, so it may be missing already.
fn without_address_family(result: &mut Object) -> Result<(), Error> {
    // Nothing has to be known of an address to leave that out: what is no list of
    // objects stays as it is.
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

//! The same call in a lower version of the CNI specification, and its result
//! back in the configuration's.
//!
//! Runtimes ask for STATUS and GC only where the configuration says 1.1.0, but
//! agents before v2.1.0 refuse that, and those before v1.11.0 also 1.0.0, for
//! every command. A refusal (code 1) is made before anything has an effect, in
//! every release, so the call can be sent again in a lower version.
//!
//! Nothing of the configuration changes but the values of `cniVersion` and
//! `prevResult`: [`request`] finds them as spans of its bytes.

mod object;
mod request;
mod result;
mod v040;
mod v1;

use thiserror::Error;

pub(crate) use self::request::Translation;

/// Why a document cannot be put into another version.
#[derive(Debug, Error, PartialEq, Eq)]
pub(crate) enum Error {
    /// `prevResult` is there twice; Go merges the two.
    #[error("prevResult is there more than once")]
    Ambiguous,
    /// Not a JSON object, or not the types that a CNI result has.
    #[error("it is not a CNI result")]
    NotAResult,
    /// Its own `cniVersion` is none from 0.3.0 to 1.1.0.
    #[error("its cniVersion is {0:?}")]
    Label(String),
    /// An address that is not in CIDR notation.
    #[error("it has the address {0:?}")]
    Address(String),
}

/// What of a result changes between the versions from 0.3.0 on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    /// 0.3.0, 0.3.1 and 0.4.0
    V040,
    /// 1.0.0 and 1.1.0
    V1,
}

impl Shape {
    fn of(version: &str) -> Result<Self, Error> {
        match version {
            "0.3.0" | "0.3.1" | "0.4.0" => Ok(Self::V040),
            "1.0.0" | "1.1.0" => Ok(Self::V1),
            other => Err(Error::Label(other.to_owned())),
        }
    }
}

/// Puts a result into `version`: its label, and the shape that goes with it. It
/// is read by its own label, which is `unlabelled` where there is none.
fn convert(result: &str, unlabelled: &str, version: &str) -> Result<String, Error> {
    let mut result = object::Object::parse(result)?;
    let label = match result.get("cniVersion") {
        Some(label) => object::text(label)?,
        None => unlabelled.to_owned(),
    };
    // Both shapes are read alike: an agent's label does not say its shape.
    Shape::of(&label)?;
    match Shape::of(version)? {
        Shape::V040 => v040::shape(&mut result)?,
        Shape::V1 => v1::shape(&mut result)?,
    }
    result.set("cniVersion", &version);
    Ok(result.to_string())
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    /// What libcni makes of the same results; `tests/interop/go/golden` wrote
    /// the file.
    #[test]
    fn libcni_converts_alike() {
        let golden = include_str!("../tests/fixtures/translation-golden.jsonl");
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

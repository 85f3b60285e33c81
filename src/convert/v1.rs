//! The shape of 1.0.0 and 1.1.0.

use super::Error;
use super::object::Object;

/// Addresses do not say of which family they are. Agents since v1.11.0 leave
/// that out also under a 0.4.0 label, so it may be missing already.
pub(super) fn shape(result: &mut Object) -> Result<(), Error> {
    result.each("ips", |ip| {
        ip.remove("version");
        Ok(())
    })?;
    if result.get("dns").is_some_and(|dns| Object::parse(dns).is_ok_and(|dns| dns.is_empty())) {
        result.remove("dns");
    }
    Ok(())
}

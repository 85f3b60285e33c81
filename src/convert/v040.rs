//! The shape of 0.3.0 to 0.4.0.

use super::Error;
use super::object::{Object, text};
use super::result::Cidr;

/// Addresses say of which family they are; interfaces have no more than name,
/// MAC and sandbox.
pub(super) fn shape(result: &mut Object) -> Result<(), Error> {
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

// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Reads what CNI results have in common in all versions from 0.3.0 on, to compare two results, and
//! for the addresses in the log.

use std::net::IpAddr;

use serde::Deserialize;

use super::object::{self, Error};
use crate::json;

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(super) struct Comparable {
    interfaces: Option<Vec<Interface>>,
    ips: Option<Vec<Ip>>,
    routes: Option<Vec<Route>>,
    dns: Option<Dns>,
}

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
struct Interface {
    name: String,
    mac: String,
    sandbox: String,
}

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
struct Ip {
    address: String,
    gateway: Option<String>,
    interface: Option<i64>,
}

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
struct Route {
    dst: String,
    gw: Option<String>,
}

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
struct Dns {
    nameservers: Option<Vec<String>>,
    domain: String,
    search: Option<Vec<String>>,
    options: Option<Vec<String>>,
}

impl Comparable {
    pub(super) fn parse(result: &str) -> Result<Self, Error> {
        let mut common: Self = object::parse_value(result)?;
        common.normalize();
        Ok(common)
    }

    /// Replaces absent values with empty ones and writes addresses in canonical form, because an
    /// agent parses and prints them again.
    fn normalize(&mut self) {
        let canonical = |text: &mut String| {
            if let Some(cidr) = Cidr::parse(text) {
                *text = format!("{}/{}", cidr.address, cidr.prefix);
            } else if let Ok(address) = text.parse::<IpAddr>() {
                *text = address.to_canonical().to_string();
            }
        };
        self.interfaces.get_or_insert_default();
        for ip in self.ips.get_or_insert_default() {
            canonical(&mut ip.address);
            ip.gateway.iter_mut().for_each(canonical);
        }
        for route in self.routes.get_or_insert_default() {
            canonical(&mut route.dst);
            route.gw.iter_mut().for_each(canonical);
        }
        let dns = self.dns.get_or_insert_default();
        dns.nameservers.get_or_insert_default();
        dns.search.get_or_insert_default();
        dns.options.get_or_insert_default();
    }
}

/// Returns the addresses of a CNI result from 0.3.0 on, and none for any other input.
pub(crate) fn addresses(result: &[u8]) -> Vec<String> {
    let result = Comparable::parse(&json::text_lossy(result)).unwrap_or_default();
    result.ips.unwrap_or_default().into_iter().map(|ip| ip.address).collect()
}

/// Holds an IP address in CIDR notation.
pub(super) struct Cidr {
    address: IpAddr,
    prefix: u8,
}

impl Cidr {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = text.split_once('/')?;
        let address: IpAddr = address.parse().ok()?;
        let prefix = prefix.parse().ok()?;
        let longest = if address.is_ipv4() { 32 } else { 128 };
        (prefix <= longest).then_some(Self { address: address.to_canonical(), prefix })
    }

    /// Returns the `version` that an address has in the shape of 0.4.0.
    pub(super) fn family(&self) -> &'static str {
        if self.address.is_ipv4() { "4" } else { "6" }
    }
}

// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Writes the result of ADD in the shape of its `cniVersion`.

use serde_json::{Map, Value, json};

use crate::attachment::Attachment;

/// Returns the result of an ADD that created `attachment`.
pub(crate) fn for_attachment(attachment: &Attachment, version: &str) -> Vec<u8> {
    let address = attachment.address();
    let gateway = "10.10.0.1";
    let routes = json!([{"dst": "0.0.0.0/0", "gw": gateway}]);
    let result = if matches!(version, "0.1.0" | "0.2.0") {
        json!({
            "cniVersion": version,
            "ip4": {"ip": address, "gateway": gateway, "routes": routes},
            "dns": {},
        })
    } else {
        let mut ip = json!({"interface": 1, "address": address, "gateway": gateway});
        if version.starts_with("0.")
            && let Some(ip) = ip.as_object_mut()
        {
            ip.insert("version".to_owned(), "4".into());
        }
        let mac = |side: u8| format!("02:00:00:00:{side:02x}:{:02x}", attachment.host);
        json!({
            "cniVersion": version,
            "interfaces": [
                {"name": format!("pod-{}", attachment.host), "mac": mac(0)},
                {"name": attachment.ifname, "mac": mac(1), "sandbox": attachment.netns},
            ],
            "ips": [ip],
            "routes": routes,
            "dns": {},
        })
    };
    // Agents indent their results.
    serde_json::to_vec_pretty(&result).unwrap_or_default()
}

/// Returns `prevResult` as a chained agent does. Agents that accept nothing above 0.4.0 write that
/// version and its shape. Later agents write the shape of 1.0.0 under any `cniVersion`.
pub(crate) fn repeat_prev_result(
    configuration: &Map<String, Value>,
    version: &str,
    is_old: bool,
) -> Vec<u8> {
    let mut result = configuration.get("prevResult").cloned().unwrap_or_else(|| json!({}));
    let objects = |result: &mut Value, list: &str, change: &dyn Fn(&mut Map<String, Value>)| {
        let list = result.get_mut(list).and_then(Value::as_array_mut);
        list.into_iter().flatten().filter_map(Value::as_object_mut).for_each(change);
    };
    let version = if is_old { "0.4.0" } else { version };
    objects(&mut result, "ips", &|ip| {
        if !is_old {
            ip.remove("version");
        }
    });
    if is_old {
        objects(&mut result, "interfaces", &|interface| {
            interface.retain(|key, _| ["name", "mac", "sandbox"].contains(&&**key));
        });
        objects(&mut result, "routes", &|route| {
            route.retain(|key, _| ["dst", "gw"].contains(&&**key));
        });
    }
    if let Some(result) = result.as_object_mut() {
        result.insert("cniVersion".to_owned(), version.into());
    }
    serde_json::to_vec_pretty(&result).unwrap_or_default()
}

// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Finds the proxy to the API server in the environment, as kubectl does.

use std::env;
use std::net::IpAddr;

use http::Uri;
use hyper_util::client::proxy::matcher::Matcher;

use crate::error::Error;

/// Returns the proxy to a server by HTTPS_PROXY or HTTP_PROXY, unless NO_PROXY names the server.
/// This machine needs none (Go's `http.ProxyFromEnvironment`).
pub(super) fn of_environment(server: &Uri) -> Option<String> {
    let names = match server.scheme_str() {
        Some("http") => ["HTTP_PROXY", "http_proxy"],
        _ => ["HTTPS_PROXY", "https_proxy"],
    };
    let proxy = first_of(names)?;
    let host = server.host().unwrap_or_default();
    let address: Option<IpAddr> = host.trim_matches(['[', ']']).parse().ok();
    if host == "localhost" || address.is_some_and(|it| it.is_loopback()) {
        return None;
    }
    let no_proxy = first_of(["NO_PROXY", "no_proxy"]).unwrap_or_default();
    let matcher = Matcher::builder().all("http://proxy").no(no_proxy).build();
    matcher.intercept(server).map(|_| proxy)
}

/// Returns the first variable that is set and not empty.
fn first_of(names: [&str; 2]) -> Option<String> {
    names.into_iter().filter_map(|name| env::var(name).ok()).find(|it| !it.is_empty())
}

/// Parses the URL of a proxy. Without a scheme it is one of HTTP.
///
/// # Errors
/// It is no URL.
pub(super) fn parse(url: &str) -> Result<Uri, Error> {
    let with_scheme = if url.contains("://") { url.to_owned() } else { format!("http://{url}") };
    // The text may have a password.
    with_scheme.parse().map_err(|error| Error::Proxy(format!("{error}")))
}

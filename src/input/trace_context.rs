// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Reads the trace of a call: W3C Trace Context and W3C Baggage, from the environment variables
//! that OpenTelemetry defines. Invalid values are ignored without an error, because no Pod may fail
//! for its trace.

use std::ffi::OsString;

/// Most bytes that are passed on, including names. Servers based on grpc's C core refuse calls with
/// more than 8 KiB of metadata.
const MAX_BYTES: usize = 6 << 10;

/// Overhead of a header beside its name and value (RFC 9113, section 6.5.2).
const HEADER_BYTES: usize = 32;

/// Longest `traceparent` of a later version, in bytes.
const MAX_TRACEPARENT_BYTES: usize = 512;

/// Most members of a `tracestate` (W3C Trace Context, section 3.3.1.3.1).
const MAX_TRACESTATE_MEMBERS: usize = 32;

/// Most members of a `baggage` (its grammar).
const MAX_BAGGAGE_MEMBERS: usize = 180;

/// Bytes of a `traceparent` of version 00.
const TRACEPARENT_BYTES: usize = 55;

/// Holds a trace context. Invalid parts are absent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TraceContext {
    traceparent: Option<String>,
    tracestate: Option<String>,
    baggage: Option<String>,
}

impl TraceContext {
    /// Reads `TRACEPARENT`, `TRACESTATE` and `BAGGAGE`.
    pub fn from_environment(environment: &dyn Fn(&str) -> Option<OsString>) -> Self {
        let read = |name, is_valid: fn(&str) -> bool| {
            environment(name)?.into_string().ok().filter(|value| is_valid(value))
        };
        let traceparent = read("TRACEPARENT", is_traceparent);
        // A state without a parent has no meaning.
        let tracestate = traceparent.as_ref().and_then(|_| read("TRACESTATE", is_tracestate));
        let mut context = Self { traceparent, tracestate, baggage: read("BAGGAGE", is_baggage) };
        // The baggage is dropped first, the trace itself never.
        if context.baggage.is_some() && context.bytes() > MAX_BYTES {
            context.baggage = None;
        }
        if context.tracestate.is_some() && context.bytes() > MAX_BYTES {
            context.tracestate = None;
        }
        context
    }

    fn bytes(&self) -> usize {
        self.headers().map(|(name, value)| name.len() + value.len() + HEADER_BYTES).sum()
    }

    /// Returns the id of the trace: 32 hexadecimal digits.
    pub fn trace_id(&self) -> Option<&str> {
        self.traceparent.as_deref()?.get(3..35)
    }

    /// Returns the valid parts as header names and values.
    pub fn headers(&self) -> impl Iterator<Item = (&'static str, &str)> {
        [
            ("traceparent", &self.traceparent),
            ("tracestate", &self.tracestate),
            ("baggage", &self.baggage),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value.as_deref()?)))
    }
}

/// Checks `version-traceid-parentid-flags` (W3C Trace Context, section 3.2). A later version may
/// have more after that.
fn is_traceparent(value: &str) -> bool {
    let Some((known, rest)) = value.split_at_checked(TRACEPARENT_BYTES) else { return false };
    let mut parts = known.split('-');
    let mut hex = |digits: usize| {
        parts.next().filter(|part| {
            part.len() == digits && part.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
        })
    };
    let (version, trace, parent, flags) = (hex(2), hex(32), hex(16), hex(2));
    let not_zero = |part: Option<&str>| part.is_some_and(|part| part.bytes().any(|b| b != b'0'));
    let ends = match version {
        Some("ff") | None => false,
        Some("00") => rest.is_empty(),
        Some(_) => {
            value.len() <= MAX_TRACEPARENT_BYTES
                && (rest.is_empty() || rest.starts_with('-') && rest.bytes().all(is_header_byte))
        }
    };
    ends && not_zero(trace) && not_zero(parent) && flags.is_some()
}

/// Checks members `key=value`, separated by commas (section 3.3). Empty members are allowed.
fn is_tracestate(value: &str) -> bool {
    let mut keys: Vec<&str> = Vec::new();
    for member in list(value).filter(|member| !member.is_empty()) {
        let Some((key, value)) = member.split_once('=') else { return false };
        if !is_tracestate_key(key) || !is_tracestate_value(value) || keys.contains(&key) {
            return false;
        }
        keys.push(key);
    }
    (1..=MAX_TRACESTATE_MEMBERS).contains(&keys.len())
}

fn is_tracestate_key(key: &str) -> bool {
    let lower = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    key.len() <= 256
        && key.bytes().next().is_some_and(lower)
        && key.bytes().all(|b| lower(b) || matches!(b, b'_' | b'-' | b'*' | b'/' | b'@'))
}

fn is_tracestate_value(value: &str) -> bool {
    (1..=256).contains(&value.len())
        && !value.ends_with(' ')
        && value.bytes().all(|b| matches!(b, b' '..=b'~') && !matches!(b, b',' | b'='))
}

/// Checks `key=value;property;property=value`, separated by commas (W3C Baggage, section 3.3.1).
fn is_baggage(value: &str) -> bool {
    list(value).count() <= MAX_BAGGAGE_MEMBERS
        && list(value).all(|member| {
            let mut parts = member.split(';').map(trim);
            parts.next().is_some_and(|pair| pair.contains('=') && is_pair(pair))
                && parts.all(is_pair)
        })
}

/// Checks `key` or `key=value`.
fn is_pair(pair: &str) -> bool {
    let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
    let (key, value) = (trim(key), trim(value));
    !key.is_empty()
        && key.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
        && value.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b'"' | b',' | b';' | b'\\'))
}

fn list(value: &str) -> impl Iterator<Item = &str> {
    value.split(',').map(trim)
}

/// Removes HTTP's optional white space.
fn trim(text: &str) -> &str {
    text.trim_matches([' ', '\t'])
}

fn is_header_byte(byte: u8) -> bool {
    matches!(byte, b' '..=b'~')
}

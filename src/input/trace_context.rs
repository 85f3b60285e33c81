// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Reads the trace of a call: W3C Trace Context and W3C Baggage, from the environment variables
//! that OpenTelemetry defines. A value that cannot be a header is ignored without an error, because
//! no Pod may fail for its trace.

use std::ffi::OsString;

/// Most bytes that are passed on, including names. Servers based on grpc's C core refuse calls with
/// more than 8 KiB of metadata.
const MAX_BYTES: usize = 6 << 10;

/// Overhead of a header beside its name and value (RFC 9113, section 6.5.2).
const HEADER_BYTES: usize = 32;

/// Longest `traceparent`, in bytes. Version 00 has 55.
const MAX_TRACEPARENT_BYTES: usize = 512;

/// Holds a trace context. What the environment does not have, or cannot be a header, is absent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TraceContext {
    traceparent: Option<String>,
    tracestate: Option<String>,
    baggage: Option<String>,
}

impl TraceContext {
    /// Reads `TRACEPARENT`, `TRACESTATE` and `BAGGAGE`. Their grammar is left to the collector.
    pub fn from_environment(environment: &dyn Fn(&str) -> Option<OsString>) -> Self {
        let read = |name| {
            let value = environment(name)?.into_string().ok()?;
            (!value.is_empty() && value.bytes().all(is_header_byte)).then_some(value)
        };
        let traceparent = read("TRACEPARENT").filter(|it| it.len() <= MAX_TRACEPARENT_BYTES);
        // A state without a parent has no meaning.
        let tracestate = traceparent.as_ref().and_then(|_| read("TRACESTATE"));
        let mut context = Self { traceparent, tracestate, baggage: read("BAGGAGE") };
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

    /// Returns the id of the trace: the second part of a `traceparent`, 32 hexadecimal digits.
    pub fn trace_id(&self) -> Option<&str> {
        let id = self.traceparent.as_deref()?.split('-').nth(1)?;
        (id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit())).then_some(id)
    }

    /// Returns what is there as header names and values.
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

/// Returns whether a byte may stand in a header's value. HTTP's library refuses others.
fn is_header_byte(byte: u8) -> bool {
    matches!(byte, b' '..=b'~')
}

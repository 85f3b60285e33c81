// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! What a runtime hands over, in one piece of bytes: variables, each ended by a
//! NUL, then one more NUL, then standard input.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

pub(crate) struct Call<'a> {
    pub(crate) variables: HashMap<String, OsString>,
    pub(crate) stdin: &'a [u8],
}

impl<'a> Call<'a> {
    pub(crate) fn read(data: &'a [u8]) -> Self {
        let end = data.windows(2).position(|pair| pair == b"\0\0");
        let (variables, stdin) = match end {
            Some(at) => (&data[..at], &data[at + 2..]),
            None => (data, &[][..]),
        };
        let variables = variables
            .split(|byte| *byte == 0)
            .filter_map(|variable| {
                let at = variable.iter().position(|byte| *byte == b'=')?;
                let name = str::from_utf8(&variable[..at]).ok()?;
                Some((name.to_owned(), OsStr::from_bytes(&variable[at + 1..]).to_owned()))
            })
            .collect();
        Self { variables, stdin }
    }

    pub(crate) fn get(&self, name: &str) -> Option<OsString> {
        self.variables.get(name).cloned()
    }
}

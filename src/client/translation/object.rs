// Copyright 2026 Antrea Authors.
// SPDX-License-Identifier: Apache-2.0
//! Keeps a JSON object as the text of each member, so that unchanged members stay as they were, in
//! the same order.

use std::fmt;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use thiserror::Error;

use crate::json;

/// Describes why a configuration or a result cannot be converted to another version.
#[derive(Debug, Error, PartialEq, Eq)]
pub(super) enum Error {
    /// `prevResult` occurs twice; Go merges the two.
    #[error("prevResult is there more than once")]
    Ambiguous,
    /// The value is not a JSON object, or its members have types that a CNI result does not have.
    #[error("it is not a CNI result")]
    NotAResult,
    /// The result's `cniVersion` is not one from 0.3.0 to 1.1.0.
    #[error("its cniVersion {0:?} is not supported")]
    UnknownVersion(String),
    /// An address is not in CIDR notation.
    #[error("its address {0:?} is not in CIDR notation")]
    Address(String),
}

#[derive(Debug)]
pub(super) struct Object {
    members: Vec<(String, String)>,
    is_changed: bool,
}

impl Object {
    pub(super) fn parse(text: &str) -> Result<Self, Error> {
        let mut members = Vec::new();
        json::for_each_member(
            text,
            |_| true,
            |key, value: &RawValue| {
                members.push((String::from_utf8_lossy(key).into_owned(), value.get().to_owned()));
            },
        )
        .map_err(|_| Error::NotAResult)?;
        Ok(Self { members, is_changed: false })
    }

    /// Returns the text of a member, unless it is `null`. Like Go, ignores case and takes the last
    /// of several.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let mut members = self.members.iter().rev();
        let (_, value) = members.find(|(key, _)| json::names_field(key.as_bytes(), name))?;
        (value != "null").then_some(value)
    }

    /// Returns the result's `cniVersion`; `None` if it is absent or empty.
    pub(super) fn cni_version(&self) -> Result<Option<String>, Error> {
        let version = self.get("cniVersion").map(parse_string).transpose()?;
        Ok(version.filter(|version| !version.is_empty()))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Returns whether the object was changed since it was parsed.
    pub(super) fn is_changed(&self) -> bool {
        self.is_changed
    }

    pub(super) fn remove(&mut self, name: &str) {
        let before = self.members.len();
        self.members.retain(|(key, _)| !json::names_field(key.as_bytes(), name));
        self.is_changed |= self.members.len() != before;
    }

    /// Replaces a member in its place, or inserts it at the front.
    pub(super) fn set(&mut self, name: &str, value: &impl Serialize) {
        let value = serde_json::to_string(value).unwrap_or_default();
        self.set_text(name, value);
    }

    pub(super) fn set_text(&mut self, name: &str, value: String) {
        let is_there = |(key, _): &&(String, String)| json::names_field(key.as_bytes(), name);
        let mut there = self.members.iter().filter(is_there);
        if there.next().is_some_and(|(_, old)| *old == value) && there.next().is_none() {
            return;
        }
        let at = self.members.iter().position(|member| is_there(&member));
        self.remove(name);
        let at = at.unwrap_or_default().min(self.members.len());
        self.members.insert(at, (name.to_owned(), value));
        self.is_changed = true;
    }

    /// Changes every object of a member that is a JSON array. `null` elements stay.
    pub(super) fn each(
        &mut self,
        name: &str,
        change: impl Fn(&mut Self) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let Some(list) = self.get(name) else { return Ok(()) };
        let list: Vec<Box<RawValue>> = parse_value(list)?;
        let mut is_changed = false;
        let items = list.into_iter().map(|text| {
            if text.get() == "null" {
                return Ok(text.get().to_owned());
            }
            let mut item = Self::parse(text.get())?;
            change(&mut item)?;
            is_changed |= item.is_changed;
            Ok(if item.is_changed { item.to_string() } else { text.get().to_owned() })
        });
        let items = items.collect::<Result<Vec<_>, Error>>()?;
        if is_changed {
            self.set_text(name, format!("[{}]", items.join(",")));
        }
        Ok(())
    }
}

impl fmt::Display for Object {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("{")?;
        for (number, (key, value)) in self.members.iter().enumerate() {
            let comma = if number == 0 { "" } else { "," };
            let key = serde_json::to_string(key).unwrap_or_default();
            write!(out, "{comma}{key}:{value}")?;
        }
        out.write_str("}")
    }
}

pub(super) fn parse_string(value: &str) -> Result<String, Error> {
    parse_value(value)
}

pub(super) fn parse_value<T: DeserializeOwned>(value: &str) -> Result<T, Error> {
    serde_json::from_str(value).map_err(|_| Error::NotAResult)
}

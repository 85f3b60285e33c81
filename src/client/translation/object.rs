//! A JSON object as a list of members, each value as its text: what is not
//! touched stays as it was, in its place.

use std::fmt;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use thiserror::Error;

use crate::json;

/// Why a document cannot be put into another version.
#[derive(Debug, Error, PartialEq, Eq)]
pub(super) enum Error {
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

    /// The text of a member that is there and not `null`; the last of several,
    /// in any case.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let mut members = self.members.iter().rev();
        let (_, value) = members.find(|(key, _)| json::names_field(key.as_bytes(), name))?;
        (value != "null").then_some(value)
    }

    /// The version that a result is labelled with; an empty one is none.
    pub(super) fn cni_version(&self) -> Result<Option<String>, Error> {
        let label = self.get("cniVersion").map(parse_string).transpose()?;
        Ok(label.filter(|label| !label.is_empty()))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Whether it is another object now than the one that was read.
    pub(super) fn is_changed(&self) -> bool {
        self.is_changed
    }

    pub(super) fn remove(&mut self, name: &str) {
        let before = self.members.len();
        self.members.retain(|(key, _)| !json::names_field(key.as_bytes(), name));
        self.is_changed |= self.members.len() != before;
    }

    /// Puts a member in the place of the one that was there, or at the front.
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

    /// Changes every object of a member that is a list. `null` elements stay.
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

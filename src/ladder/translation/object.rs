//! A JSON object as a list of members, each value as its text: what is not
//! touched stays as it was, in its place.

use std::fmt;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::error::Error;
use crate::json;

#[derive(Debug)]
pub(super) struct Object(Vec<(String, String)>);

impl Object {
    pub(super) fn parse(text: &str) -> Result<Self, Error> {
        let mut members = Vec::new();
        json::members(
            text,
            |_| true,
            |key, value: &RawValue| {
                members.push((String::from_utf8_lossy(key).into_owned(), value.get().to_owned()));
            },
        )
        .map_err(|_| Error::NotAResult)?;
        Ok(Self(members))
    }

    /// The text of a member that is there and not `null`; the last of several,
    /// in any case.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let mut members = self.0.iter().rev();
        let (_, value) = members.find(|(key, _)| json::names_field(key.as_bytes(), name))?;
        (value != "null").then_some(value)
    }

    /// The version that a result is labelled with; an empty one is none.
    pub(super) fn label(&self) -> Result<Option<String>, Error> {
        let label = self.get("cniVersion").map(text).transpose()?;
        Ok(label.filter(|label| !label.is_empty()))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn remove(&mut self, name: &str) {
        self.0.retain(|(key, _)| !json::names_field(key.as_bytes(), name));
    }

    /// Puts a member in the place of the one that was there, or at the front.
    pub(super) fn set(&mut self, name: &str, value: &impl Serialize) {
        let value = serde_json::to_string(value).unwrap_or_default();
        self.set_text(name, value);
    }

    pub(super) fn set_text(&mut self, name: &str, value: String) {
        let at = self.0.iter().position(|(key, _)| json::names_field(key.as_bytes(), name));
        self.remove(name);
        let at = at.unwrap_or_default().min(self.0.len());
        self.0.insert(at, (name.to_owned(), value));
    }

    /// Changes every object of a member that is a list. `null` elements stay.
    pub(super) fn each(
        &mut self,
        name: &str,
        change: impl Fn(&mut Self) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let Some(list) = self.get(name) else { return Ok(()) };
        let list: Vec<Box<RawValue>> = read(list)?;
        let changed = list.into_iter().map(|item| {
            if item.get() == "null" {
                return Ok(item.get().to_owned());
            }
            let mut item = Self::parse(item.get())?;
            change(&mut item)?;
            Ok(item.to_string())
        });
        let changed = changed.collect::<Result<Vec<_>, Error>>()?;
        self.set_text(name, format!("[{}]", changed.join(",")));
        Ok(())
    }
}

impl fmt::Display for Object {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("{")?;
        for (number, (key, value)) in self.0.iter().enumerate() {
            let comma = if number == 0 { "" } else { "," };
            let key = serde_json::to_string(key).unwrap_or_default();
            write!(out, "{comma}{key}:{value}")?;
        }
        out.write_str("}")
    }
}

pub(super) fn text(value: &str) -> Result<String, Error> {
    read(value)
}

pub(super) fn read<T: DeserializeOwned>(value: &str) -> Result<T, Error> {
    serde_json::from_str(value).map_err(|_| Error::NotAResult)
}

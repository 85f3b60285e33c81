//! JSON with positions: values are slices of the text.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

/// The members of an object in their order.
#[derive(Clone, Debug)]
pub(crate) struct Members<'a>(Vec<Member<'a>>);

#[derive(Clone, Debug)]
pub(crate) struct Member<'a> {
    pub(crate) name: String,
    pub(crate) value: &'a RawValue,
}

impl<'a> Members<'a> {
    /// Reads an object.
    ///
    /// # Errors
    /// It is none; the error has a position.
    pub(crate) fn read(text: &'a str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }

    pub(crate) fn of(value: &'a RawValue) -> Result<Self, serde_json::Error> {
        Self::read(value.get())
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Member<'a>> {
        self.0.iter()
    }

    /// The last member of that name, in any case: so does Go's decoder.
    pub(crate) fn get(&self, name: &str) -> Option<&Member<'a>> {
        self.0.iter().rev().find(|member| member.name.eq_ignore_ascii_case(name))
    }

    /// The last member of exactly that name: libcni reads lists so.
    pub(crate) fn exact(&self, name: &str) -> Option<&Member<'a>> {
        self.0.iter().rev().find(|member| member.name == name)
    }

    /// The text of a member that is a string.
    pub(crate) fn text(&self, name: &str) -> Option<Cow<'a, str>> {
        serde_json::from_str(self.get(name)?.value.get()).ok()
    }
}

impl<'a> Member<'a> {
    /// The value, as a tree.
    pub(crate) fn tree(&self) -> Value {
        serde_json::from_str(self.value.get()).unwrap_or_default()
    }

    /// The elements of a list; none of anything else.
    pub(crate) fn elements(&self) -> Vec<&'a RawValue> {
        serde_json::from_str(self.value.get()).unwrap_or_default()
    }
}

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        struct Read;
        impl<'de> Visitor<'de> for Read {
            type Value = Members<'de>;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some((name, value)) = map.next_entry()? {
                    members.push(Member { name, value });
                }
                Ok(Members(members))
            }
        }
        input.deserialize_map(Read)
    }
}

/// An object with one member.
pub(crate) fn object(name: &str, value: &RawValue) -> Box<RawValue> {
    let name = serde_json::to_string(name).unwrap_or_default();
    let text = format!("{{{name}:{}}}", value.get());
    // The two parts are JSON, so the whole is.
    RawValue::from_string(text).unwrap_or_default()
}

/// Where something is in a text, in bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Position(usize);

impl Position {
    pub(crate) const START: Self = Self(0);

    /// Of a value that was read from `text`.
    pub(crate) fn of(text: &str, value: &RawValue) -> Self {
        Self((value.get().as_ptr() as usize).saturating_sub(text.as_ptr() as usize))
    }

    pub(crate) fn of_error(text: &str, error: &serde_json::Error) -> Self {
        let before = text.split_inclusive('\n').take(error.line().saturating_sub(1));
        let line: usize = before.map(str::len).sum();
        Self(line + error.column().saturating_sub(1))
    }

    /// In bytes from the start.
    pub(crate) fn offset(self) -> usize {
        self.0
    }

    /// Both from 1; columns are characters.
    pub(crate) fn line_and_column(self, text: &str) -> (usize, usize) {
        let before = text.get(..text.floor_char_boundary(self.0)).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        (line, column)
    }
}

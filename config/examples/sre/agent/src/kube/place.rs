//! A place in a JSON document that may be missing: every step on from it is safe.

use std::collections::BTreeMap;

use serde_json::Value;

use super::moment::Moment;

/// Longest text that is kept of one field, in bytes: Kubernetes itself cuts event messages at
/// 1 KiB and termination messages at 4 KiB.
const MAX_TEXT_BYTES: usize = 4096;

/// A value, or the absence of one.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a>(Option<&'a Value>);

impl<'a> Place<'a> {
    /// The root of a document.
    pub fn of(value: &'a Value) -> Self {
        Self(Some(value))
    }

    /// The member `key` of an object; absent where there is none.
    pub fn at(self, key: &str) -> Self {
        Self(self.0.and_then(|v| v.get(key)))
    }

    /// The value itself, where there is one.
    pub fn value(self) -> Option<&'a Value> {
        self.0
    }

    /// Is there something other than null?
    pub fn is_present(self) -> bool {
        self.0.is_some_and(|v| !v.is_null())
    }

    /// The text at this place; absent when it is not a string.
    pub fn text(self) -> Option<&'a str> {
        self.0.and_then(Value::as_str)
    }

    /// The text at this place, cut to a bounded length; empty when there is none.
    pub fn string(self) -> String {
        crate::phrase::cut(self.text().unwrap_or_default(), MAX_TEXT_BYTES)
    }

    /// The text at this place; absent when it is not a string or empty.
    pub fn filled(self) -> Option<String> {
        Some(self.string()).filter(|s| !s.is_empty())
    }

    /// True only for the literal `true`.
    pub fn flag(self) -> bool {
        self.0.and_then(Value::as_bool).unwrap_or(false)
    }

    /// A whole number, also one that was written as text.
    pub fn whole(self) -> Option<i64> {
        match self.0? {
            Value::Number(n) => n.as_i64(),
            Value::String(s) => s.trim().parse().ok(),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
        }
    }

    /// The elements of a list; none when it is not a list.
    pub fn list(self) -> impl Iterator<Item = Place<'a>> {
        self.0
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .map(Place::of)
    }

    /// The texts of a list of strings.
    pub fn strings(self) -> Vec<String> {
        self.list().filter_map(Place::filled).collect()
    }

    /// The members of an object; none when it is not an object.
    pub fn members(self) -> impl Iterator<Item = (&'a str, Place<'a>)> {
        self.0
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
            .map(|(k, v)| (k.as_str(), Place::of(v)))
    }

    /// A map of texts, such as labels.
    pub fn labels(self) -> BTreeMap<String, String> {
        self.members()
            .map(|(k, v)| (k.to_owned(), v.string()))
            .collect()
    }

    /// A point in time in RFC 3339.
    pub fn moment(self) -> Option<Moment> {
        self.text().and_then(Moment::parse)
    }
}

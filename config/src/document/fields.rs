//! The fields of one map of a document: asked for one by one, then closed.
//!
//! # Invariant
//! A key that nobody asked for is unknown: the keys that there are stand only where they are read.

use std::ops::RangeInclusive;

use super::page::Page;
use super::yaml::{Mark, Node, What};
use crate::mistake::{Wrong, shown};
use crate::name::Name;
use crate::near::hint;

/// The fields of one map.
pub(super) struct Fields<'n> {
    pairs: Vec<(&'n str, Mark, &'n Node)>,
    asked: Vec<&'static str>,
    mark: Mark,
    /// ` in worker …`: ends the messages about keys.
    within: String,
}

impl<'n> Fields<'n> {
    /// Opens a map; complains if it is something else. `within` is how messages call it.
    pub(super) fn open(page: &mut Page<'_>, key: &str, node: &'n Node) -> Option<Self> {
        let What::Map(pairs) = &node.what else {
            page.mistyped(key, "a map of keys and values", node);
            return None;
        };
        let pairs = pairs
            .iter()
            .map(|(key, node)| (key.text.as_str(), key.mark, node))
            .collect();
        let within = format!(" in {key}");
        Some(Self {
            pairs,
            asked: Vec::new(),
            mark: node.mark,
            within,
        })
    }

    /// Sets how messages call this map from now on, as in ``worker `disk` ``.
    pub(super) fn call(&mut self, within: &str) {
        self.within = format!(" in {within}");
    }

    /// Whether one of these keys stands there.
    pub(super) fn has_any(&self, keys: &[&str]) -> bool {
        self.pairs.iter().any(|(key, _, _)| keys.contains(key))
    }

    /// Where the value of a key begins; where the map begins if it has no such key.
    pub(super) fn mark_of(&self, key: &str) -> Mark {
        let found = self.pairs.iter().find(|(known, _, _)| *known == key);
        found.map_or(self.mark, |(_, _, node)| node.mark)
    }

    /// Reads a field that may be absent. A key without a value is a mistake.
    pub(super) fn find<T>(
        &mut self,
        page: &mut Page<'_>,
        key: &'static str,
        read: impl Fn(&mut Page<'_>, &str, &Node) -> Option<T>,
    ) -> Option<T> {
        self.asked.push(key);
        let (_, _, node) = *self.pairs.iter().find(|(known, _, _)| *known == key)?;
        if node.is_null() {
            let sentence = format!("`{key}` is empty: give a value or remove the key");
            page.wrong(node.mark, Wrong::Refused(sentence));
            return None;
        }
        read(page, key, node)
    }

    /// Reads a field that must be there.
    pub(super) fn need<T>(
        &mut self,
        page: &mut Page<'_>,
        key: &'static str,
        read: impl Fn(&mut Page<'_>, &str, &Node) -> Option<T>,
    ) -> Option<T> {
        if !self.has_any(&[key]) {
            self.asked.push(key);
            let within = self.within.clone();
            page.wrong(
                self.mark,
                Wrong::Missing {
                    key: key.to_owned(),
                    within,
                },
            );
            return None;
        }
        self.find(page, key, read)
    }

    /// Takes keys as known that nobody reads here.
    pub(super) fn know(&mut self, keys: &[&'static str]) {
        self.asked.extend(keys);
    }

    /// Complains about each key that was not asked for.
    pub(super) fn close(self, page: &mut Page<'_>) {
        for (key, mark, _) in &self.pairs {
            if !self.asked.contains(key) {
                let wrong = Wrong::UnknownKey {
                    key: shown(key),
                    within: self.within.clone(),
                    hint: near_or_all(key, &self.asked),
                };
                page.wrong(*mark, wrong);
            }
        }
    }
}

/// The nearest known key, or all of them where nothing is near.
fn near_or_all(key: &str, known: &[&str]) -> String {
    let near = hint(key, known.iter().copied());
    if near.is_empty() {
        format!("; known: {}", known.join(", "))
    } else {
        near
    }
}

/// Reads a name.
pub(super) fn name(page: &mut Page<'_>, key: &str, node: &Node) -> Option<Name> {
    let text = scalar(page, key, "a name", node)?;
    match Name::new(text) {
        Ok(name) => Some(name),
        Err(error) => {
            page.out_of_range(key, text, error.to_string(), node.mark);
            None
        }
    }
}

/// Reads a text of at most so many bytes, without zero bytes.
pub(super) fn text(longest_bytes: usize) -> impl Fn(&mut Page<'_>, &str, &Node) -> Option<String> {
    move |page, key, node| {
        let text = scalar(page, key, "a text", node)?;
        if text.len() > longest_bytes {
            let allowed = format!("allowed: at most {longest_bytes} bytes, not {}", text.len());
            page.out_of_range(key, text, allowed, node.mark);
            None
        } else if text.contains('\0') {
            page.out_of_range(
                key,
                text,
                "a zero byte is not allowed".to_owned(),
                node.mark,
            );
            None
        } else {
            Some(text.to_owned())
        }
    }
}

/// Reads a whole number.
pub(super) fn count<T: TryFrom<u64>>(
    range: RangeInclusive<u64>,
) -> impl Fn(&mut Page<'_>, &str, &Node) -> Option<T> {
    move |page, key, node| {
        let text = scalar(page, key, "a whole number", node)?;
        let is_plain = matches!(node.what, What::Scalar { is_plain: true, .. });
        let Some(number) = text.parse::<u64>().ok().filter(|_| is_plain) else {
            page.mistyped(key, "a whole number", node);
            return None;
        };
        if !range.contains(&number) {
            let allowed = format!("allowed: {} to {}", range.start(), range.end());
            page.out_of_range(key, text, allowed, node.mark);
            return None;
        }
        T::try_from(number).ok()
    }
}

/// Reads a measure: `parse` understands it, `show` writes the ends of its range.
pub(super) fn measure<E: std::error::Error>(
    range: RangeInclusive<u64>,
    parse: fn(&str) -> Result<u64, E>,
    show: fn(u64) -> String,
) -> impl Fn(&mut Page<'_>, &str, &Node) -> Option<u64> {
    move |page, key, node| {
        let text = scalar(page, key, "a number with its unit", node)?;
        match parse(text) {
            Ok(amount) if range.contains(&amount) => Some(amount),
            Ok(_) => {
                let allowed = format!(
                    "allowed: {} to {}",
                    show(*range.start()),
                    show(*range.end())
                );
                page.out_of_range(key, text, allowed, node.mark);
                None
            }
            Err(error) => {
                page.out_of_range(key, text, error.to_string(), node.mark);
                None
            }
        }
    }
}

/// Reads one of a few words.
pub(super) fn choice<'c, T: Copy>(
    choices: &'c [(&'c str, T)],
) -> impl Fn(&mut Page<'_>, &str, &Node) -> Option<T> + 'c {
    move |page, key, node| {
        let words = || choices.iter().map(|(word, _)| *word);
        let text = scalar(page, key, "a word", node)?;
        let found = choices.iter().find(|(word, _)| *word == text);
        if found.is_none() {
            let listed = words().collect::<Vec<_>>().join(", ");
            let allowed = format!("allowed: {listed}{}", hint(text, words()));
            page.out_of_range(key, text, allowed, node.mark);
        }
        found.map(|(_, value)| *value)
    }
}

/// Reads a list of at most so many items.
pub(super) fn list<T>(
    most: usize,
    read: impl Fn(&mut Page<'_>, &str, &Node) -> Option<T>,
) -> impl Fn(&mut Page<'_>, &str, &Node) -> Option<Vec<T>> {
    move |page, key, node| {
        let What::List(items) = &node.what else {
            page.mistyped(key, "a list", node);
            return None;
        };
        if items.len() > most {
            let value = format!("a list of {}", items.len());
            page.out_of_range(key, &value, format!("allowed: at most {most}"), node.mark);
            return None;
        }
        let mut all = Vec::with_capacity(items.len());
        let mut is_whole = true;
        for item in items {
            match read(page, key, item) {
                Some(value) => all.push(value),
                None => is_whole = false,
            }
        }
        is_whole.then_some(all)
    }
}

/// Reads a map whose keys are not fixed, of at most so many pairs.
pub(super) fn map<K: Ord, V>(
    most: usize,
    read_key: impl Fn(&str) -> Result<K, String>,
    read_value: impl Fn(&mut Page<'_>, &str, &Node) -> Option<V>,
) -> impl Fn(&mut Page<'_>, &str, &Node) -> Option<std::collections::BTreeMap<K, V>> {
    move |page, key, node| {
        let What::Map(pairs) = &node.what else {
            page.mistyped(key, "a map of keys and values", node);
            return None;
        };
        if pairs.len() > most {
            let value = format!("a map of {}", pairs.len());
            page.out_of_range(key, &value, format!("allowed: at most {most}"), node.mark);
            return None;
        }
        let mut all = std::collections::BTreeMap::new();
        for (pair_key, value) in pairs {
            match read_key(&pair_key.text) {
                Ok(known) => {
                    let called = format!("{key}.{}", shown(&pair_key.text));
                    all.extend(read_value(page, &called, value).map(|value| (known, value)));
                }
                Err(sentence) => page.out_of_range(key, &pair_key.text, sentence, pair_key.mark),
            }
        }
        Some(all)
    }
}

/// The text of a scalar; complains about anything else.
fn scalar<'n>(page: &mut Page<'_>, key: &str, wanted: &str, node: &'n Node) -> Option<&'n str> {
    match &node.what {
        What::Scalar { text, .. } if !node.is_null() => Some(text),
        What::Scalar { .. } | What::List(_) | What::Map(_) | What::Spoiled => {
            page.mistyped(key, wanted, node);
            None
        }
    }
}

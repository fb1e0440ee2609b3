//! Reads settings one key at a time: the type and the range of each key stand where it is read.
//!
//! ```text
//! default.toml ─┐
//! file ─────────┤ layers   Keys::bytes("limits.blob_bytes", range)
//! environment ──┼────────► every layer's value is checked, the highest is taken,
//! flags ────────┘          and a line for `domo config check` is kept
//! ```
//!
//! # Why
//! A value is checked even when a higher layer hides it: a settings file with a mistake in it is
//! wrong today, not on the day on which somebody unsets a variable.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::ops::RangeInclusive;

use super::SettingLine;
use super::address::{checked_address, read_addresses};
use super::layers::{Given, Raw};
use crate::measure::{
    parse_bytes, parse_cpu_millis, parse_ms, show_bytes, show_cpu_millis, show_ms,
};
use crate::mistake::{Mistakes, Place, Wrong, shown};
use crate::name::Name;

/// More labels than this describe nothing any more.
const MOST_LABELS: usize = 32;
/// As long as a name, so that labels fit wherever names do.
const LONGEST_LABEL_CHARS: usize = 63;
/// The kernel's own limit for a path.
const LONGEST_PATH_BYTES: usize = 4096;
/// The kernel's own limit for the path of a Unix socket, less its closing zero.
const LONGEST_SOCKET_PATH_BYTES: usize = 107;

/// The settings of all layers, and what reading them has shown so far.
pub(super) struct Keys {
    given: BTreeMap<String, Vec<Given>>,
    lines: Vec<SettingLine>,
    mistakes: Mistakes,
}

/// How a number of one kind is written.
#[derive(Clone, Copy)]
enum Unit {
    Count,
    Bytes,
    Ms,
    CpuMillis,
}

impl Keys {
    pub(super) fn new(given: BTreeMap<String, Vec<Given>>, mistakes: Mistakes) -> Self {
        Self {
            given,
            lines: Vec::new(),
            mistakes,
        }
    }

    /// A whole number.
    pub(super) fn count<T: TryFrom<u64>>(&mut self, key: &str, range: RangeInclusive<u64>) -> T {
        self.amount(key, range, Unit::Count)
    }

    /// A size in bytes.
    pub(super) fn bytes(&mut self, key: &str, range: RangeInclusive<u64>) -> u64 {
        self.amount(key, range, Unit::Bytes)
    }

    /// A duration in milliseconds.
    pub(super) fn ms(&mut self, key: &str, range: RangeInclusive<u64>) -> u64 {
        self.amount(key, range, Unit::Ms)
    }

    /// A share of processors in thousandths of one.
    pub(super) fn cpu_millis(&mut self, key: &str, range: RangeInclusive<u64>) -> u32 {
        self.amount(key, range, Unit::CpuMillis)
    }

    /// True or false.
    pub(super) fn flag(&mut self, key: &str) -> bool {
        let read = |raw: &Raw| match raw {
            Raw::Flag(flag) => Ok(*flag),
            Raw::Loose(text) => text
                .parse()
                .map_err(|_| wrong_type(key, "true or false", &raw.found())),
            Raw::Text(_) | Raw::Number(_) | Raw::Table(_) | Raw::List(_) | Raw::Other(_) => {
                Err(wrong_type(key, "true or false", &raw.found()))
            }
        };
        self.take(key, "true, false", read, ToString::to_string)
            .unwrap_or_default()
    }

    /// One of a few words.
    pub(super) fn choice<T: Copy>(&mut self, key: &str, choices: &[(&'static str, T)]) -> T {
        let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
        let allowed = words.join(", ");
        let read = |raw: &Raw| {
            let text = text_of(key, raw)?;
            let found = choices.iter().copied().find(|(word, _)| *word == text);
            found.ok_or_else(|| Wrong::OutOfRange {
                key: key.to_owned(),
                value: format!("`{}`", shown(text)),
                allowed: format!(
                    "allowed: {allowed}{}",
                    crate::near::hint(text, words.iter().copied())
                ),
            })
        };
        let found = self.take(key, &allowed, read, |(word, _)| (*word).to_owned());
        found.unwrap_or(choices[0]).1
    }

    /// A name, or nothing.
    pub(super) fn name(&mut self, key: &str) -> Option<Name> {
        let allowed = "empty or a name: lower-case letters, digits and `-`, at most 63 characters";
        let read = |raw: &Raw| match text_of(key, raw)? {
            "" => Ok(None),
            text => Name::new(text)
                .map(Some)
                .map_err(|error| out_of_range(key, text, &error)),
        };
        let show = |name: &Option<Name>| name.as_ref().map_or_else(String::new, Name::to_string);
        self.take(key, allowed, read, show).flatten()
    }

    /// The path of a file or folder.
    pub(super) fn path(&mut self, key: &str) -> String {
        self.bounded(key, "a path of 1 to 4096 bytes", 1..=LONGEST_PATH_BYTES)
    }

    /// The path of a socket; empty where `may_be_empty` says that the node has one of its own.
    pub(super) fn socket(&mut self, key: &str) -> String {
        self.bounded(
            key,
            "a path of at most 107 bytes",
            0..=LONGEST_SOCKET_PATH_BYTES,
        )
    }

    /// A text that something else understands.
    pub(super) fn text(&mut self, key: &str, longest_bytes: usize) -> String {
        self.bounded(
            key,
            &format!("at most {longest_bytes} bytes"),
            0..=longest_bytes,
        )
    }

    /// Pairs of a name and a short text.
    pub(super) fn labels(&mut self, key: &str) -> BTreeMap<Name, String> {
        let allowed = "at most 32 pairs, names like node.name, values of at most 63 characters";
        let read = |raw: &Raw| read_labels(key, raw);
        let show = |labels: &BTreeMap<Name, String>| {
            let pairs: Vec<String> = labels.iter().map(|(k, v)| format!("{k}={v}")).collect();
            pairs.join(",")
        };
        self.take(key, allowed, read, show).unwrap_or_default()
    }

    /// Where nodes are: `host:port`, any number up to a bound.
    pub(super) fn addresses(&mut self, key: &str) -> Vec<String> {
        let allowed = "at most 64 addresses like 10.0.0.1:7400";
        let read = |raw: &Raw| read_addresses(key, raw);
        self.take(key, allowed, read, |list| list.join(","))
            .unwrap_or_default()
    }

    /// Where a node is, `host:port`, or nothing.
    pub(super) fn address(&mut self, key: &str) -> Option<String> {
        let allowed = "empty or an address like 10.0.0.1:7400";
        let read = |raw: &Raw| match text_of(key, raw)? {
            "" => Ok(None),
            text => checked_address(key, text).map(Some),
        };
        let show = |address: &Option<String>| address.clone().unwrap_or_default();
        self.take(key, allowed, read, show).flatten()
    }

    /// Says that `key`, as it now stands, does not go together with another one. Only said while
    /// each value is good by itself: what stands in for a wrong value goes together with nothing.
    pub(super) fn refuse(&mut self, key: &str, sentence: String) {
        if self.mistakes.is_empty() {
            let place = self.winner(key);
            self.mistakes.add(place, Wrong::Refused(sentence));
        }
    }

    /// The lines for `domo config check`, if nothing was wrong.
    pub(super) fn finish(self) -> Result<Vec<SettingLine>, Mistakes> {
        self.mistakes.or(self.lines)
    }

    fn amount<T: TryFrom<u64>>(&mut self, key: &str, range: RangeInclusive<u64>, unit: Unit) -> T {
        let span = format!(
            "{} to {}",
            unit.show(*range.start()),
            unit.show(*range.end())
        );
        let read = |raw: &Raw| {
            let number = unit.read(key, raw)?;
            let fits = range
                .contains(&number)
                .then(|| T::try_from(number).ok())
                .flatten();
            fits.map(|value| (number, value))
                .ok_or_else(|| out_of_range(key, &raw.written(), &format!("allowed: {span}")))
        };
        let least = *range.start();
        let found = self.take(key, &span, read, |(number, _)| unit.show(*number));
        found.map_or_else(
            || {
                T::try_from(least)
                    .unwrap_or_else(|_| unreachable!("{key}: its range fits its type"))
            },
            |(_, value)| value,
        )
    }

    fn bounded(&mut self, key: &str, allowed: &str, len: RangeInclusive<usize>) -> String {
        let read = |raw: &Raw| {
            let text = text_of(key, raw)?;
            if len.contains(&text.len()) && !text.contains('\0') {
                Ok(text.to_owned())
            } else {
                Err(out_of_range(key, text, &format!("allowed: {allowed}")))
            }
        };
        self.take(key, allowed, read, String::clone)
            .unwrap_or_default()
    }

    /// Reads every layer's value of `key`, keeps the highest and writes its line.
    fn take<T>(
        &mut self,
        key: &str,
        allowed: &str,
        read: impl Fn(&Raw) -> Result<T, Wrong>,
        show: impl Fn(&T) -> String,
    ) -> Option<T> {
        let mut best = None;
        for given in self.given.get(key).map_or(&[][..], Vec::as_slice) {
            match read(&given.raw) {
                Ok(value) => best = Some((value, given.place.clone())),
                Err(wrong) => self.mistakes.add(given.place.clone(), wrong),
            }
        }
        let (value, place) = best?;
        self.lines.push(SettingLine {
            key: key.to_owned(),
            value: show(&value),
            allowed: allowed.to_owned(),
            from: place,
        });
        Some(value)
    }

    fn winner(&self, key: &str) -> Place {
        let given = self.given.get(key).and_then(|layers| layers.last());
        given.map_or(Place::Default, |given| given.place.clone())
    }
}

impl Unit {
    fn read(self, key: &str, raw: &Raw) -> Result<u64, Wrong> {
        let wanted = match self {
            Self::Count => "a whole number",
            Self::Bytes => "a size like \"64MiB\"",
            Self::Ms => "a duration like \"10s\"",
            Self::CpuMillis => "a number of processors like 0.5",
        };
        let mistyped = || wrong_type(key, wanted, &raw.found());
        let is_loose_number =
            |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        match (self, raw) {
            (Self::CpuMillis, Raw::Number(text) | Raw::Loose(text)) => {
                parse_cpu_millis(text).map_err(|_| mistyped())
            }
            (_, Raw::Number(text)) => text.parse().map_err(|_| mistyped()),
            (_, Raw::Loose(text)) if is_loose_number(text) => text.parse().map_err(|_| mistyped()),
            (Self::Bytes, Raw::Text(text) | Raw::Loose(text)) => {
                parse_bytes(text).map_err(|error| out_of_range(key, text, &error))
            }
            (Self::Ms, Raw::Text(text) | Raw::Loose(text)) => {
                parse_ms(text).map_err(|error| out_of_range(key, text, &error))
            }
            _ => Err(mistyped()),
        }
    }

    fn show(self, number: u64) -> String {
        match self {
            Self::Count => number.to_string(),
            Self::Bytes => show_bytes(number),
            Self::Ms => show_ms(number),
            Self::CpuMillis => show_cpu_millis(number),
        }
    }
}

pub(super) fn text_of<'a>(key: &str, raw: &'a Raw) -> Result<&'a str, Wrong> {
    match raw {
        Raw::Text(text) | Raw::Loose(text) => Ok(text),
        Raw::Number(_) | Raw::Flag(_) | Raw::Table(_) | Raw::List(_) | Raw::Other(_) => {
            Err(wrong_type(key, "a text in quotes", &raw.found()))
        }
    }
}

fn read_labels(key: &str, raw: &Raw) -> Result<BTreeMap<Name, String>, Wrong> {
    let mut pairs: Vec<(&str, &str)> = Vec::new();
    match raw {
        Raw::Table(table) => {
            for (name, value) in table {
                pairs.push((name, text_of(&format!("{key}.{}", shown(name)), value)?));
            }
        }
        Raw::Loose(text) => {
            for pair in text.split(',').filter(|pair| !pair.trim().is_empty()) {
                let pair_of = || wrong_type(key, "pairs like zone=a,disk=ssd", &raw.found());
                let (name, value) = pair.split_once('=').ok_or_else(pair_of)?;
                pairs.push((name.trim(), value.trim()));
            }
        }
        Raw::Text(_) | Raw::Number(_) | Raw::Flag(_) | Raw::List(_) | Raw::Other(_) => {
            return Err(wrong_type(
                key,
                "a table like { zone = \"a\" }",
                &raw.found(),
            ));
        }
    }
    if pairs.len() > MOST_LABELS {
        let allowed = format!("allowed: at most {MOST_LABELS}");
        return Err(out_of_range(
            key,
            &format!("{} pairs", pairs.len()),
            &allowed,
        ));
    }
    let mut labels = BTreeMap::new();
    for (name, value) in pairs {
        let label = Name::new(name).map_err(|error| out_of_range(key, name, &error))?;
        if value.chars().count() > LONGEST_LABEL_CHARS {
            let allowed = format!("allowed: at most {LONGEST_LABEL_CHARS} characters");
            return Err(out_of_range(&format!("{key}.{label}"), value, &allowed));
        }
        if labels.insert(label, value.to_owned()).is_some() {
            return Err(Wrong::Twice {
                what: format!("the label `{name}`"),
            });
        }
    }
    Ok(labels)
}

pub(super) fn wrong_type(key: &str, wanted: &str, found: &str) -> Wrong {
    Wrong::WrongType {
        key: key.to_owned(),
        wanted: wanted.to_owned(),
        found: found.to_owned(),
    }
}

pub(super) fn out_of_range(key: &str, value: &str, allowed: &dyn Display) -> Wrong {
    Wrong::OutOfRange {
        key: key.to_owned(),
        value: format!("`{}`", shown(value)),
        allowed: allowed.to_string(),
    }
}

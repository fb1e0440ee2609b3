//! The four layers of settings, laid over each other: defaults, file, environment, flags.
//!
//! # Invariant
//! Only keys of the default file get in. What else is written anywhere is a mistake that names the
//! nearest known key and its place.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::intake;
use crate::mistake::{MOST_MISTAKES, Mistakes, Place, Wrong, shown};
use crate::near::{hint, nearest};

/// A settings file has a few KiB; what is larger is another file given by mistake.
const LARGEST_FILE_BYTES: u64 = 1 << 20;
/// What an environment variable of ours begins with.
const PREFIX: &str = "DOMO_";

/// A value as it was written, before anybody asked for its type.
#[derive(Debug)]
pub(super) enum Raw {
    Text(String),
    Number(String),
    Flag(bool),
    Table(Vec<(String, Raw)>),
    List(Vec<Raw>),
    /// A kind of value that no key takes, by its name.
    Other(&'static str),
    /// From the environment or a flag, where everything is text.
    Loose(String),
}

/// A value and where it stands.
#[derive(Debug)]
pub(super) struct Given {
    pub(super) raw: Raw,
    pub(super) place: Place,
}

/// Known keys, each with its values from the lowest layer to the highest.
pub(super) struct Layers {
    pub(super) given: BTreeMap<String, Vec<Given>>,
    pub(super) mistakes: Mistakes,
}

impl Layers {
    /// The lowest layer, which also says which keys there are.
    pub(super) fn of_defaults(default_toml: &str) -> Self {
        let (table, errors) = DeTable::parse_recoverable(default_toml);
        assert!(
            errors.is_empty(),
            "the default settings that are compiled in are TOML"
        );
        let mut given: BTreeMap<String, Vec<Given>> = BTreeMap::new();
        for (section, keys) in table.into_inner() {
            let DeValue::Table(keys) = keys.into_inner() else {
                unreachable!("the default settings have sections only");
            };
            for (key, value) in keys {
                let key = format!("{}.{}", section.get_ref(), key.get_ref());
                given.insert(
                    key,
                    vec![Given {
                        raw: Raw::of(&value),
                        place: Place::Default,
                    }],
                );
            }
        }
        Self {
            given,
            mistakes: Mistakes::default(),
        }
    }

    /// Lays a settings file over what is there.
    pub(super) fn lay_file(&mut self, path: &Path) {
        let file = shown(&path.display().to_string());
        let place = Place::File(file.clone());
        match intake::read(path, "a settings file", LARGEST_FILE_BYTES) {
            Ok(bytes) => match intake::text(&bytes) {
                Ok(text) => self.lay_toml(&file, text),
                Err(wrong) => self.mistakes.add(place, wrong),
            },
            Err(wrong) => self.mistakes.add(place, wrong),
        }
    }

    /// Lays the text of a settings file over what is there.
    pub(super) fn lay_toml(&mut self, file: &str, text: &str) {
        let (table, errors) = DeTable::parse_recoverable(text);
        // Finding a place costs the length of the text: no more of them than are kept.
        for error in errors.iter().take(MOST_MISTAKES) {
            let sentence = error.message().trim().replace('\n', "; ");
            let place = spot(file, text, error.span().unwrap_or_default());
            self.mistakes.add(place, Wrong::Refused(shown(&sentence)));
        }
        if !errors.is_empty() {
            return;
        }
        for (section, keys) in table.into_inner() {
            if self.mistakes.is_full() {
                return;
            }
            let name = section.get_ref().to_string();
            let section_place = spot(file, text, section.span());
            if !self.sections().any(|known| known == name) {
                let wrong = self.unknown_section(&name);
                self.mistakes.add(section_place, wrong);
                continue;
            }
            let DeValue::Table(keys) = keys.get_ref() else {
                let found = Raw::of(&keys).found();
                let wanted = format!("a section: [{name}] on a line of its own");
                self.mistakes.add(
                    section_place,
                    Wrong::WrongType {
                        key: name,
                        wanted,
                        found,
                    },
                );
                continue;
            };
            for (key, value) in keys {
                if self.mistakes.is_full() {
                    return;
                }
                let raw = Raw::of(value);
                let key_place = spot(file, text, key.span());
                let value_place = spot(file, text, value.span());
                self.lay(&name, key.get_ref(), raw, (key_place, value_place));
            }
        }
    }

    /// Lays the variables that begin with `DOMO_` and have `__` between section and key over it.
    pub(super) fn lay_environment(&mut self, env: impl Iterator<Item = (String, String)>) {
        let mut ours: Vec<(String, String)> = env
            .filter(|(name, _)| name.starts_with(PREFIX) && name.contains("__"))
            .collect();
        ours.sort();
        for (name, value) in ours {
            let place = Place::Environment(shown(&name));
            let key = name[PREFIX.len()..]
                .to_ascii_lowercase()
                .replacen("__", ".", 1);
            self.lay_dotted(&key, value, place);
        }
    }

    /// Lays flags over it: dotted keys and their values; of two for one key the later stands.
    pub(super) fn lay_flags(&mut self, flags: &[(String, String)]) {
        for (key, value) in flags {
            self.lay_dotted(key, value.clone(), Place::Flag(shown(key)));
        }
    }

    fn lay_dotted(&mut self, dotted: &str, value: String, place: Place) {
        if let Some(layers) = self.given.get_mut(dotted) {
            layers.push(Given {
                raw: Raw::Loose(value),
                place,
            });
        } else {
            let hint = hint(dotted, self.given.keys().map(String::as_str));
            let wrong = Wrong::UnknownKey {
                key: shown(dotted),
                within: String::new(),
                hint,
            };
            self.mistakes.add(place, wrong);
        }
    }

    fn lay(&mut self, section: &str, key: &str, raw: Raw, (key_place, place): (Place, Place)) {
        if let Some(layers) = self.given.get_mut(&format!("{section}.{key}")) {
            layers.push(Given { raw, place });
        } else {
            let wrong = Wrong::UnknownKey {
                key: shown(key),
                within: format!(" in [{section}]"),
                hint: self.hint_for(section, key),
            };
            self.mistakes.add(key_place, wrong);
        }
    }

    /// The nearest key of the same section, else the same key in another one.
    fn hint_for(&self, section: &str, key: &str) -> String {
        let keys = || {
            self.given
                .keys()
                .filter_map(|dotted| dotted.split_once('.'))
        };
        let own = keys().filter(|(of, _)| *of == section).map(|(_, key)| key);
        if let Some(near) = nearest(key, own) {
            return format!("; did you mean `{near}`?");
        }
        let elsewhere = keys().find(|(_, known)| *known == key);
        elsewhere.map_or_else(String::new, |(of, _)| {
            format!("; did you mean `{key}` in [{of}]?")
        })
    }

    fn unknown_section(&self, name: &str) -> Wrong {
        let key = format!("[{}]", shown(name));
        let mut hint = hint(name, self.sections());
        if hint.is_empty() {
            let mut keys = self
                .given
                .keys()
                .filter_map(|dotted| dotted.split_once('.'));
            if let Some((of, _)) = keys.find(|(_, known)| *known == name) {
                hint = format!("; did you mean `{name}` in [{of}]?");
            }
        }
        Wrong::UnknownKey {
            key,
            within: String::new(),
            hint,
        }
    }

    fn sections(&self) -> impl Iterator<Item = &str> {
        self.given
            .keys()
            .filter_map(|dotted| dotted.split_once('.'))
            .map(|(section, _)| section)
    }
}

impl Raw {
    fn of(value: &Spanned<DeValue<'_>>) -> Self {
        match value.get_ref() {
            DeValue::String(text) => Self::Text(text.to_string()),
            DeValue::Integer(integer) => {
                let number = i128::from_str_radix(integer.as_str(), integer.radix());
                Self::Number(number.map_or_else(|_| integer.to_string(), |n| n.to_string()))
            }
            DeValue::Float(float) => Self::Number(float.as_str().to_owned()),
            DeValue::Boolean(flag) => Self::Flag(*flag),
            DeValue::Datetime(_) => Self::Other("a date"),
            DeValue::Array(list) => Self::List(list.iter().map(Self::of).collect()),
            DeValue::Table(table) => Self::Table(
                table
                    .iter()
                    .map(|(key, value)| (key.get_ref().to_string(), Self::of(value)))
                    .collect(),
            ),
        }
    }

    /// What stands there, for a message.
    pub(super) fn found(&self) -> String {
        match self {
            Self::Text(text) => format!("the text \"{}\"", shown(text)),
            Self::Number(number) => format!("the number {}", shown(number)),
            Self::Flag(flag) => format!("the value {flag}"),
            Self::Table(_) => "a table".to_owned(),
            Self::List(_) => "a list".to_owned(),
            Self::Other(kind) => (*kind).to_owned(),
            Self::Loose(text) => format!("`{}`", shown(text)),
        }
    }

    /// The value as it was written.
    pub(super) fn written(&self) -> String {
        match self {
            Self::Text(text) | Self::Number(text) | Self::Loose(text) => text.clone(),
            Self::Flag(flag) => flag.to_string(),
            Self::Table(_) => "a table".to_owned(),
            Self::List(_) => "a list".to_owned(),
            Self::Other(kind) => (*kind).to_owned(),
        }
    }
}

/// The line and column at which a range of bytes begins.
fn spot(file: &str, text: &str, span: Range<usize>) -> Place {
    let before = text.get(..span.start).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    Place::Spot {
        file: file.to_owned(),
        document: None,
        line: before.matches('\n').count() + 1,
        column: before[line_start..].chars().count() + 1,
    }
}

//! Bounded, plain text: every sentence of a result is cut, joined and counted here.

use std::fmt::Display;

/// What stands for the rest of a text.
const MARK: &str = "…";

/// The text without control characters, at most `max_bytes` long, cut between characters.
pub fn cut(text: &str, max_bytes: usize) -> String {
    let plain = |c: char| if c.is_control() { ' ' } else { c };
    shorten(text.chars().map(plain), max_bytes)
}

/// The text on one line, with runs of spaces made one, at most `max_bytes` long.
pub fn line(text: &str, max_bytes: usize) -> String {
    let words = text.split_whitespace().enumerate();
    let spaced = words.flat_map(|(i, word)| (i > 0).then_some(' ').into_iter().chain(word.chars()));
    let plain = |c: char| if c.is_control() { ' ' } else { c };
    shorten(spaced.map(plain), max_bytes)
}

/// Takes no more of the text than is shown of it.
fn shorten(text: impl Iterator<Item = char>, max_bytes: usize) -> String {
    let mut shown = String::new();
    let mut end = 0;
    for c in text {
        if shown.len() + MARK.len() <= max_bytes {
            end = shown.len();
        }
        shown.push(c);
        if shown.len() > max_bytes {
            shown.truncate(end);
            return format!("{}{MARK}", shown.trim_end());
        }
    }
    shown
}

/// `a, b and c`; after `max` names `a, b and 7 more`.
pub fn names<T: Display>(all: impl IntoIterator<Item = T>, max: usize) -> String {
    let all: Vec<String> = all.into_iter().map(|n| n.to_string()).collect();
    let shown = if all.len() > max {
        max.max(1)
    } else {
        all.len()
    };
    let more = all.len() - shown;
    let mut parts = all;
    parts.truncate(shown);
    if more > 0 {
        parts.push(format!("{more} more"));
    }
    match parts.split_last() {
        None => String::new(),
        Some((only, [])) => only.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
    }
}

/// `1 pod`, `4 pods`.
pub fn count(number: usize, singular: &str) -> String {
    if number == 1 {
        format!("1 {singular}")
    } else {
        format!("{number} {}", plural(singular))
    }
}

/// The plural of an English noun, as far as this crate's nouns go.
pub fn plural(singular: &str) -> String {
    match singular.strip_suffix('y') {
        Some(stem) if !stem.ends_with(['a', 'e', 'o', 'u']) => format!("{stem}ies"),
        _ if singular.ends_with(['s', 'x']) => format!("{singular}es"),
        _ => format!("{singular}s"),
    }
}

/// What somebody else said, to stand inside a sentence: on one line, without a full stop.
pub fn said(text: &str) -> String {
    text.split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .trim_end_matches('.')
        .to_owned()
}

/// The text with its first letter made large.
pub fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    chars
        .next()
        .map_or_else(String::new, |c| c.to_uppercase().chain(chars).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_text_ends_between_characters_and_within_the_limit() {
        for max in 3..20 {
            let shown = cut("ééééééééééé\nあああ", max);
            assert!(shown.len() <= max, "{max}: {shown}");
        }
        assert_eq!(cut("short", 5), "short");
    }

    #[test]
    fn names_are_joined_as_people_write_them() {
        assert_eq!(names(["a"], 3), "a");
        assert_eq!(names(["a", "b", "c"], 3), "a, b and c");
        assert_eq!(names(["a", "b", "c", "d"], 2), "a, b and 2 more");
        assert_eq!(names::<&str>([], 2), "");
    }

    #[test]
    fn nouns_have_their_plural() {
        assert_eq!(count(1, "replica"), "1 replica");
        assert_eq!(count(2, "policy"), "2 policies");
        assert_eq!(count(0, "storage class"), "0 storage classes");
    }
}

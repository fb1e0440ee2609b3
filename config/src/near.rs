//! The known name that is nearest to one that is not known.
//!
//! # Why
//! Every place that refuses a name (a setting, a key of a document, a skill, a team on the command
//! line) says which one was probably meant, and says it in the same way.
//! The distance counts two swapped letters as one step, because that is how people mistype.
//! It must stay small against the length of the word: a wild guess is worse than none.

/// Longer words are not compared: the distance costs the product of both lengths.
const LONGEST_CHARS: usize = 96;

/// Returns the one of `known` that `word` was most probably meant to be, or `None` if nothing is near.
///
/// Case, `-` and `_` do not count. Of several that are equally near the first stands.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = plain(word)?;
    let reach = (word.chars().count() / 3).max(1);
    let mut best: Option<(usize, &str)> = None;
    for candidate in known {
        let Some(other) = plain(candidate) else {
            continue;
        };
        let steps = if is_shortening(&word, &other) {
            reach
        } else {
            strsim::osa_distance(&word, &other)
        };
        if steps <= reach && best.is_none_or(|(least, _)| steps < least) {
            best = Some((steps, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// Returns ``; did you mean `x`?`` for the nearest known name, or nothing: made to end a sentence.
pub fn hint<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    nearest(word, known).map_or_else(String::new, |name| format!("; did you mean `{name}`?"))
}

/// The word without what people vary without noticing; `None` if it is too long to compare.
fn plain(word: &str) -> Option<String> {
    (word.chars().count() <= LONGEST_CHARS)
        .then(|| word.to_lowercase().replace('_', "-").trim().to_owned())
}

/// Somebody who writes `mem` means `memory`; one or two letters are no shortening of anything.
fn is_shortening(word: &str, other: &str) -> bool {
    word.chars().count() >= 3 && other.starts_with(word)
}

#[cfg(test)]
mod tests {
    use super::{hint, nearest};

    const KNOWN: [&str; 4] = ["memory", "cpu", "idle_after", "idle_before"];

    #[test]
    fn two_swapped_letters_are_one_step() {
        assert_eq!(nearest("cup", KNOWN), Some("cpu"));
    }

    #[test]
    fn a_shortened_word_is_recognised() {
        assert_eq!(nearest("mem", KNOWN), Some("memory"));
    }

    #[test]
    fn case_dash_and_underscore_do_not_count() {
        assert_eq!(nearest("Idle-After", KNOWN), Some("idle_after"));
    }

    #[test]
    fn a_wild_guess_is_not_made() {
        assert_eq!(nearest("zebra", KNOWN), None);
        assert_eq!(hint("zebra", KNOWN), "");
    }

    #[test]
    fn a_word_of_a_megabyte_is_not_compared() {
        assert_eq!(nearest(&"m".repeat(1 << 20), KNOWN), None);
    }

    #[test]
    fn the_hint_ends_a_sentence() {
        assert_eq!(hint("memmory", KNOWN), "; did you mean `memory`?");
    }
}

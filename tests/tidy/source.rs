//! A Rust file as the tidy test sees it: for each line its code, its comment and where it stands.
//!
//! # Why
//! A scanner of lines, not a parser: it knows strings, comments and braces, and that is enough for
//! words, lengths and places. What needs types is the compiler's and clippy's work.

/// One line of a Rust file.
#[derive(Clone, Debug, Default)]
pub struct Line {
    /// What the compiler reads; the contents of strings and characters are blank.
    pub code: String,
    /// What people read: the text of comments, with their slashes.
    pub comment: String,
    /// Does it belong to a module or function that only tests are built with?
    pub is_test: bool,
}

/// A function, by its first and last line; both from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Function {
    /// Its name.
    pub name: String,
    /// The line of its `fn`.
    pub first: usize,
    /// The line of its closing brace.
    pub last: usize,
    /// Its attributes, as they are written above it.
    pub attributes: String,
}

/// Where the scanner is between two characters.
enum Inside {
    Code,
    LineComment,
    BlockComment(usize),
    Text,
    RawText(usize),
}

/// Takes a file apart, line by line.
pub fn scan(text: &str) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut inside = Inside::Code;
    for raw in text.lines() {
        let mut line = Line::default();
        let characters: Vec<char> = raw.chars().collect();
        let mut at = 0;
        while at < characters.len() {
            at += step(&characters, at, &mut inside, &mut line);
        }
        if matches!(inside, Inside::LineComment) {
            inside = Inside::Code;
        }
        lines.push(line);
    }
    mark_tests(&mut lines);
    lines
}

/// Takes what stands at `at`, and says how many characters that was.
fn step(line: &[char], at: usize, inside: &mut Inside, into: &mut Line) -> usize {
    let rest = &line[at..];
    match inside {
        Inside::LineComment => {
            into.comment.push(rest[0]);
            1
        }
        Inside::BlockComment(depth) => {
            into.comment.push(rest[0]);
            if rest.starts_with(&['*', '/']) {
                if *depth == 1 {
                    *inside = Inside::Code;
                } else {
                    *depth -= 1;
                }
                2
            } else if rest.starts_with(&['/', '*']) {
                *depth += 1;
                2
            } else {
                1
            }
        }
        Inside::Text => match rest[0] {
            '\\' => 2,
            '"' => {
                into.code.push('"');
                *inside = Inside::Code;
                1
            }
            _ => 1,
        },
        Inside::RawText(hashes) => {
            let end =
                rest[0] == '"' && rest[1..].iter().take_while(|c| **c == '#').count() >= *hashes;
            if !end {
                return 1;
            }
            into.code.push('"');
            let length = 1 + *hashes;
            *inside = Inside::Code;
            length
        }
        Inside::Code => code_step(line, at, inside, into),
    }
}

fn code_step(line: &[char], at: usize, inside: &mut Inside, into: &mut Line) -> usize {
    let rest = &line[at..];
    let is_word_before = at > 0 && (line[at - 1].is_alphanumeric() || line[at - 1] == '_');
    if rest.starts_with(&['/', '/']) {
        into.comment.push_str("//");
        *inside = Inside::LineComment;
        return 2;
    }
    if rest.starts_with(&['/', '*']) {
        *inside = Inside::BlockComment(1);
        return 2;
    }
    if rest[0] == '"' {
        into.code.push('"');
        *inside = Inside::Text;
        return 1;
    }
    if !is_word_before && (rest[0] == 'r' || rest.starts_with(&['b', 'r'])) {
        let letters = if rest[0] == 'r' { 1 } else { 2 };
        let hashes = rest[letters..].iter().take_while(|c| **c == '#').count();
        if rest.get(letters + hashes) == Some(&'"') {
            into.code.push('"');
            *inside = Inside::RawText(hashes);
            return letters + hashes + 1;
        }
    }
    if let Some(length) = character_length(rest) {
        into.code.push_str("' '");
        return length;
    }
    into.code.push(rest[0]);
    1
}

/// How long the character literal at the front is; none for anything else, such as a lifetime.
fn character_length(rest: &[char]) -> Option<usize> {
    if rest[0] != '\'' {
        return None;
    }
    if rest.get(1) == Some(&'\\') {
        return rest[3..].iter().position(|c| *c == '\'').map(|at| at + 4);
    }
    (rest.get(2) == Some(&'\'')).then_some(3)
}

/// Marks what stands in braces after `#[cfg(test)]` or `#[test]`.
fn mark_tests(lines: &mut [Line]) {
    let (mut depth, mut test_depth, mut is_waiting) = (0_usize, None, false);
    for line in lines {
        if test_depth.is_none() && is_test_attribute(&line.code) {
            is_waiting = true;
        }
        line.is_test = test_depth.is_some() || is_waiting;
        for character in line.code.chars() {
            match character {
                '{' => {
                    if is_waiting {
                        (is_waiting, test_depth) = (false, Some(depth));
                    }
                    depth += 1;
                }
                '}' => {
                    depth = depth.saturating_sub(1);
                    if test_depth == Some(depth) {
                        test_depth = None;
                    }
                }
                ';' => is_waiting = false,
                _ => {}
            }
        }
    }
}

fn is_test_attribute(code: &str) -> bool {
    let code = code.trim_start();
    code.starts_with("#[cfg(test)]") || code.starts_with("#[test]") || code.contains("::test]")
}

/// The functions that have a body, in the order in which they begin.
pub fn functions(lines: &[Line]) -> Vec<Function> {
    let mut found = Vec::new();
    let mut attributes = String::new();
    for (at, line) in lines.iter().enumerate() {
        let code = line.code.trim();
        if code.starts_with("#[") {
            attributes.push_str(code);
        } else if let Some(name) = function_name(code) {
            if let Some(last) = end_of_body(&lines[at..]) {
                found.push(Function {
                    name,
                    first: at + 1,
                    last: at + last + 1,
                    attributes: std::mem::take(&mut attributes),
                });
            }
        } else if !code.is_empty() {
            attributes.clear();
        }
    }
    found
}

fn function_name(code: &str) -> Option<String> {
    let mut words = code.split_whitespace();
    let is_before = |word: &&str| {
        ["pub", "const", "async", "unsafe", "extern", "\"\""].contains(word)
            || word.starts_with("pub(")
    };
    let first = words.find(|word| !is_before(word) && *word != "super)" && *word != "crate)")?;
    if first != "fn" {
        return None;
    }
    let name = words.next()?;
    let end = name.find(|c: char| !c.is_alphanumeric() && c != '_');
    Some(name[..end.unwrap_or(name.len())].to_owned())
}

/// How many lines further the body that begins somewhere here ends; none for a mere signature.
fn end_of_body(lines: &[Line]) -> Option<usize> {
    let (mut depth, mut is_open, mut brackets) = (0_usize, false, 0_usize);
    for (at, line) in lines.iter().enumerate() {
        for character in line.code.chars() {
            match character {
                '(' | '[' => brackets += 1,
                ')' | ']' => brackets = brackets.saturating_sub(1),
                ';' if !is_open && brackets == 0 => return None,
                '{' => (depth, is_open) = (depth + 1, true),
                '}' => {
                    depth = depth.saturating_sub(1);
                    if is_open && depth == 0 {
                        return Some(at);
                    }
                }
                _ => {}
            }
        }
    }
    None
}

/// Is the word `word` in the code, with nothing that belongs to a word beside it?
pub fn has_word(code: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let begins_open = !word.starts_with(is_part);
    let ends_open = !word.ends_with(is_part);
    code.match_indices(word).any(|(at, _)| {
        let before = code[..at].chars().next_back();
        let after = code[at + word.len()..].chars().next();
        (begins_open || !before.is_some_and(is_part)) && (ends_open || !after.is_some_and(is_part))
    })
}

/// Is the crate of a word such as `sled::` named, and not a module of the same name?
pub fn names_crate(code: &str, word: &str) -> bool {
    code.match_indices(word).any(|(at, _)| {
        let before = &code[..at];
        let is_longer = before.ends_with(|c: char| c.is_alphanumeric() || c == '_');
        let is_module = before.ends_with("::") && before.len() > 2 && !before.ends_with(" ::");
        !is_longer && !is_module
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_and_comments_are_no_code() {
        let text =
            "let a = \"x // y\"; // why\nlet b = r#\"he \"said\" {\"#; /* z\n{ */ let c = '{';";
        let lines = scan(text);
        assert_eq!(lines[0].code, "let a = \"\"; ");
        assert_eq!(lines[0].comment, "// why");
        assert_eq!(lines[1].code, "let b = \"\"; ");
        assert_eq!(lines[2].code, " let c = ' ';");
    }

    #[test]
    fn a_lifetime_is_not_the_begin_of_a_character() {
        assert_eq!(
            scan("fn a<'a>(b: &'a str, c: char) { c == '\\'' || c == 'x' }")[0].code,
            "fn a<'a>(b: &'a str, c: char) { c == ' ' || c == ' ' }"
        );
    }

    #[test]
    fn what_only_tests_are_built_with_is_marked() {
        let text = "fn a() {}\n#[cfg(test)]\nmod tests {\n    fn b() {}\n}\nfn c() {}";
        let marks: Vec<bool> = scan(text).iter().map(|line| line.is_test).collect();
        assert_eq!(marks, [false, true, true, true, true, false]);
    }

    #[test]
    fn a_function_is_as_long_as_its_body() {
        let text = "pub(crate) async fn a(\n  b: [u8; 3],\n) {\n  if b {\n  }\n}\nfn c();\n#[test]\nfn d() {}";
        let found = functions(&scan(text));
        let spans: Vec<_> = found
            .iter()
            .map(|f| (f.name.as_str(), f.first, f.last))
            .collect();
        assert_eq!(spans, [("a", 1, 6), ("d", 9, 9)]);
        assert_eq!(found[1].attributes, "#[test]");
    }

    #[test]
    fn a_word_is_found_only_whole() {
        assert!(has_word("sled::open()", "sled::"));
        assert!(!has_word("tousled::open()", "sled::"));
        assert!(!has_word("Instants", "Instant"));
        assert!(has_word("a.lock().await;", ".await"));
        assert!(names_crate("let a = sled::open();", "sled::"));
        assert!(names_crate("use ::sled::Db;", "sled::"));
        assert!(!names_crate("super::sled::open()", "sled::"));
    }
}

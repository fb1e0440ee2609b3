//! How code looks: headers, lengths, names, limits and where things lie.

use super::house::{House, RustFile, Wrong};
use super::source::{Function, Line, functions};

/// A file that fits into a head: longer ones hold more than one thing.
const FILE_LIMIT_LINES: usize = 400;
/// A function that fits onto a screen.
const FUNCTION_LIMIT_LINES: usize = 70;
/// `main` starts things; what it starts stands elsewhere.
const MAIN_LIMIT_LINES: usize = 30;
/// A header's first sentence says what the thing is; less is only its name again.
const HEADER_MIN_CHARACTERS: usize = 20;

/// What may lie at the top: each room, the root's files, and the tools' own.
const TOP: [&str; 16] = [
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE",
    "README.md",
    "actors",
    "config",
    "node",
    "runtime",
    "tests",
    ".cargo",
    ".ci",
    ".clippy.toml",
    ".config",
    ".githooks",
    ".gitignore",
    ".rustfmt.toml",
];

/// Names that a library's trait asks for: they are not ours to choose.
const FOREIGN_NAMES: [&str; 1] = ["SnapshotData"];
/// Names that say nothing about the thing, alone or as the last part of a name.
const EMPTY_NAMES: [&str; 8] = [
    "Helper", "Helpers", "Util", "Utils", "Common", "Data", "Info", "Misc",
];

/// Numbers that are as they are: a constant whose name is made of these needs no reason.
const UNITS: [&str; 12] = [
    "KIB", "MIB", "GIB", "TIB", "MICROS", "MS", "S", "SECOND", "MINUTE", "HOUR", "DAY", "WEEK",
];

/// Each file says in one sentence what it is.
pub fn files_have_headers(house: &House) -> Vec<Wrong> {
    let wrong = |file: &RustFile| {
        let first = file.text.lines().next().unwrap_or_default();
        let sentence = first.strip_prefix("//! ").unwrap_or_default();
        let what = "begin with `//! ` and one sentence that says what the thing is";
        (sentence.len() < HEADER_MIN_CHARACTERS).then(|| Wrong::at(&file.path, 1, what))
    };
    house.rust.iter().filter_map(wrong).collect()
}

/// No file is longer than fits into a head.
pub fn files_are_short(house: &House) -> Vec<Wrong> {
    let wrong = |file: &RustFile| {
        let lines = file.lines.len();
        let what =
            format!("{lines} lines, at most {FILE_LIMIT_LINES}: find the second thing in it");
        (lines > FILE_LIMIT_LINES).then(|| Wrong::file(&file.path, what))
    };
    house.rust.iter().filter_map(wrong).collect()
}

/// No function is longer than a screen, and `main` is shorter.
pub fn functions_are_short(house: &House) -> Vec<Wrong> {
    let wrong = |file: &RustFile, function: &Function| {
        let lines = function.last - function.first + 1;
        let limit = if function.name == "main" {
            MAIN_LIMIT_LINES
        } else {
            FUNCTION_LIMIT_LINES
        };
        let what = format!(
            "`{}` has {lines} lines, at most {limit}: give a part of it a name",
            function.name
        );
        (lines > limit).then(|| Wrong::at(&file.path, function.first, what))
    };
    each_function(house, wrong)
}

/// Tests are sentences.
pub fn tests_are_sentences(house: &House) -> Vec<Wrong> {
    let wrong = |file: &RustFile, function: &Function| {
        let name = &function.name;
        let is_test = ["#[test]", "::test]", "::test("]
            .iter()
            .any(|mark| function.attributes.contains(mark));
        let is_sentence = name.matches('_').count() >= 2 && !name.starts_with("test_");
        let what = format!(
            "`{name}` is no sentence: say what is true, as in `a_cancelled_case_starts_nothing_more`"
        );
        (is_test && !is_sentence).then(|| Wrong::at(&file.path, function.first, what))
    };
    each_function(house, wrong)
}

/// Each constant number says why it is that number.
pub fn limits_say_their_reason(house: &House) -> Vec<Wrong> {
    let mut wrongs = Vec::new();
    for file in &house.rust {
        for (at, line) in file
            .lines
            .iter()
            .enumerate()
            .filter(|(_, line)| !line.is_test)
        {
            // What belongs together stands under one reason.
            let is_passed = |line: &Line| {
                line.code.trim_start().starts_with("#[") || constant_number(&line.code).is_some()
            };
            let mut above = file.lines[..at].iter().rev();
            let before = above.find(|line| !is_passed(line));
            let has_doc = before.is_some_and(|line| line.comment.starts_with("///"));
            if let Some(name) = constant_number(&line.code).filter(|_| !has_doc) {
                let what = format!(
                    "`{name}` has no reason: say above it, with `///`, why it is this number"
                );
                wrongs.push(Wrong::at(&file.path, at + 1, what));
            }
        }
    }
    wrongs
}

/// The name of the constant number that is made in a line, unless it is a mere unit.
fn constant_number(code: &str) -> Option<&str> {
    let code = code.trim_start();
    let is_made = [
        "const ",
        "pub const ",
        "pub(crate) const ",
        "pub(super) const ",
    ];
    let rest = is_made.iter().find_map(|begin| code.strip_prefix(begin))?;
    let (name, rest) = rest.split_once(": ")?;
    let kind = rest.split(' ').next()?;
    let numbers = [
        "usize", "u64", "u32", "u16", "u8", "i32", "i64", "f64", "Duration",
    ];
    let is_unit = name.split('_').all(|part| UNITS.contains(&part));
    (numbers.contains(&kind) && !is_unit).then_some(name)
}

/// Nothing is named after what it is not.
pub fn names_say_what_things_are(house: &House) -> Vec<Wrong> {
    let mut wrongs = Vec::new();
    for file in &house.rust {
        let stem = file
            .path
            .rsplit('/')
            .next()
            .unwrap_or_default()
            .trim_end_matches(".rs");
        if EMPTY_NAMES
            .iter()
            .any(|name| name.eq_ignore_ascii_case(stem))
        {
            wrongs.push(Wrong::file(
                &file.path,
                format!("`{stem}` says nothing: name the thing in it"),
            ));
        }
        for (at, line) in file.lines.iter().enumerate() {
            let words: Vec<&str> = line
                .code
                .split(|c: char| !c.is_alphanumeric() && c != '_')
                .collect();
            let kinds = ["struct", "enum", "trait", "type", "mod", "union"];
            // A type within an `impl` has the name that its trait gives it.
            let is_given = |kind: &str| kind == "type" && line.code.starts_with(' ');
            let name = words
                .windows(2)
                .find(|pair| kinds.contains(&pair[0]) && !is_given(pair[0]))
                .map(|pair| pair[1]);
            let is_empty = |name: &str| {
                !FOREIGN_NAMES.contains(&name)
                    && EMPTY_NAMES
                        .iter()
                        .any(|empty| name.ends_with(empty) || name.eq_ignore_ascii_case(empty))
            };
            if let Some(name) = name.filter(|name| is_empty(name)) {
                let what = format!("`{name}` says nothing: name what it is");
                wrongs.push(Wrong::at(&file.path, at + 1, what));
            }
        }
    }
    wrongs
}

/// Examples in comments are pictures, not code: the test runner builds none of them.
pub fn examples_in_comments_are_not_code(house: &House) -> Vec<Wrong> {
    let mut wrongs = Vec::new();
    for file in &house.rust {
        let mut is_open = false;
        for (at, line) in file.lines.iter().enumerate() {
            let text = line.comment.trim_start_matches(['/', '!']).trim();
            if let Some(tag) = text.strip_prefix("```") {
                is_open = !is_open;
                if is_open && (tag.is_empty() || tag.starts_with("rust")) {
                    let what = "say ```text here and show code in a test: doc tests are not run";
                    wrongs.push(Wrong::at(&file.path, at + 1, what));
                }
            }
        }
    }
    wrongs
}

/// At the top lie the rooms and nothing else.
pub fn nothing_else_lies_at_the_top(house: &House) -> Vec<Wrong> {
    let strangers = house
        .top
        .iter()
        .filter(|name| !TOP.contains(&name.as_str()));
    let what = "does not belong at the top: a room of the house has a place for it";
    strangers.map(|name| Wrong::file(name, what)).collect()
}

/// Each command has its file.
pub fn each_command_has_its_file(house: &House) -> Vec<Wrong> {
    let path = "runtime/rules/src/command.rs";
    // Time passes with each entry, so that this one needs no file: `apply` moves the clock on.
    let without = ["Tick"];
    let commands = variants(house, path, "Command");
    let has_file = |name: &str| {
        !house
            .text(&format!("runtime/rules/src/apply/{}.rs", snake(name)))
            .is_empty()
    };
    let alone = commands
        .iter()
        .filter(|name| !without.contains(&name.as_str()) && !has_file(name));
    let mut wrongs: Vec<Wrong> = alone
        .map(|name| {
            Wrong::file(
                path,
                format!("`{name}` has no file: write apply/{}.rs", snake(name)),
            )
        })
        .collect();
    if commands.is_empty() {
        wrongs.push(Wrong::file(path, "no command was found in it"));
    }
    wrongs
}

/// The names of an enum's variants.
fn variants(house: &House, path: &str, name: &str) -> Vec<String> {
    let Some(file) = house.rust.iter().find(|file| file.path == path) else {
        return Vec::new();
    };
    let head = format!("pub enum {name} {{");
    let body = file
        .lines
        .iter()
        .skip_while(|line| line.code.trim() != head)
        .skip(1);
    let body = body.take_while(|line| line.code != "}");
    // One step in, with a capital: further in stand the fields.
    let is_variant = |code: &&str| {
        code.strip_prefix("    ")
            .is_some_and(|rest| rest.starts_with(char::is_uppercase))
    };
    body.map(|line| line.code.as_str())
        .filter(is_variant)
        .map(|code| code.trim().trim_end_matches([' ', '{', ',']).to_owned())
        .map(|code| code.split('(').next().unwrap_or_default().to_owned())
        .collect()
}

/// `OpenCase` as `open_case`.
fn snake(name: &str) -> String {
    let mut snake = String::new();
    for character in name.chars() {
        if character.is_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.extend(character.to_lowercase());
    }
    snake
}

fn each_function(
    house: &House,
    wrong: impl Fn(&RustFile, &Function) -> Option<Wrong>,
) -> Vec<Wrong> {
    let mut wrongs = Vec::new();
    for file in &house.rust {
        wrongs.extend(
            functions(&file.lines)
                .iter()
                .filter_map(|function| wrong(file, function)),
        );
    }
    wrongs
}

//! Text that means harm: each ends soon, in bounded memory, with a sentence that says what to do.

#![expect(
    clippy::unwrap_used,
    reason = "a test says what it expects by unwrapping"
)]

use config::document::{Bundle, Known, Loaded, Source, load};
use config::measure::{parse_bytes, parse_cpu_millis, parse_ms};
use config::mistake::{Mistakes, shown};
use config::name::Name;
use config::near::nearest;
use config::settings::{DEFAULT_TOML, Settings};
use proptest::prelude::*;

const KNOWN: Known<'_> = Known { kernels: &["cli"] };

fn read(bytes: &[u8]) -> Result<Loaded, Mistakes> {
    let files = [("t.yaml".to_owned(), bytes.into())].into();
    load(
        Source::Bundle(&Bundle {
            documents: vec!["t.yaml".to_owned()],
            files,
        }),
        &KNOWN,
    )
}

fn complaint(text: &str) -> String {
    read(text.as_bytes()).unwrap_err().to_string()
}

#[test]
fn deep_nesting_is_refused_where_it_gets_too_deep() {
    let message = complaint(&format!("kind: {}", "[".repeat(1 << 20)));
    assert!(
        message.contains("nested deeper than 16 levels"),
        "{message}"
    );
    assert!(message.starts_with("t.yaml:1:"), "{message}");
    let message = complaint(&"- ".repeat(1 << 20));
    assert!(
        message.contains("nested deeper than 16 levels"),
        "{message}"
    );
}

#[test]
fn an_alias_bomb_is_refused_at_its_first_anchor() {
    let nine = |letter: char| vec![format!("*{letter}"); 9].join(", ");
    let lines = "abcdefgh".chars().zip("bcdefghi".chars());
    let lines: Vec<String> = lines
        .map(|(before, after)| format!("{after}: &{after} [{}]", nine(before)))
        .collect();
    let bomb = format!("a: &a [x, x, x]\n{}\n", lines.join("\n"));
    let message = complaint(&bomb);
    assert!(message.contains("t.yaml:1:"), "{message}");
    assert!(message.contains("anchors are not taken here"), "{message}");
    assert!(message.contains("aliases are not taken here"), "{message}");
}

#[test]
fn tags_and_directives_are_refused() {
    assert!(complaint("kind: !!str team\n").contains("tags are not taken here"));
    assert!(complaint("%YAML 1.2\n---\nkind: team\n").contains("directives"));
}

#[test]
fn a_key_that_stands_twice_is_refused_with_the_place_of_the_second() {
    let message = complaint("kind: team\nname: a\nkind: team\nbutler: {name: b}\n");
    assert_eq!(
        message,
        "t.yaml:3:1 (document 1): the key `kind` stands twice"
    );
}

#[test]
fn a_tab_is_named() {
    let message = complaint("kind: team\nbutler:\n\tname: x\n");
    assert!(message.contains("t.yaml:3:"), "{message}");
    assert!(
        message.contains("a tab stands where YAML takes only spaces"),
        "{message}"
    );
}

#[test]
fn empty_documents_and_empty_files_are_refused() {
    for text in ["", "\n\n", "# nothing\n"] {
        let message = complaint(text);
        assert!(
            message.contains("t.yaml: it holds no document"),
            "{text:?}: {message}"
        );
    }
    let message = complaint("kind: x\n---\n---\nkind: y\n");
    assert!(
        message.contains("(document 2): the document is empty"),
        "{message}"
    );
}

#[test]
fn after_a_broken_document_the_next_ones_are_still_read() {
    let message = complaint("kind: [\n---\nkind: tem\n---\nkind: 'x\n---\nkind: y\n");
    assert!(
        message.contains("(document 1): this is not YAML"),
        "{message}"
    );
    assert!(message.contains("did you mean `team`?"), "{message}");
}

#[test]
fn a_byte_order_mark_is_taken_and_utf16_is_named() {
    let text = "\u{feff}kind: team\r\nname: a\r\nbutler: {name: b}\r\n";
    assert!(read(text.as_bytes()).is_ok());
    let message = read(b"\xff\xfek\0i\0").unwrap_err().to_string();
    assert!(message.contains("t.yaml: is not UTF-8"), "{message}");
    assert!(message.contains("it looks like UTF-16"), "{message}");
    assert!(
        read(b"kind: \xc3\x28")
            .unwrap_err()
            .to_string()
            .contains("offset 6")
    );
}

#[test]
fn a_hundred_megabytes_are_refused_by_their_size() {
    let bytes = vec![b'a'; 100 << 20];
    let message = read(&bytes).unwrap_err().to_string();
    assert_eq!(message, "t.yaml: `t.yaml` is larger than 4MiB");
    let folder = std::path::Path::new(".");
    let message = load(
        Source::Bytes {
            bytes: &bytes,
            folder,
        },
        &KNOWN,
    )
    .unwrap_err()
    .to_string();
    assert_eq!(message, "stdin: a file of documents is larger than 4MiB");
    let endless = Source::Path(std::path::Path::new("/dev/zero"));
    let message = load(endless, &KNOWN).unwrap_err().to_string();
    assert_eq!(
        message,
        "/dev/zero: a file of documents is larger than 4MiB"
    );
}

#[test]
fn a_million_small_values_are_refused_by_their_number() {
    let message = complaint(&"- x\n".repeat(1 << 20));
    assert!(
        message.contains("the file holds more than 100000 values"),
        "{message}"
    );
    let message = complaint(&"---\n".repeat(1 << 20));
    assert!(message.contains("the document is empty"), "{message}");
}

#[test]
fn a_megabyte_of_mistakes_costs_no_more_than_the_first_ones() {
    for line in ["x9=\n", "a=1\n", "[a]\n", "\"k\"={\n"] {
        let text = line.repeat((1 << 20) / line.len());
        let mistakes = Settings::parse("domo.toml", &text).unwrap_err();
        assert!(mistakes.kept().len() <= config::mistake::MOST_MISTAKES);
    }
    let lines: Vec<String> = (0..100_000)
        .map(|number| format!("k{number} = 1"))
        .collect();
    let text = format!("[limits]\n{}", lines.join("\n"));
    let mistakes = Settings::parse("domo.toml", &text).unwrap_err();
    assert_eq!(mistakes.kept().len(), config::mistake::MOST_MISTAKES);
}

#[test]
fn a_list_as_a_key_is_refused() {
    assert!(complaint("? [a]\n: b\n").contains("a list or a map cannot be a key"));
}

#[test]
fn what_is_wrong_is_never_shown_raw() {
    let message = complaint("kind: \"\\e[2J\"\n\"\\e]0;x\": y\n");
    assert!(!message.contains('\u{1b}'), "{message:?}");
}

/// Text made of what YAML and TOML care about, so that it gets far into the parsers.
fn near_text() -> impl Strategy<Value = String> {
    const PIECES: [&str; 44] = [
        "kind",
        "name",
        "team",
        "worker",
        "playbook",
        "butler",
        "stages",
        "skill",
        "after",
        "soul",
        "limits",
        "node",
        "limits",
        "blob_bytes",
        "64MiB",
        "10m",
        "0.5",
        ": ",
        ":",
        "- ",
        "---\n",
        "...\n",
        "\n",
        "\n  ",
        "\n    ",
        "[",
        "]",
        "{",
        "}",
        ", ",
        "\"",
        "'",
        "#",
        "&a ",
        "*a",
        "!!str ",
        "|\n",
        ">\n",
        "? ",
        "= ",
        "\t",
        "\u{feff}",
        "é",
        "\u{0}",
    ];
    let piece = proptest::sample::select(&PIECES[..]);
    proptest::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

/// A good text with one part of it cut out or put elsewhere.
fn broken(text: &'static str) -> impl Strategy<Value = String> {
    let chars = text.chars().count();
    (0..chars, 0..80_usize, 0..chars).prop_map(move |(start, len, to)| {
        let mut all: Vec<char> = text.chars().collect();
        let cut: Vec<char> = all.drain(start..(start + len).min(chars)).collect();
        let to = to.min(all.len());
        all.splice(to..to, cut.into_iter().take(len / 2));
        all.into_iter().collect()
    })
}

const GOOD: &str = "\
kind: team
name: sre
butler:
  name: sre-bot
  command: [domo, plan]
---
kind: worker
name: disk
team: sre
command: [\"df\", '-h']
limits: {cpu: 0.5, memory: 256MiB}
env:
  A: b
---
kind: playbook
name: look
team: sre
stages:
  - name: a
    skill: disk
  - name: b
    worker: disk
    after: [a]
    brief: |
      Look
      twice.
    approval: {by: [lead]}
";

proptest! {
    #[test]
    fn no_bytes_make_the_reader_of_documents_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = read(&bytes);
    }

    #[test]
    fn no_text_makes_the_reader_of_documents_panic(text in near_text()) {
        let _ = read(text.as_bytes());
    }

    #[test]
    fn no_broken_document_makes_its_reader_panic(text in broken(GOOD)) {
        if let Err(mistakes) = read(text.as_bytes()) {
            prop_assert!(!mistakes.is_empty());
            for mistake in mistakes.kept() {
                prop_assert!(mistake.to_string().starts_with("t.yaml"), "{}", mistake);
            }
        }
    }

    #[test]
    fn no_text_makes_the_reader_of_settings_panic(text in near_text()) {
        let _ = Settings::parse("domo.toml", &text);
    }

    #[test]
    fn no_broken_settings_make_their_reader_panic(text in broken(DEFAULT_TOML)) {
        let _ = Settings::parse("domo.toml", &text);
    }

    #[test]
    fn no_variable_and_no_flag_makes_the_reader_of_settings_panic(
        line in 0..40_usize,
        value in ".{0,40}",
        key in "[a-z_.]{0,20}",
    ) {
        let defaults = Settings::parse("", "").unwrap();
        let lines = defaults.lines();
        let known = lines[line % lines.len()].key.clone();
        let name = format!("DOMO_{}", known.to_uppercase().replace('.', "__"));
        let _ = Settings::load(None, [(name, value.clone())].into_iter(), &[(key, value)]);
    }

    #[test]
    fn no_text_makes_a_small_parser_panic(text in ".{0,40}") {
        let _ = (parse_bytes(&text), parse_ms(&text), parse_cpu_millis(&text), Name::new(&text));
        let _ = nearest(&text, ["memory", "é", ""]);
        prop_assert!(!shown(&text).chars().any(char::is_control));
    }
}

//! What the command line takes, and what it says of itself.

use clap::error::ErrorKind;
use clap::{Command, CommandFactory as _, Parser as _};

use super::Domo;

fn parse(line: &str) -> Result<Domo, clap::Error> {
    Domo::try_parse_from(words(line))
}

/// Splits a line as a shell does, as far as the examples need it: words, double quotes, and
/// nothing behind a `>` or before a `|`.
fn words(line: &str) -> Vec<String> {
    let line = line.split_once(" > ").map_or(line, |(before, _)| before);
    let line = line.rsplit_once(" | ").map_or(line, |(_, after)| after);
    let mut words = Vec::new();
    for (at, part) in line.split('"').enumerate() {
        if at % 2 == 1 {
            words.push(part.to_owned());
        } else {
            words.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    words
}

fn all_commands(command: &Command, found: &mut Vec<(String, Command)>, path: &str) {
    for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set()) {
        let path = format!("{path} {}", sub.get_name());
        found.push((path.clone(), sub.clone()));
        all_commands(sub, found, &path);
    }
}

fn commands() -> Vec<(String, Command)> {
    let mut top = Domo::command();
    top.build();
    let mut found = vec![("domo".to_owned(), top.clone())];
    all_commands(&top, &mut found, "domo");
    found.retain(|(path, _)| !path.contains(" help"));
    found
}

fn examples(command: &Command) -> Vec<String> {
    let text = command
        .get_after_help()
        .map(ToString::to_string)
        .unwrap_or_default();
    let lines = text.lines().filter_map(|line| line.strip_prefix("  "));
    lines
        .filter(|line| line.contains("domo "))
        .map(str::to_owned)
        .collect()
}

#[test]
fn the_definition_is_sound() {
    Domo::command().debug_assert();
}

#[test]
fn every_verb_has_examples_and_each_is_a_valid_line_of_that_verb() {
    for (path, command) in commands() {
        let examples = examples(&command);
        if command.has_subcommands() && path != "domo" {
            continue;
        }
        assert!(!examples.is_empty(), "`{path}` has no examples");
        for example in examples {
            if let Err(error) = parse(&example) {
                panic!("`{example}` of `{path}`: {error}");
            }
            let plain = example.replace("domo --socket ~/domo-dev/admin.sock", "domo");
            let plain = plain.replace("domo --socket /var/lib/domo/admin.sock", "domo");
            assert!(
                plain.contains(&path),
                "`{example}` is no example of `{path}`"
            );
        }
    }
}

#[test]
fn every_verb_and_every_flag_says_what_it_does() {
    for (path, command) in commands() {
        assert!(
            command.get_about().is_some(),
            "`{path}` says nothing of itself"
        );
        for argument in command.get_arguments() {
            let says = argument
                .get_help()
                .map(ToString::to_string)
                .unwrap_or_default();
            assert!(
                !says.is_empty(),
                "`{path}` says nothing of {}",
                argument.get_id()
            );
        }
    }
}

#[test]
fn every_changing_verb_takes_a_request_id() {
    for verb in [
        "submit", "cancel", "pause", "resume", "amend", "answer", "approve", "reject", "settle",
    ] {
        let (_, command) = commands()
            .into_iter()
            .find(|(path, _)| path == &format!("domo case {verb}"))
            .unwrap();
        assert!(
            command
                .get_arguments()
                .any(|argument| argument.get_id() == "request_id"),
            "{verb}"
        );
    }
}

#[test]
fn wrong_usage_is_exit_code_2_and_names_what_was_meant() {
    for (line, meant) in [
        ("domo cas list", "case"),
        ("domo case sumbit x", "submit"),
        ("domo case list --tema sre", "--team"),
        ("domo case list --status runing", "running"),
        ("domo case list --limit 0", "1..=1000"),
        ("domo case submit --timeout 5 x", "timeout"),
        ("domo worker show k8s", "sre/k8s-root-cause"),
        ("domo apply", "--file"),
        ("domo --output yaml status", "json"),
        ("domo case submit --file a.md text", "cannot be used with"),
    ] {
        let error = parse(line)
            .err()
            .unwrap_or_else(|| panic!("`{line}` is taken"));
        assert_eq!(error.exit_code(), 2, "{line}");
        assert!(error.to_string().contains(meant), "`{line}`: {error}");
    }
}

#[test]
fn help_is_no_error() {
    for line in ["domo --help", "domo case submit --help", "domo --version"] {
        let error = parse(line).err().unwrap();
        assert_eq!(error.exit_code(), 0, "{line}");
        assert!(matches!(
            error.kind(),
            ErrorKind::DisplayHelp | ErrorKind::DisplayVersion
        ));
    }
}

#[test]
fn the_socket_and_the_output_are_taken_everywhere() {
    for line in [
        "domo --socket /a/b --output json status",
        "domo status --socket /a/b --output json",
        "domo case list --socket /a/b -o json",
    ] {
        let domo = parse(line).unwrap();
        assert_eq!(
            domo.global.socket.as_deref(),
            Some(std::path::Path::new("/a/b")),
            "{line}"
        );
    }
}

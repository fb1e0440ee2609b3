//! Words that must not stand in the workspace, and what to write instead.

use super::house::{House, Wrong};
use super::source::{functions, has_word};

/// What is not finished, in code.
const UNFINISHED: [(&str, &str); 7] = [
    ("todo!", "build it, or leave it out"),
    ("unimplemented!", "build it, or leave it out"),
    ("dbg!", "write with tracing::debug!"),
    ("#[ignore", "mend the test or remove it: nothing is skipped"),
    (
        "#[allow(",
        "use #[expect(…, reason = \"…\")], which ends with its reason",
    ),
    (
        "#![allow(",
        "use #![expect(…, reason = \"…\")], which ends with its reason",
    ),
    ("panic::set_hook", "let the supervisor see the panic"),
];

/// What is not finished, in comments, scripts and settings; in halves, so that this file is tidy.
const LATER: [(&str, &str); 4] = [("TO", "DO"), ("FIX", "ME"), ("XX", "X"), ("HA", "CK")];

/// Places of one machine, hosts of package registries and papers that are not in the workspace;
/// in halves likewise.
const OUTSIDE: [(&str, &str, &str); 17] = [
    ("/ho", "me/", "take the path as an argument"),
    ("/ro", "ot/", "take the path as an argument"),
    ("/Us", "ers/", "take the path as an argument"),
    ("/tm", "p/h/", "take the path as an argument"),
    ("/wo", "rk/", "take the path as an argument"),
    (
        "crates",
        ".io",
        "leave the registry to the user's own settings",
    ),
    (
        "pypi",
        ".org",
        "leave the registry to the user's own settings",
    ),
    (
        "npmjs",
        ".",
        "leave the registry to the user's own settings",
    ),
    ("hub.docker", ".com", "nothing is pulled"),
    ("index.docker", ".io", "nothing is pulled"),
    ("ghcr", ".io", "nothing is pulled"),
    ("quay", ".io", "nothing is pulled"),
    (
        "deb.debian",
        ".org",
        "leave the mirror to the user's own settings",
    ),
    (
        "DESIGN",
        ".md",
        "say it here: a reader has only this workspace",
    ),
    (
        "FACTS",
        ".md",
        "say it here: a reader has only this workspace",
    ),
    (
        "DESIGN",
        " section",
        "say it here: a reader has only this workspace",
    ),
    (
        "FACTS",
        " section",
        "say it here: a reader has only this workspace",
    ),
];

/// Nothing is left for later.
pub fn nothing_is_left_for_later(house: &House) -> Vec<Wrong> {
    let mut wrongs = Vec::new();
    for file in &house.rust {
        for (at, line) in file.lines.iter().enumerate() {
            for (word, instead) in UNFINISHED
                .iter()
                .filter(|(word, _)| has_word(&line.code, word))
            {
                wrongs.push(Wrong::at(
                    &file.path,
                    at + 1,
                    format!("`{word}`: {instead}"),
                ));
            }
        }
    }
    for file in house.texts.iter().filter(|file| !is_recording(&file.path)) {
        for (at, line) in file.text.lines().enumerate() {
            for word in LATER.map(|(begin, end)| format!("{begin}{end}")) {
                if has_word(line, &word) {
                    wrongs.push(Wrong::at(
                        &file.path,
                        at + 1,
                        format!("`{word}`: do it now"),
                    ));
                }
            }
        }
    }
    wrongs
}

/// Nothing of one machine, of a registry or of papers elsewhere.
pub fn nothing_points_outside(house: &House) -> Vec<Wrong> {
    let mut wrongs = Vec::new();
    let is_ours = |path: &str| !is_recording(path) && path != "Cargo.lock";
    for file in house.texts.iter().filter(|file| is_ours(&file.path)) {
        for (at, line) in file.text.lines().enumerate() {
            for (begin, end, instead) in OUTSIDE {
                let word = format!("{begin}{end}");
                if line.contains(&word) {
                    wrongs.push(Wrong::at(
                        &file.path,
                        at + 1,
                        format!("`{word}`: {instead}"),
                    ));
                }
            }
        }
    }
    wrongs
}

/// Tests wait for a condition, with a limit: only what has a deadline may pause.
pub fn tests_do_not_sleep(house: &House) -> Vec<Wrong> {
    let mut wrongs = Vec::new();
    for file in &house.rust {
        let functions = functions(&file.lines);
        // A test's own agent sleeps because it is told to: that is what it is for. In a simulation
        // nobody waits: its time passes when nothing else can happen.
        let is_meant = ["tests/agent/", "tests/sim/"];
        let is_meant = is_meant.iter().any(|path| file.path.starts_with(path));
        if is_meant || functions.iter().any(|function| function.name == "main") {
            continue;
        }
        for (at, line) in file.lines.iter().enumerate() {
            if !(file.is_test() || line.is_test) || !has_word(&line.code, "sleep(") {
                continue;
            }
            // The innermost function around it is the one that began last.
            let around = functions.iter().rev();
            let mut around = around.filter(|f| f.first <= at + 1 && at < f.last);
            let has_deadline = around.next().is_some_and(|function| {
                let body = &file.lines[function.first - 1..function.last];
                body.iter()
                    .any(|line| line.code.contains("Deadline::after"))
            });
            if !has_deadline {
                let what = "a test does not sleep: wait for a condition until a Deadline";
                wrongs.push(Wrong::at(&file.path, at + 1, what));
            }
        }
    }
    wrongs
}

/// Recordings of other people's systems hold other people's words.
fn is_recording(path: &str) -> bool {
    path.starts_with("config/examples/") && path.contains("/clusters/")
}

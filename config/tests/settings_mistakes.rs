//! What a person meets whose settings are wrong: every mistake with its place and what to do.

#![expect(
    clippy::unwrap_used,
    reason = "a test says what it expects by unwrapping"
)]

use std::path::Path;

use config::mistake::Mistakes;
use config::settings::Settings;

fn pairs(of: &[(&str, &str)]) -> Vec<(String, String)> {
    of.iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect()
}

fn load(
    file: Option<&Path>,
    env: &[(&str, &str)],
    flags: &[(&str, &str)],
) -> Result<Settings, Mistakes> {
    Settings::load(file, pairs(env).into_iter(), &pairs(flags))
}

/// The message for a settings file with this text.
fn complaint(text: &str) -> String {
    Settings::parse("domo.toml", text).unwrap_err().to_string()
}

#[test]
fn an_unknown_key_names_the_nearest_known_one_with_its_place() {
    assert_eq!(
        complaint("[limits]\n\n  blob_byts = 1\n"),
        "domo.toml:3:3: unknown key `blob_byts` in [limits]; did you mean `blob_bytes`?"
    );
    assert_eq!(
        complaint("[limit]\nblob_bytes = 1\n"),
        "domo.toml:1:2: unknown key `[limit]`; did you mean `limits`?"
    );
}

#[test]
fn a_known_key_in_the_wrong_section_is_sent_to_its_own() {
    assert_eq!(
        complaint("[agents]\nblob_bytes = 1\n"),
        "domo.toml:2:1: unknown key `blob_bytes` in [agents]; did you mean `blob_bytes` in [limits]?"
    );
    assert_eq!(
        complaint("heartbeat_ms = 1\n"),
        "domo.toml:1:1: unknown key `[heartbeat_ms]`; did you mean `heartbeat_ms` in [ledger]?"
    );
}

#[test]
fn an_unknown_variable_or_flag_names_the_nearest_known_key() {
    let env = [("DOMO_LIMIT__BLOB_BYTES", "1MiB")];
    assert_eq!(
        load(None, &env, &[]).unwrap_err().to_string(),
        "environment DOMO_LIMIT__BLOB_BYTES: unknown key `limit.blob_bytes`; \
         did you mean `limits.blob_bytes`?"
    );
    assert_eq!(
        load(None, &[], &[("agent.pids", "9")])
            .unwrap_err()
            .to_string(),
        "flag agent.pids: unknown key `agent.pids`; did you mean `agents.pids`?"
    );
}

#[test]
fn a_wrong_type_names_key_value_and_what_is_wanted() {
    assert_eq!(
        complaint("[agents]\npids = \"many\"\n"),
        "domo.toml:2:8: `agents.pids` must be a whole number, not the text \"many\""
    );
    assert_eq!(
        complaint("[engine]\nunconfined = \"true\"\n"),
        "domo.toml:2:14: `engine.unconfined` must be true or false, not the text \"true\""
    );
    assert_eq!(
        complaint("[node]\ndata = [\"a\"]\n"),
        "domo.toml:2:8: `node.data` must be a text in quotes, not a list"
    );
    assert_eq!(
        complaint("engine = 3\n"),
        "domo.toml:1:1: `engine` must be a section: [engine] on a line of its own, not the number 3"
    );
    assert_eq!(
        load(None, &[("DOMO_AGENTS__PIDS", "-4")], &[])
            .unwrap_err()
            .to_string(),
        "environment DOMO_AGENTS__PIDS: `agents.pids` must be a whole number, not `-4`"
    );
}

#[test]
fn a_value_out_of_range_names_what_is_allowed() {
    assert_eq!(
        complaint("[agents]\npids = 3\n"),
        "domo.toml:2:8: `agents.pids` is `3`; allowed: 4 to 65536"
    );
    assert_eq!(
        load(None, &[], &[("limits.blob_bytes", "2GiB")])
            .unwrap_err()
            .to_string(),
        "flag limits.blob_bytes: `limits.blob_bytes` is `2GiB`; allowed: 64KiB to 1GiB"
    );
    assert_eq!(
        complaint("[limits]\nblob_bytes = \"64MB\"\n"),
        "domo.toml:2:14: `limits.blob_bytes` is `64MB`; \
         unknown unit `MB`: the units are B, KiB, MiB, GiB, TiB"
    );
    assert_eq!(
        complaint("[engine]\nkind = \"doker\"\n"),
        "domo.toml:2:8: `engine.kind` is `doker`; \
         allowed: auto, docker, process; did you mean `docker`?"
    );
    assert_eq!(
        complaint("[node]\nname = \"Node 1\"\n"),
        "domo.toml:2:8: `node.name` is `Node 1`; \
         a name has lower-case letters, digits and `-`, not `N`"
    );
}

#[test]
fn a_socket_path_longer_than_the_kernel_takes_is_refused() {
    let long = format!("/{}", "s".repeat(107));
    let message = load(None, &[], &[("admin.socket", &long)])
        .unwrap_err()
        .to_string();
    assert!(
        message.ends_with("allowed: a path of at most 107 bytes"),
        "{message}"
    );
    assert!(load(None, &[], &[("admin.socket", &long[1..])]).is_ok());
}

#[test]
fn a_hidden_value_is_checked_too() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("domo.toml");
    std::fs::write(&file, "[agents]\npids = 1\n").unwrap();
    let message = load(Some(&file), &[("DOMO_AGENTS__PIDS", "9")], &[])
        .unwrap_err()
        .to_string();
    assert!(message.contains("`agents.pids` is `1`"), "{message}");
}

#[test]
fn elections_that_would_never_end_are_refused() {
    assert_eq!(
        complaint("[ledger]\nheartbeat_ms = \"800ms\"\n"),
        "default: `ledger.election_min_ms` is 500ms, below twice `ledger.heartbeat_ms` (800ms)"
    );
    assert_eq!(
        complaint("[ledger]\nelection_max_ms = \"500ms\"\n"),
        "domo.toml:2:19: `ledger.election_max_ms` is 500ms, \
         not above `ledger.election_min_ms` (500ms)"
    );
}

#[test]
fn all_mistakes_are_told_at_once() {
    let text = "[agents]\npids = 1\ncpu = \"x\"\n[limits]\nstream = 1\n[logs]\n";
    let mistakes = Settings::parse("domo.toml", text).unwrap_err();
    assert_eq!(mistakes.kept().len(), 4, "{mistakes}");
}

#[test]
fn a_syntax_error_has_its_line_and_column() {
    let message = complaint("[agents]\npids = \n");
    assert!(message.starts_with("domo.toml:2:"), "{message}");
    let message = complaint("[agents]\npids = 9\npids = 9\n");
    assert!(
        message.starts_with("domo.toml:3:1: duplicate key"),
        "{message}"
    );
    let message = complaint("[limits]\nblob_bytes = \"64M");
    assert!(
        message.starts_with("domo.toml:2:"),
        "half a file: {message}"
    );
}

#[test]
fn a_column_counts_characters_not_bytes() {
    let message = complaint("[log]\n\"ééé\" = 1\n");
    assert!(
        message.starts_with("domo.toml:2:1: unknown key `ééé`"),
        "{message}"
    );
    let message = complaint("[node]\nlabels = { a = \"ßß\" }\n[\"öö\"]\n");
    assert!(
        message.starts_with("domo.toml:3:2: unknown key `[öö]`"),
        "{message}"
    );
}

#[test]
fn a_missing_file_a_folder_and_a_huge_file_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("none.toml");
    let message = load(Some(&missing), &[], &[]).unwrap_err().to_string();
    assert!(
        message.contains("none.toml: cannot be read: No such file"),
        "{message}"
    );

    let message = load(Some(folder.path()), &[], &[]).unwrap_err().to_string();
    assert!(
        message.ends_with("cannot be read: it is a folder"),
        "{message}"
    );

    let huge = folder.path().join("huge.toml");
    std::fs::File::create(&huge)
        .unwrap()
        .set_len(1 << 30)
        .unwrap();
    let message = load(Some(&huge), &[], &[]).unwrap_err().to_string();
    assert!(
        message.ends_with("a settings file is larger than 1MiB"),
        "{message}"
    );
}

#[test]
fn an_endless_file_is_read_no_further_than_its_limit() {
    let message = load(Some(Path::new("/dev/zero")), &[], &[])
        .unwrap_err()
        .to_string();
    assert!(
        message.ends_with("a settings file is larger than 1MiB"),
        "{message}"
    );
}

#[test]
fn wrong_utf8_is_named_with_its_offset_and_a_byte_order_mark_is_taken() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("domo.toml");
    std::fs::write(&file, b"[log]\nfilter = \"\xff\"\n").unwrap();
    let message = load(Some(&file), &[], &[]).unwrap_err().to_string();
    assert!(
        message.contains("is not UTF-8: the byte at offset 16"),
        "{message}"
    );

    std::fs::write(&file, b"\xef\xbb\xbf[agents]\r\npids = 9\r\n").unwrap();
    assert_eq!(load(Some(&file), &[], &[]).unwrap().agents.pids, 9);

    std::fs::write(&file, b"\xff\xfe[\0a\0").unwrap();
    let message = load(Some(&file), &[], &[]).unwrap_err().to_string();
    assert!(message.contains("it looks like UTF-16"), "{message}");
}

#[test]
fn deep_nesting_is_refused() {
    for open in ["[", "{a="] {
        let message = complaint(&format!("[node]\nlabels = {}", open.repeat(100_000)));
        assert!(message.starts_with("domo.toml:2:"), "{message}");
    }
}

#[test]
fn a_value_cannot_write_to_the_terminal() {
    let message = complaint("[engine]\nkind = \"\\u001b[2J\"\n");
    assert!(message.contains("`\\u{1b}[2J`"), "{message:?}");
}
#[test]
fn labels_of_a_wrong_type_or_too_many_are_refused() {
    let message = complaint("[node.labels]\nzone = 3\n");
    assert!(
        message.ends_with("`node.labels.zone` must be a text in quotes, not the number 3"),
        "{message}"
    );
    let many: Vec<String> = (0..33).map(|number| format!("l{number}=x")).collect();
    let many = many.join(",");
    let message = load(None, &[], &[("node.labels", &many)])
        .unwrap_err()
        .to_string();
    assert!(message.contains("33 pairs"), "{message}");
}

//! What a person meets who writes settings: the layers, their order, and what each key says about itself.

use std::path::Path;

use config::mistake::{Mistakes, Place};
use config::settings::{DEFAULT_TOML, EngineChoice, LogFormat, Settings, StoreChoice};

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

#[test]
fn without_anything_the_defaults_stand() {
    let settings = load(None, &[], &[]).unwrap();
    assert_eq!(settings.limits.blob_bytes, 64 << 20);
    assert_eq!(settings.limits.case_bytes, 256 << 20);
    assert_eq!(settings.ledger.store, StoreChoice::Sled);
    assert_eq!(settings.ledger.heartbeat_ms, 100);
    assert_eq!(settings.engine.kind, EngineChoice::Auto);
    assert!(!settings.engine.unconfined);
    assert_eq!(settings.admin.mode, 0o600);
    assert_eq!(settings.admin.socket, None);
    assert_eq!(settings.agents.cpu_millis, 1000);
    assert_eq!(settings.log.format, LogFormat::Human);
    assert!(settings.node.labels.is_empty());
}

#[test]
fn a_flag_beats_the_environment_which_beats_the_file_which_beats_the_default() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("domo.toml");
    std::fs::write(
        &file,
        "[agents]\npids = 11\ngrace_ms = \"1s\"\nwall_ms = \"1m\"\n",
    )
    .unwrap();
    let env = [("DOMO_AGENTS__PIDS", "12"), ("DOMO_AGENTS__GRACE_MS", "2s")];
    let flags = [("agents.pids", "13")];
    let settings = load(Some(&file), &env, &flags).unwrap();
    assert_eq!(settings.agents.pids, 13);
    assert_eq!(settings.agents.grace_ms, 2_000);
    assert_eq!(settings.agents.wall_ms, 60_000);
    let from = |key: &str| {
        let line = settings
            .lines()
            .iter()
            .find(|line| line.key == key)
            .unwrap();
        line.from.clone()
    };
    assert_eq!(from("agents.pids"), Place::Flag("agents.pids".to_owned()));
    assert_eq!(
        from("agents.grace_ms"),
        Place::Environment("DOMO_AGENTS__GRACE_MS".to_owned())
    );
    assert!(
        from("agents.wall_ms")
            .to_string()
            .ends_with("domo.toml:4:11")
    );
    assert_eq!(from("agents.cpu"), Place::Default);
}

#[test]
fn of_two_flags_for_one_key_the_later_stands() {
    let settings = load(None, &[], &[("agents.pids", "12"), ("agents.pids", "13")]).unwrap();
    assert_eq!(settings.agents.pids, 13);
}

#[test]
fn each_key_of_the_default_file_is_read_and_has_a_line() {
    let settings = load(None, &[], &[]).unwrap();
    let mut read: Vec<&str> = settings
        .lines()
        .iter()
        .map(|line| line.key.as_str())
        .collect();
    read.sort_unstable();
    let mut written = keys_of_default_file()
        .into_iter()
        .map(|(key, _)| key)
        .collect::<Vec<_>>();
    written.sort();
    assert_eq!(read, written);
}

#[test]
fn each_key_of_the_default_file_says_what_is_allowed_as_the_code_does() {
    let settings = load(None, &[], &[]).unwrap();
    for (key, allowed) in keys_of_default_file() {
        let line = settings
            .lines()
            .iter()
            .find(|line| line.key == key)
            .unwrap();
        assert_eq!(
            allowed, line.allowed,
            "the comment above {key} says something else"
        );
    }
}

/// Each key with what the `# Allowed:` comment above it says.
fn keys_of_default_file() -> Vec<(String, String)> {
    let (mut section, mut allowed, mut keys) = ("", String::new(), Vec::new());
    for line in DEFAULT_TOML.lines() {
        if let Some(name) = line.strip_prefix('[') {
            section = name.trim_end_matches(']');
        } else if let Some(text) = line.strip_prefix("# Allowed: ") {
            text.trim_end_matches('.').clone_into(&mut allowed);
        } else if let Some((key, _)) = line.split_once(" = ").filter(|_| !line.starts_with('#')) {
            keys.push((format!("{section}.{key}"), std::mem::take(&mut allowed)));
        }
    }
    keys
}

#[test]
fn the_default_file_given_as_the_settings_file_changes_nothing() {
    let parsed = Settings::parse("default.toml", DEFAULT_TOML).unwrap();
    let defaults = load(None, &[], &[]).unwrap();
    assert_eq!(parsed.limits, defaults.limits);
    assert_eq!(parsed.agents, defaults.agents);
    assert_eq!(parsed.node, defaults.node);
}

#[test]
fn what_a_line_shows_can_be_given_back_as_a_flag() {
    let env = [
        ("DOMO_NODE__LABELS", "zone=a,disk=ssd"),
        ("DOMO_NODE__NAME", "n-1"),
    ];
    let settings = load(None, &env, &[("agents.cpu", "0.25")]).unwrap();
    let flags: Vec<(String, String)> = settings
        .lines()
        .iter()
        .map(|line| (line.key.clone(), line.value.clone()))
        .collect();
    let again = Settings::load(None, std::iter::empty(), &flags).unwrap();
    assert_eq!(again.node, settings.node);
    assert_eq!(again.admin, settings.admin);
    assert_eq!(again.ledger, settings.ledger);
    assert_eq!(again.engine, settings.engine);
    assert_eq!(again.limits, settings.limits);
    assert_eq!(again.agents, settings.agents);
    assert_eq!(again.log, settings.log);
}

#[test]
fn numbers_and_human_forms_mean_the_same() {
    let text = "[limits]\nblob_bytes = 1048576\n[agents]\nwall_ms = 60000\ncpu = 2\n";
    let settings = Settings::parse("domo.toml", text).unwrap();
    assert_eq!(settings.limits.blob_bytes, 1 << 20);
    assert_eq!(settings.agents.wall_ms, 60_000);
    assert_eq!(settings.agents.cpu_millis, 2000);
    let text = "[limits]\nblob_bytes = \"1MiB\"\n[agents]\nwall_ms = \"1m\"\ncpu = 2.0\n";
    let same = Settings::parse("domo.toml", text).unwrap();
    assert_eq!(
        (same.limits, same.agents),
        (settings.limits, settings.agents)
    );
}

#[test]
fn variables_of_others_are_left_alone() {
    let env = [
        ("DOMO_SOCKET", "/x"),
        ("HOME", "/root"),
        ("DOMOTICS__X", "1"),
        ("__", "1"),
    ];
    assert!(load(None, &env, &[]).is_ok());
}

#[test]
fn labels_are_read_from_a_table_and_from_the_environment() {
    let settings = Settings::parse("f", "[node.labels]\nzone = \"a\"\ndisk = \"ssd\"\n").unwrap();
    let shown: Vec<String> = settings
        .node
        .labels
        .iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    assert_eq!(shown, ["disk=ssd", "zone=a"]);
    let same = load(None, &[("DOMO_NODE__LABELS", "zone=a, disk=ssd")], &[]).unwrap();
    assert_eq!(same.node.labels, settings.node.labels);
}

#[test]
fn seeds_are_a_list_in_the_file_and_separated_by_commas_elsewhere() {
    let seeds = |settings: &Settings| settings.cluster.seeds.join(" ");
    let file = "[cluster]\nseeds = [\"10.0.0.1:7400\", \"beta:7400\"]\nlisten = \"0.0.0.0:7400\"\n";
    let of_file = Settings::parse("domo.toml", file).unwrap();
    assert_eq!(seeds(&of_file), "10.0.0.1:7400 beta:7400");
    assert_eq!(of_file.cluster.listen, "0.0.0.0:7400".parse().ok());
    assert_eq!(of_file.cluster.advertise, None);
    let env = [("DOMO_CLUSTER__SEEDS", "alpha:1, beta:2")];
    assert_eq!(seeds(&load(None, &env, &[]).unwrap()), "alpha:1 beta:2");
    for wrong in ["alpha", "alpha:0", ":7400", "alpha:70000", "a b:1"] {
        let refused = load(None, &[], &[("cluster.seeds", wrong)]).unwrap_err();
        assert!(refused.to_string().contains("cluster.seeds"), "{refused}");
    }
    let named = load(None, &[], &[("cluster.listen", "alpha:7400")]).unwrap_err();
    assert!(named.to_string().contains("not an IP address"), "{named}");
}

//! Golden conversations with the rules: what is asked, what is answered, what changes.
//!
//! ```text
//! # A comment says what the scenario shows.
//! @ begin with a_small_team              replays that scenario first, in silence
//! > sam: open a case for sre "a pod is Pending"
//!   ok: c-1                              the verdict
//!   c-1: new: open, generation 1         what changed, one line for each thing
//!   + butler of sre on n-1: plan c-1     a duty that came; `-` is one that went
//! ? why c-1                              a question, which changes nothing
//! ```
//!
//! `UPDATE=1` writes the answers anew; their diff is what a change of the rules does.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

mod scenarios {
    pub mod answer;
    pub mod ask;
    pub mod chaos;
    pub mod command;
    pub mod compare;
    pub mod describe;
    pub mod effects;
    pub mod nodes;
    pub mod people;
    pub mod record;
    pub mod render;
    pub mod rooms;
    pub mod script;
    pub mod words;
    pub mod world;
}

use scenarios::{ask, compare, script};

/// The folder of the scenarios.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios")
}

/// The scenarios by name, as they are written.
fn written() -> std::io::Result<BTreeMap<String, String>> {
    let mut all = BTreeMap::new();
    for entry in std::fs::read_dir(folder())? {
        let path = entry?.path();
        if let (Some("txt"), Some(name)) = (
            path.extension().and_then(|ending| ending.to_str()),
            path.file_stem().and_then(|name| name.to_str()),
        ) {
            all.insert(name.to_owned(), std::fs::read_to_string(&path)?);
        }
    }
    Ok(all)
}

#[test]
fn every_scenario_goes_as_it_is_written() -> std::io::Result<()> {
    let scenarios = written()?;
    let is_update = std::env::var_os("UPDATE").is_some();
    let mut failures = Vec::new();
    for (name, text) in &scenarios {
        let replayed = match script::replay(name, text, &scenarios) {
            Ok(replayed) => replayed,
            Err(why) => {
                failures.push(why);
                continue;
            }
        };
        if replayed.text == *text {
            continue;
        }
        if is_update {
            // Renamed into its place: the other test reads these files at the same time.
            let path = folder().join(name).with_extension("txt");
            let new = path.with_extension("new");
            std::fs::write(&new, &replayed.text)?;
            std::fs::rename(&new, &path)?;
        } else {
            let difference = compare::difference(text, &replayed.text);
            failures.push(format!("{name}.txt goes otherwise:\n{difference}"));
        }
    }
    assert!(
        failures.is_empty(),
        "{}\nUPDATE=1 writes the answers anew",
        failures.join("\n")
    );
    Ok(())
}

#[test]
fn every_command_has_a_scenario() -> Result<(), Box<dyn std::error::Error>> {
    let scenarios = written()?;
    let mut seen = BTreeSet::new();
    for (name, text) in &scenarios {
        seen.extend(script::replay(name, text, &scenarios)?.accepted);
    }
    let is_missing = |command: &&str| !seen.contains(command);
    let missing: Vec<&str> = ask::COMMANDS.iter().copied().filter(is_missing).collect();
    assert!(missing.is_empty(), "accepted in no scenario: {missing:?}");
    Ok(())
}

//! Who may know whom: the arrows between rooms, and what each room must not know.
//!
//! # Invariant
//! Invariants by absence: what a room cannot name, it cannot come to depend on.

use super::house::{House, ROOMS, RustFile, Wrong, dependencies, room_of};
use super::source::{has_word, names_crate};

/// What a room's code (not its tests) must not name: the room, the words, what to do instead.
const UNKNOWN: [(&str, &[&str], &str); 8] = [
    (
        "runtime/rules",
        &[
            "tokio",
            "ractor",
            "std::fs",
            "std::net",
            "std::os",
            "std::io",
            "std::env",
            "std::process",
            "std::thread",
            "std::path",
            "async",
            ".await",
        ],
        "the rules are pure: let the caller in runtime do it and bring the outcome in with the entry",
    ),
    (
        "runtime/rules",
        &[
            "HashMap",
            "HashSet",
            "RandomState",
            "DefaultHasher",
            "rand",
            "f32",
            "f64",
        ],
        "each node must get the same bytes: use BTreeMap, BTreeSet and whole numbers",
    ),
    (
        "config",
        &[
            "tokio",
            "ractor",
            "async",
            ".await",
            "std::net",
            "std::process",
            "std::thread",
        ],
        "settings and documents are read, not acted upon: act in runtime or node",
    ),
    (
        "runtime",
        &["clap", "std::env::args", "admin.sock", "comfy_table"],
        "the mechanisms know no command line: take it as an argument, read it in node",
    ),
    (
        "actors",
        &[
            "bollard",
            "sled",
            "redb",
            "openraft",
            "axum",
            "clap",
            "comfy_table",
        ],
        "personas go through the traits of runtime",
    ),
    (
        "actors",
        &["UnixListener", "UnixStream", "admin.sock", "std::env"],
        "a persona does not know who started it: node gives it its arguments",
    ),
    (
        "actors",
        &["Arc<Mutex<", "Arc<RwLock<", "Arc<tokio::sync::Mutex<"],
        "actors share nothing: send a message, or read the state's snapshot",
    ),
    (
        "node",
        &[
            "bollard",
            "sled",
            "redb",
            "openraft",
            "rules::apply::apply",
            "rules::apply(",
        ],
        "node starts and speaks: containers are runtime::engine's, changes the ledger's",
    ),
];

/// What one file may name that its room must not know: whoever writes values down for serde has to say
/// of fractions that it refuses them.
const MAY_NAME: [(&str, &str); 2] = [
    ("runtime/rules/src/audit/canon/walk.rs", "f32"),
    ("runtime/rules/src/audit/canon/walk.rs", "f64"),
];

/// What may be named in one place only, or in two with `and` between them: the word, the file or
/// folder, what to do instead.
const PLACES: [(&str, &str, &str); 17] = [
    (
        "bollard::",
        "runtime/src/engine/docker",
        "use the trait runtime::engine::Engine",
    ),
    (
        "sled::",
        "runtime/src/store/sled",
        "use the trait runtime::store::Store",
    ),
    (
        "redb::",
        "runtime/src/store/redb",
        "use the trait runtime::store::Store",
    ),
    (
        "openraft::",
        "runtime/src/ledger",
        "use runtime::ledger::Ledger",
    ),
    (
        "ractor_cluster::",
        "runtime/src/links",
        "use runtime::links::Linked",
    ),
    (
        "rustls::",
        "runtime/src/links and runtime/src/gateway",
        "use runtime::links between nodes, runtime::gateway to the outside",
    ),
    (
        "rcgen::",
        "runtime/src/links",
        "use runtime::links::Keys, which makes certificates",
    ),
    (
        "bincode::",
        "runtime/src/codec",
        "use runtime::codec, which has versions and limits",
    ),
    (
        "cedar_policy::",
        "runtime/src/policy",
        "use the trait runtime::ledger::Judge",
    ),
    (
        "granit_parser::",
        "config/src/document/yaml",
        "use config::document",
    ),
    ("toml::", "config/src", "use config::settings"),
    ("axum::", "node/src/admin", "add a route there"),
    (
        "hyper::",
        "node/src/admin and runtime/src/gateway",
        "use node::admin::client to ask a node, runtime::gateway to the outside",
    ),
    ("utoipa::", "node/src/admin", "describe it beside its route"),
    ("clap::", "node/src/cli", "add a verb there"),
    (
        "comfy_table::",
        "node/src/cli",
        "use the printer of the command line",
    ),
    (
        "tracing_subscriber::",
        "node/src",
        "write with tracing::info! and its sisters",
    ),
];

/// What of a library may be named in one folder of a room only: the room, the words, the folder, what
/// to do instead.
const PLACES_WITHIN: [(&str, &[&str], &str, &str); 1] = [(
    "runtime",
    &["ractor::", "impl Actor for"],
    "runtime/src/links/",
    "the mechanisms know no persona: actors stand in actors, links are made in runtime::links",
)];

/// How clocks are read.
const CLOCKS: [&str; 5] = [
    "Instant::now",
    "SystemTime",
    "clock_gettime",
    "UNIX_EPOCH",
    "OffsetDateTime",
];
/// The one reader of clocks.
const CLOCK_FILE: &str = "runtime/src/clock.rs";

/// A room's `Cargo.toml` names only rooms further in, and its versions stand in the root's.
pub fn arrows_point_inwards(house: &House) -> Vec<Wrong> {
    let mut wrongs = Vec::new();
    for (room, within) in ROOMS {
        let path = format!("{room}/Cargo.toml");
        let manifest = house.text(&path);
        let crates = ROOMS.map(|(folder, _)| (folder, folder.rsplit('/').next().unwrap_or(folder)));
        for ((_, name), line) in dependencies(manifest) {
            let target = crates.iter().find(|(_, crate_name)| *crate_name == name);
            if let Some((folder, _)) = target.filter(|(folder, _)| !within.contains(folder)) {
                let what = format!("{room} must not know {folder}: arrows point inwards only");
                wrongs.push(Wrong::at(&path, line, what));
            }
            let text = manifest.lines().nth(line - 1).unwrap_or_default();
            if !text.contains(".workspace = true") && !text.contains("workspace = true") {
                let what = "give the version in the root's [workspace.dependencies] only";
                wrongs.push(Wrong::at(&path, line, what));
            }
        }
        for need in [
            "[lints]\nworkspace = true",
            "edition.workspace = true",
            "publish.workspace = true",
        ] {
            if !manifest.contains(need) {
                wrongs.push(Wrong::file(&path, format!("`{need}` is missing")));
            }
        }
    }
    wrongs
}

/// What the rules are built on: their state is written down with the one, their record is a chain of
/// digests by the other, and both only reckon.
const RULES_KNOW: [&str; 2] = ["serde", "sha2"];

/// The rules are built on nothing but what reckons.
pub fn the_rules_depend_on_nothing_but_what_reckons(house: &House) -> Vec<Wrong> {
    let path = "runtime/rules/Cargo.toml";
    let named = dependencies(house.text(path));
    let outside = named
        .into_iter()
        .filter(|((is_for_tests, name), _)| !is_for_tests && !RULES_KNOW.contains(&name.as_str()));
    let what = |name| format!("`{name}`: bring what it would tell in with the entry");
    outside
        .map(|((_, name), line)| Wrong::at(path, line, what(name)))
        .collect()
}

/// A room does not name what it must not know.
pub fn rooms_do_not_know_too_much(house: &House) -> Vec<Wrong> {
    let mut wrongs = Vec::new();
    for (room, words, instead) in UNKNOWN {
        for file in house
            .rust
            .iter()
            .filter(|file| file.room() == room && !file.is_test())
        {
            let words: Vec<&str> = words
                .iter()
                .filter(|word| !MAY_NAME.contains(&(file.path.as_str(), **word)))
                .copied()
                .collect();
            wrongs.extend(named(
                file,
                &words,
                false,
                &format!("not in {room}; {instead}"),
            ));
        }
    }
    wrongs
}

/// What a room names in one of its folders, it names nowhere else.
pub fn folders_keep_to_themselves(house: &House) -> Vec<Wrong> {
    let mut wrongs = Vec::new();
    for (room, words, folder, instead) in PLACES_WITHIN {
        for file in &house.rust {
            if file.room() == room && !file.is_test() && !file.path.starts_with(folder) {
                let what = format!("only under {folder}; {instead}");
                wrongs.extend(named(file, words, false, &what));
            }
        }
    }
    wrongs
}

/// Each big dependency is named in one place.
pub fn each_dependency_has_its_place(house: &House) -> Vec<Wrong> {
    let mut wrongs = Vec::new();
    for (word, place, instead) in PLACES {
        for file in &house.rust {
            let is_in = |place: &str| {
                let rest = file.path.strip_prefix(place);
                rest.is_some_and(|rest| rest.starts_with('/') || rest == ".rs")
            };
            if !place.split(" and ").any(is_in) && !file.is_test() {
                let what = format!("only under {place}; {instead}");
                wrongs.extend(named(file, &[word], false, &what));
            }
        }
    }
    wrongs
}

/// The engine's library is named in one file only.
pub fn the_docker_library_is_named_in_one_file(house: &House) -> Vec<Wrong> {
    let names = |file: &&RustFile| !named(file, &["bollard::"], true, "").is_empty();
    let files: Vec<&str> = house
        .rust
        .iter()
        .filter(names)
        .map(|file| file.path.as_str())
        .collect();
    let others = files.iter().skip(1);
    others
        .map(|path| Wrong::file(path, format!("bollard:: only in {}", files[0])))
        .collect()
}

/// Clocks are read in one file, by tests too.
pub fn clocks_are_read_in_one_file(house: &House) -> Vec<Wrong> {
    let others = house.rust.iter().filter(|file| file.path != CLOCK_FILE);
    others
        .flat_map(|file| {
            let instead = format!(
                "only in {CLOCK_FILE}; use runtime::clock, and in the rules the entry's time"
            );
            named(file, &CLOCKS, true, &instead)
        })
        .collect()
}

/// A member of the workspace is a room, and each room is a member.
pub fn members_are_the_rooms(house: &House) -> Vec<Wrong> {
    let manifests = house
        .texts
        .iter()
        .filter(|file| file.path.ends_with("/Cargo.toml"));
    let is_room = |path: &str| {
        ROOMS
            .iter()
            .any(|(room, _)| path == format!("{room}/Cargo.toml"))
    };
    let strangers = manifests.filter(|file| !is_room(&file.path));
    let what = |path: &str| {
        let room = room_of(path);
        format!(
            "not a room of the house: move it into {}",
            if room.is_empty() { "one" } else { room }
        )
    };
    strangers
        .map(|file| Wrong::file(&file.path, what(&file.path)))
        .collect()
}

/// Where a file's code names one of the words.
fn named(file: &RustFile, words: &[&str], also_in_tests: bool, instead: &str) -> Vec<Wrong> {
    let lines = file.lines.iter().enumerate();
    let lines = lines.filter(|(_, line)| also_in_tests || !line.is_test);
    lines
        .filter_map(|(at, line)| {
            let is_named = |word: &&&str| match word.strip_suffix("::") {
                Some(_) => names_crate(&line.code, word),
                None => has_word(&line.code, word),
            };
            let word = words.iter().find(is_named)?;
            Some(Wrong::at(&file.path, at + 1, format!("`{word}` {instead}")))
        })
        .collect()
}

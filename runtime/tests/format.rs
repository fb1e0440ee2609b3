//! The first format on the disk: a frozen folder that every release opens, and reads as it was.
//!
//! `UPDATE=1` writes the rendering anew: its diff is what a release reads otherwise than the one
//! before it. `UPDATE=frozen` makes the folder itself anew, which only a release that gives up the
//! first format may do.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "format/pack.rs"]
mod pack;
#[path = "format/story.rs"]
mod story;

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use rules::State;
use runtime::archive::Filter;
use runtime::codec;
use runtime::ledger::Ledger;

fn file(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    folder.join("tests/format").join(name)
}

/// What a person would compare.
fn rendered(ledger: &Ledger) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let status = ledger.status();
    let _ = writeln!(text, "snapshot at entry {}", status.snapshot_index);
    ledger.read(|state| of_state(state, &mut text));
    let archive = ledger.archive();
    for summary in archive.list(&Filter::default(), 10).unwrap() {
        let case = archive.case(summary.id).unwrap().unwrap();
        let _ = writeln!(
            text,
            "archived {}: {} ({})",
            case.id, case.title, summary.outcome
        );
        for event in &case.history.events {
            let _ = writeln!(text, "  {} by {}: {}", event.index, event.by, event.what);
        }
        let report = case.report.unwrap();
        let _ = writeln!(
            text,
            "  report: {}, because of {:?}",
            report.summary, report.root_cause
        );
    }
    text
}

fn of_state(state: &State, text: &mut String) {
    let _ = writeln!(text, "version {} of the rules", state.version);
    for node in state.nodes.values() {
        let facts = &node.facts;
        let _ = writeln!(
            text,
            "node {} {} at {:?}: {}, {}m, {} B, {:?}",
            facts.node,
            facts.name,
            facts.address,
            facts.engine,
            facts.cpu_milli,
            facts.memory_bytes,
            facts.labels
        );
    }
    for (id, node) in &state.nodes {
        let _ = writeln!(text, "node {id} has {:?}", node.way_out);
    }
    for (name, team) in &state.teams {
        let _ = writeln!(text, "team {name}: {}, {:?}", team.epoch, team.placed);
    }
    for (id, worker) in &state.workers {
        let _ = writeln!(text, "worker {id}: {}, {:?}", worker.epoch, worker.placed);
    }
    for (name, target) in &state.targets {
        let _ = writeln!(
            text,
            "target {name}: {}, {:?}",
            target.address, target.methods
        );
    }
    for (name, token) in &state.tokens {
        let _ = writeln!(text, "token {name}: {}", token.minted_by);
    }
    for case in state.cases.values() {
        let _ = writeln!(
            text,
            "{}: {}, {:?}, opened by {} at {}",
            case.id, case.title, case.status, case.opened_by, case.opened_wall_ms
        );
        for file in &case.attachments {
            let _ = writeln!(text, "  {} of {}", file.path, file.blob);
        }
        for request in &case.requests {
            let _ = writeln!(text, "  remembers {request}");
        }
    }
    for (name, room) in &state.rooms.rooms {
        for post in &room.posts {
            let _ = writeln!(text, "{name:?}: {} by {:?}", post.text, post.by);
        }
    }
    let audit = &state.audit;
    let _ = writeln!(
        text,
        "{} records, the last of entry {}",
        audit.count, audit.index
    );
    let _ = writeln!(
        text,
        "next {}, {} closed",
        state.next_case, state.closed_cases
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_of_the_first_format_is_opened_and_read_as_it_was() {
    let update = std::env::var("UPDATE").unwrap_or_default();
    let folder = tempfile::tempdir().unwrap();
    if update == "frozen" {
        story::write(folder.path()).await;
        fs::write(file("first.pack"), pack::pack(folder.path())).unwrap();
        fs::remove_dir_all(folder.path().join("ledger")).unwrap();
    }
    pack::unpack(&fs::read(file("first.pack")).unwrap(), folder.path());
    let options = story::options(folder.path());
    let (ledger, _changes) = Ledger::open(options.clone()).await.unwrap();
    let read = rendered(&ledger);
    if update.is_empty() {
        let frozen = fs::read_to_string(file("first.txt")).unwrap();
        assert_eq!(read, frozen, "UPDATE=1 writes it anew");
    } else {
        fs::write(file("first.txt"), &read).unwrap();
    }
    // What this release writes of it, it reads again.
    ledger.snapshot().await.unwrap();
    ledger.close().await;
    let (ledger, _changes) = Ledger::open(options).await.unwrap();
    let again = rendered(&ledger);
    let tail = |text: &str| text.split_once('\n').unwrap().1.to_owned();
    assert_eq!(tail(&again), tail(&read));
    ledger.close().await;
}

/// The forms that the frozen folder was written in: one that rises here must still be read.
#[test]
fn a_form_that_is_on_disks_rises_only_with_a_way_to_read_the_one_before() {
    let forms = [
        codec::RECORD,
        codec::VOTE,
        codec::IDENTITY,
        codec::PURGED,
        codec::SNAPSHOT_HEAD,
        codec::SNAPSHOT_PIECE,
        codec::CASE_PIECE,
        codec::CASE_SUMMARY,
        codec::JOURNAL_HEAD,
        codec::ARCHIVE,
        codec::SETTLED,
        codec::LOG_END,
    ];
    let mut told = String::new();
    for form in forms {
        let _ = writeln!(told, "kind {} version {}", form.kind, form.version);
    }
    let path = file("forms.txt");
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, &told).unwrap();
    }
    assert_eq!(told, fs::read_to_string(path).unwrap(), "UPDATE=frozen");
}

//! What is promised of the archive.

use rules::attempt::Body;
use rules::case::{Brief, Report};
use rules::id::HumanName;
use rules::{Command, Entry, Principal, Proposal, State, Who, demand};
use tempfile::TempDir;

use super::*;
use crate::store::{StoreKind, StoreOptions};

fn store(dir: &TempDir) -> Store {
    let options = StoreOptions {
        dir: dir.path().join("store"),
        kind: StoreKind::Sled,
        free_bytes: 0,
        journal_bytes: crate::store::FILE_BYTES,
    };
    Store::open(&options).unwrap()
}

pub(super) fn open(dir: &TempDir) -> Archive {
    Archive::open(store(dir)).unwrap()
}

pub(super) fn reopen(dir: &TempDir, archive: Archive) -> Archive {
    archive.store.close();
    drop(archive);
    open(dir)
}

/// Changes the store behind the archive's back, as damage would; says what opening it says.
fn refused(dir: &TempDir, archive: Archive, change: impl FnOnce(&Store, &mut Batch)) -> String {
    let mut batch = Batch::default();
    change(&archive.store, &mut batch);
    archive.store.submit(batch, |_| ()).unwrap();
    archive.store.close();
    drop(archive);
    let refused = Archive::open(store(dir)).unwrap_err();
    refused.to_string()
}

/// So many closed cases, made by the rules themselves; every second one is of the team `crew`.
pub(super) fn closed_cases(count: u64) -> Vec<Case> {
    let mut state = State::default();
    let mut closed = Vec::new();
    let mut propose = |who: Who, command: Command| {
        let principal = Principal::own(who);
        let demands = demand::of_command(&state, &principal, &command);
        let decision = demand::decided(&state, demands, |_| true);
        let entry = Entry {
            index: state.index + 1,
            term: 1,
            elapsed_ms: 0,
            proposal: Proposal {
                request: None,
                principal,
                wall_ms: 1,
                command,
                decision: Some(decision),
            }
            .into(),
            salt: [0; 16],
        };
        let applied = rules::apply(&mut state, &entry);
        applied.verdict.unwrap();
        applied.closed
    };
    for number in 1..=count {
        let human = || Who::Human(HumanName::new("ada").unwrap());
        let text = |text: &str| Body::Inline(text.to_owned());
        let open = Command::OpenCase {
            team: None,
            title: format!("case {number}"),
            brief: Brief { text: text("look") },
            attachments: Vec::new(),
            playbook: None,
        };
        propose(human(), open);
        let case = CaseId(number);
        let reason = "over".to_owned();
        propose(human(), Command::CancelCase { case, reason });
        let report = Report {
            summary: "nothing".to_owned(),
            root_cause: None,
            recommendation: None,
            impact: None,
            document: text("{}"),
            markdown: text("nothing"),
        };
        let report = Command::ReportCase {
            case,
            generation: 1,
            report: Box::new(report),
        };
        closed.extend(propose(Who::Manager { term: 1 }, report));
    }
    for case in closed.iter_mut().skip(1).step_by(2) {
        case.team = Some(crew());
    }
    closed
}

fn crew() -> TeamName {
    TeamName::new("crew").unwrap()
}

/// Archives each case as closed by an entry of ten times its number, and waits until all are durable.
pub(super) fn add_all(archive: &Archive, cases: &[Case]) {
    for case in cases {
        archive
            .add(case.id.0 * 10, vec![case.clone()], Vec::new())
            .unwrap();
    }
    let (told, durable) = std::sync::mpsc::channel();
    let then = move |result: Result<(), StoreError>| told.send(result).unwrap();
    archive.store.submit(Batch::default(), then).unwrap();
    durable.recv().unwrap().unwrap();
}

fn numbers(found: &[CaseSummary]) -> Vec<u64> {
    found.iter().map(|case| case.id.0).collect()
}

pub(super) fn listed(archive: &Archive) -> Vec<u64> {
    numbers(&archive.list(&Filter::default(), MAX_LIST).unwrap())
}

#[test]
fn a_closed_case_is_found_whole_before_and_after_an_opening() {
    let dir = tempfile::tempdir().unwrap();
    let mut archive = open(&dir);
    let cases = closed_cases(4);
    add_all(&archive, &cases);
    for _ in 0..2 {
        for case in &cases {
            assert_eq!(archive.case(case.id).unwrap().as_ref(), Some(case));
        }
        assert_eq!(archive.case(CaseId(5)).unwrap(), None);
        assert_eq!(archive.count(), 4);
        archive = reopen(&dir, archive);
    }
}

#[test]
fn lists_are_of_what_was_asked_for_the_newest_first() {
    let dir = tempfile::tempdir().unwrap();
    let archive = open(&dir);
    add_all(&archive, &closed_cases(6));
    let list = |filter: Filter| numbers(&archive.list(&filter, 2).unwrap());
    assert_eq!(list(Filter::default()), [6, 5]);
    let before = Some(CaseId(5));
    let team = Some(crew());
    assert_eq!(
        list(Filter {
            before,
            ..Filter::default()
        }),
        [4, 3]
    );
    assert_eq!(
        list(Filter {
            team,
            before,
            ..Filter::default()
        }),
        [4, 2]
    );
    let outcome = Some(CaseOutcome::Succeeded);
    assert!(
        list(Filter {
            outcome,
            ..Filter::default()
        })
        .is_empty()
    );
}

#[test]
fn a_case_that_a_replay_closes_again_is_there_once() {
    let dir = tempfile::tempdir().unwrap();
    let archive = open(&dir);
    let cases = closed_cases(3);
    add_all(&archive, &cases);
    add_all(&archive, &cases);
    let archive = reopen(&dir, archive);
    add_all(&archive, &cases);
    assert_eq!((archive.count(), listed(&archive)), (3, vec![3, 2, 1]));
}

#[test]
fn an_entry_of_which_only_a_part_is_durable_is_archived_to_its_end() {
    let dir = tempfile::tempdir().unwrap();
    let archive = open(&dir);
    let cases = closed_cases(3);
    // What a death between the batches of one entry leaves.
    let mut standing = Standing::default();
    let (_, mut batch) = record::put(&cases[0]).unwrap();
    standing.holdings.add(&batch);
    (standing.count, standing.of_next) = (1, 1);
    record::put_standing(&mut batch, &standing).unwrap();
    archive.store.submit(batch, |_| ()).unwrap();
    let archive = reopen(&dir, archive);
    assert_eq!(listed(&archive), [1]);
    archive.add(30, cases, Vec::new()).unwrap();
    let archive = reopen(&dir, archive);
    assert_eq!((archive.count(), listed(&archive)), (3, vec![3, 2, 1]));
}

#[tokio::test]
async fn what_is_more_than_the_quota_goes_the_oldest_first() {
    let dir = tempfile::tempdir().unwrap();
    let archive = open(&dir);
    add_all(&archive, &closed_cases(150));
    assert_eq!(archive.forget(200, None).unwrap(), 0);
    assert_eq!(archive.forget(3, None).unwrap(), 147);
    let archive = reopen(&dir, archive);
    assert_eq!(
        (archive.count(), listed(&archive)),
        (3, vec![150, 149, 148])
    );
    assert_eq!(archive.case(CaseId(147)).unwrap(), None);
    let of_crew = Filter {
        team: Some(crew()),
        ..Filter::default()
    };
    assert_eq!(
        numbers(&archive.list(&of_crew, 9).unwrap()),
        [150, 148],
        "a team's list forgets too"
    );
}

#[test]
fn a_damaged_record_is_refused_by_its_case_and_the_others_are_read() {
    let dir = tempfile::tempdir().unwrap();
    let archive = open(&dir);
    let cases = closed_cases(3);
    add_all(&archive, &cases);
    let pieces = archive
        .store
        .range(Space::Case, &[], None, Order::Ascending, 9)
        .unwrap();
    let mut batch = Batch::default();
    let (key, mut sealed) = pieces[0].clone();
    *sealed.last_mut().unwrap() ^= 4;
    batch.put(Space::Case, key, sealed);
    batch.delete(Space::Case, pieces[1].0.clone());
    archive.store.submit(batch, |_| ()).unwrap();
    let archive = reopen(&dir, archive);
    for (id, why) in [(1, "checksum is wrong"), (2, "0 of 0 pieces")] {
        let said = archive.case(CaseId(id)).unwrap_err().to_string();
        let is_clear = said.contains(&format!("case {}", CaseId(id))) && said.contains(why);
        assert!(is_clear && said.contains("restore"), "{said}");
    }
    assert_eq!(archive.case(CaseId(3)).unwrap().as_ref(), Some(&cases[2]));
}

#[test]
fn an_archive_that_lacks_a_case_is_refused() {
    let cases = closed_cases(4);
    for space in [Space::Summary, Space::Team] {
        let dir = tempfile::tempdir().unwrap();
        let archive = open(&dir);
        add_all(&archive, &cases);
        let said = refused(&dir, archive, |store, batch| {
            let first = store.range(space, &[], None, Order::Ascending, 1).unwrap();
            batch.delete(space, first[0].0.clone());
        });
        assert!(said.contains("must hold 4 closed cases"), "{said}");
    }
}

#[tokio::test]
async fn what_is_older_than_the_limit_goes_and_a_clock_that_is_years_ahead_forgets_no_more() {
    let dir = tempfile::tempdir().unwrap();
    let archive = open(&dir);
    let hours = |hours: u64| hours * 3_600_000;
    let mut cases = closed_cases(5);
    // The node's own clock is half a century ahead of the cases.
    for (case, closed_ms) in cases.iter_mut().zip([1, 2, 50, 3, 60].map(hours)) {
        case.closed_wall_ms = Some(closed_ms);
    }
    add_all(&archive, &cases);
    assert_eq!(archive.forget(9, None).unwrap(), 0);
    // A day after the newest: the third stands before the fourth, and is younger.
    assert_eq!(archive.forget(9, Some(hours(40))).unwrap(), 2);
    let archive = reopen(&dir, archive);
    assert_eq!((archive.count(), listed(&archive)), (3, vec![5, 4, 3]));
}

#[tokio::test]
async fn an_archive_that_has_a_forgotten_case_back_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let archive = open(&dir);
    add_all(&archive, &closed_cases(4));
    let first = archive
        .store
        .range(Space::Summary, &[], None, Order::Ascending, 1)
        .unwrap();
    archive.forget(3, None).unwrap();
    let said = refused(&dir, archive, |_, batch| {
        let (key, value) = first[0].clone();
        batch.put(Space::Summary, key, value);
    });
    assert!(
        said.contains("holds 4") && said.contains("must hold 3"),
        "{said}"
    );
}

/// Takes all that the one has into the other.
async fn copy(from: &Archive, to: &Archive) {
    for part in Part::ALL {
        let pairs = from.pairs(part, &[], usize::MAX).unwrap();
        to.take_pairs(part, pairs).await.unwrap();
    }
}

#[tokio::test]
async fn cases_from_another_node_are_counted_once_though_their_entries_come_later() {
    let dirs = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let [one, other] = dirs.each_ref().map(open);
    let cases = closed_cases(5);
    add_all(&one, &cases);
    copy(&one, &other).await;
    // A death before the cases are counted.
    let other = reopen(&dirs[1], other);
    other.recount().unwrap();
    assert_eq!(other.count(), 5);
    add_all(&other, &cases[3..]);
    let other = reopen(&dirs[1], other);
    assert_eq!((other.count(), listed(&other)), (5, vec![5, 4, 3, 2, 1]));
    assert_eq!(other.case(CaseId(1)).unwrap().as_ref(), Some(&cases[0]));
    one.store.close();
}

#[test]
fn an_erased_case_stays_on_its_lists_without_a_text() {
    let dir = TempDir::new().unwrap();
    let archive = open(&dir);
    let mut cases = closed_cases(4);
    // One of several pieces: none of them may be left.
    cases[1].briefs[0].text = Body::Inline("a person's name ".repeat(60_000));
    add_all(&archive, &cases);
    for id in [CaseId(2), CaseId(3)] {
        assert!(archive.erase(id).unwrap());
        assert!(!archive.erase(id).unwrap(), "done once");
        let case = archive.case(id).unwrap().unwrap();
        assert!(case.is_erased() && case.report.is_none(), "{case:?}");
        let told = serde_json::to_string(&case).unwrap();
        for text in ["person", "look", "case 2", "case 3", "nothing", "over"] {
            assert!(!told.contains(text), "{text}: {told}");
        }
    }
    assert!(!archive.erase(CaseId(9)).unwrap(), "there is none");
    let of_crew = Filter {
        team: Some(crew()),
        ..Filter::default()
    };
    let archive = reopen(&dir, archive);
    assert_eq!(numbers(&archive.list(&of_crew, 10).unwrap()), [4, 2]);
    let titles = archive.list(&Filter::default(), 10).unwrap();
    let titles: Vec<String> = titles.into_iter().map(|case| case.title).collect();
    assert_eq!(titles, ["case 4", "[erased]", "[erased]", "case 1"]);
    let (from, until) = (2_u64.to_be_bytes(), 3_u64.to_be_bytes());
    let pieces = archive
        .store
        .range(Space::Case, &from, Some(&until), Order::Ascending, 10);
    assert_eq!(pieces.unwrap().len(), 1);
}

#[test]
fn pieces_that_a_copy_left_behind_an_erased_case_go_too() {
    let dir = TempDir::new().unwrap();
    let archive = open(&dir);
    let mut cases = closed_cases(1);
    cases[0].briefs[0].text = Body::Inline("a person's name ".repeat(60_000));
    add_all(&archive, &cases);
    // The node that it is copied from has erased it: its one piece takes the place of the first.
    let mut bare = cases[0].clone();
    bare.erase();
    let (_, last) = record::put(&bare).unwrap();
    archive.store.submit(last, |_| ()).unwrap();
    archive.recount().unwrap();
    assert!(archive.erase(CaseId(1)).unwrap());
    let left = archive
        .store
        .range(Space::Case, &[], None, Order::Ascending, 10);
    assert_eq!(left.unwrap().len(), 1);
    assert!(archive.case(CaseId(1)).unwrap().unwrap().is_erased());
}

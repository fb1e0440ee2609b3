//! What is promised of a ledger of one node.

use std::time::Duration;

use rules::attempt::Body;
use rules::case::{Brief, CaseOutcome, Report};
use rules::duty::Subject;
use rules::id::{HumanName, RequestId};
use rules::{Command, Outcome, Principal, Request, Who};
use tempfile::TempDir;

use super::*;
use crate::archive::Filter;
use crate::clock;
use crate::policy::Policies;

/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(20);

pub(super) fn options(dir: &TempDir, kind: StoreKind) -> OpenOptions {
    OpenOptions {
        store: kind,
        judge: Arc::new(matrix()),
        ..OpenOptions::new(dir.path().join("ledger"), NodeId(7))
    }
}

fn matrix() -> Policies {
    let schema = include_str!("../../../config/policy/matrix.cedarschema");
    let matrix = include_str!("../../../config/policy/matrix.cedar");
    Policies::new(schema, matrix).unwrap()
}

pub(super) async fn open(options: &OpenOptions) -> (Ledger, Changes) {
    let (ledger, changes) = Ledger::open(options.clone()).await.unwrap();
    ledger.init_single().await.unwrap();
    (ledger, changes)
}

pub(super) fn proposal(who: Who, command: Command) -> Proposal {
    Proposal {
        request: None,
        principal: Principal::own(who),
        wall_ms: 1_700_000_000_000,
        command,
        decision: None,
    }
}

pub(super) fn ada() -> Who {
    Who::Human(HumanName::new("admin").unwrap())
}

fn opening(title: &str) -> Proposal {
    let text = Body::Inline("look at it".to_owned());
    let open = Command::OpenCase {
        team: None,
        title: title.to_owned(),
        brief: Brief { text },
        attachments: Vec::new(),
        playbook: None,
    };
    proposal(ada(), open)
}

fn named(mut proposal: Proposal, id: &str) -> Proposal {
    let id = RequestId::new(id).unwrap();
    proposal.request = Some(Request { id, digest: 1 });
    proposal
}

async fn open_case(ledger: &Ledger, title: &str) -> CaseId {
    match ledger.propose(opening(title)).await.unwrap() {
        Ok(Outcome::Opened(case)) => case,
        other => panic!("not opened: {other:?}"),
    }
}

/// Opens a case and brings it to its end.
async fn close_case(ledger: &Ledger, title: &str) -> CaseId {
    let case = open_case(ledger, title).await;
    let reason = "done with it".to_owned();
    let cancel = proposal(ada(), Command::CancelCase { case, reason });
    ledger.propose(cancel).await.unwrap().unwrap();
    let generation = ledger.read(|state| state.cases[&case].generation);
    let report = Report {
        summary: "nothing was done".to_owned(),
        root_cause: None,
        recommendation: None,
        impact: None,
        document: Body::Inline("{}".to_owned()),
        markdown: Body::Inline("# nothing".to_owned()),
    };
    let report = Command::ReportCase {
        case,
        generation,
        report: Box::new(report),
    };
    let term = ledger.status().term;
    let told = ledger
        .propose(proposal(Who::Manager { term }, report))
        .await;
    told.unwrap().unwrap();
    case
}

/// Waits until `what` holds, and says how it was when it never did.
async fn until<T: std::fmt::Debug>(look: impl Fn() -> T, what: impl Fn(&T) -> bool) -> T {
    let deadline = clock::Deadline::after(PATIENCE);
    loop {
        let found = look();
        if what(&found) {
            return found;
        }
        assert!(!deadline.is_over(), "still {found:?}");
        tokio::task::yield_now().await;
    }
}

/// Runs a story with each store.
macro_rules! with_each_store {
    ($($story:ident)*) => {
        mod on_sled {
            $(#[tokio::test] async fn $story() { super::$story(super::StoreKind::Sled).await; })*
        }
        mod on_redb {
            $(#[tokio::test] async fn $story() { super::$story(super::StoreKind::Redb).await; })*
        }
    };
}

with_each_store! {
    what_was_answered_is_there_after_a_restart
    the_same_request_is_answered_once_also_after_a_restart
    closed_cases_are_in_the_archive_once_also_after_a_restart
    a_case_that_has_left_the_state_is_in_the_archive
    a_snapshot_takes_the_place_of_the_log_before_it
}

async fn what_was_answered_is_there_after_a_restart(kind: StoreKind) {
    let dir = tempfile::tempdir().unwrap();
    let options = options(&dir, kind);
    let mut terms = Vec::new();
    for round in 1..=3_usize {
        let (ledger, mut changes) = open(&options).await;
        let status = ledger.status();
        assert!(
            status.is_leader && status.leader == Some(NodeId(7)),
            "{status:?}"
        );
        terms.push(status.term);
        assert_eq!(ledger.read(|state| state.cases.len()), round - 1);
        if round > 1 {
            let first = changes.next().await.unwrap();
            assert_eq!(first.len(), round - 1, "{first:?}");
        }
        let case = open_case(&ledger, "a disk is slow").await;
        assert_eq!(case, CaseId(round as u64));
        assert!(changes.next().await.unwrap().contains(&Subject::Case(case)));
        let status = ledger.status();
        assert_eq!(status.applied, ledger.read(|state| state.index));
        ledger.close().await;
        assert!(changes.next().await.is_none());
    }
    assert!(terms.is_sorted_by(|one, next| one < next), "{terms:?}");
}

async fn the_same_request_is_answered_once_also_after_a_restart(kind: StoreKind) {
    let dir = tempfile::tempdir().unwrap();
    let options = options(&dir, kind);
    for _ in 0..2 {
        let (ledger, _changes) = open(&options).await;
        for _ in 0..2 {
            let verdict = ledger.propose(named(opening("once"), "r-1")).await.unwrap();
            assert_eq!(verdict, Ok(Outcome::Opened(CaseId(1))));
        }
        assert_eq!(ledger.read(|state| state.cases.len()), 1);
        ledger.close().await;
    }
}

async fn closed_cases_are_in_the_archive_once_also_after_a_restart(kind: StoreKind) {
    let dir = tempfile::tempdir().unwrap();
    let options = options(&dir, kind);
    let titles = |ledger: &Ledger, filter: &Filter, limit| -> String {
        let list = ledger.archive().list(filter, limit).unwrap();
        let titles = list.iter().map(|case| case.title.as_str());
        titles.collect::<Vec<_>>().join(" ")
    };
    for round in 0..3 {
        let (ledger, _changes) = open(&options).await;
        if round == 0 {
            for title in ["one", "two", "three"] {
                close_case(&ledger, title).await;
            }
        }
        let archive = ledger.archive();
        assert_eq!(archive.count(), 3);
        assert_eq!(titles(&ledger, &Filter::default(), 9), "three two one");
        let before = Filter {
            before: Some(CaseId(3)),
            ..Filter::default()
        };
        assert_eq!(titles(&ledger, &before, 1), "two");
        let succeeded = Filter {
            outcome: Some(CaseOutcome::Succeeded),
            ..Filter::default()
        };
        assert_eq!(titles(&ledger, &succeeded, 9), "");
        let case = archive.case(CaseId(2)).unwrap().unwrap();
        assert_eq!((case.title.as_str(), case.is_closed()), ("two", true));
        assert_eq!(archive.case(CaseId(9)).unwrap(), None);
        assert_eq!(ledger.read(|state| state.cases.len()), 0);
        ledger.close().await;
    }
}

async fn a_case_that_has_left_the_state_is_in_the_archive(kind: StoreKind) {
    /// Each of them is closed once under the eyes of a reader that does not rest.
    const CASES: u64 = 100;
    let dir = tempfile::tempdir().unwrap();
    let (ledger, _changes) = open(&options(&dir, kind)).await;
    let reader = ledger.clone();
    let looking = tokio::task::spawn_blocking(move || {
        let deadline = clock::Deadline::after(PATIENCE);
        for case in (1..=CASES).map(CaseId) {
            let has_left =
                |state: &State| state.next_case > case && !state.cases.contains_key(&case);
            while !reader.read(has_left) {
                assert!(!deadline.is_over(), "{case} is not closed");
            }
            assert!(
                reader.archive().case(case).unwrap().is_some(),
                "{case} is nowhere"
            );
        }
    });
    for _ in 0..CASES {
        close_case(&ledger, "short").await;
    }
    looking.await.unwrap();
    ledger.close().await;
}

async fn a_snapshot_takes_the_place_of_the_log_before_it(kind: StoreKind) {
    let dir = tempfile::tempdir().unwrap();
    let options = OpenOptions {
        snapshot_every: 500,
        ..options(&dir, kind)
    };
    let (ledger, _changes) = open(&options).await;
    for _ in 0..60 {
        let many = (0..50).map(|_| ledger.propose(opening("again")));
        for verdict in futures_util::future::join_all(many).await {
            verdict.unwrap().unwrap();
        }
    }
    until(|| ledger.status(), |status| status.snapshot_index >= 2500).await;
    // The log before it goes with what comes behind it.
    let first = || block::first(&ledger.0.store).unwrap().unwrap();
    while first() <= 1000 {
        let last = open_case(&ledger, "more").await;
        let begins = first();
        assert!(last < CaseId(6000), "the log begins with {begins}");
    }
    let before = ledger.read(State::clone);
    ledger.close().await;
    let files: Vec<_> = std::fs::read_dir(dir.path().join("ledger/snapshots"))
        .unwrap()
        .map(|file| file.unwrap().file_name())
        .collect();
    assert_eq!(files.len(), 1, "{files:?}");
    let (ledger, _changes) = open(&options).await;
    let after = ledger.read(State::clone);
    assert_eq!((&after.cases, &after.audit), (&before.cases, &before.audit));
    crate::audit::tests::is_whole(ledger.audit(), &after.audit);
    assert_eq!(
        open_case(&ledger, "next").await,
        CaseId(before.cases.len() as u64 + 1)
    );
    ledger.close().await;
}

#[tokio::test]
async fn time_passes_only_while_something_waits_for_it() {
    let dir = tempfile::tempdir().unwrap();
    let (ledger, _changes) = open(&options(&dir, StoreKind::Sled)).await;
    open_case(&ledger, "one").await;
    let (applied, clock) = ledger.read(|state| (state.index, state.clock));
    let mut moved = ledger.applied();
    moved.mark_unchanged();
    let idle = tokio::time::timeout(Duration::from_secs(1), moved.changed()).await;
    assert!(idle.is_err(), "an idle ledger has written an entry");
    open_case(&ledger, "two").await;
    let passed = ledger.read(|state| (state.index, state.clock.0 - clock.0));
    assert_eq!(passed.0, applied + 1);
    assert!((900..60_000).contains(&passed.1), "{passed:?}");
    ledger.close().await;
}

#[tokio::test]
async fn what_is_too_large_for_an_entry_is_refused_at_the_door() {
    let dir = tempfile::tempdir().unwrap();
    let (ledger, _changes) = open(&options(&dir, StoreKind::Sled)).await;
    let large = opening(&"x".repeat(300_000));
    let error = ledger.propose(large).await.unwrap_err();
    let is_named = matches!(error, ProposeError::TooLarge { max: 262_144, .. });
    assert!(is_named, "{error}");
    ledger.close().await;
}

#[tokio::test]
async fn more_than_the_limit_at_once_is_refused_by_its_name() {
    let dir = tempfile::tempdir().unwrap();
    let options = OpenOptions {
        limits: Limits {
            in_flight: 8,
            ..Limits::default()
        },
        ..options(&dir, StoreKind::Sled)
    };
    let (ledger, _changes) = open(&options).await;
    let many = (0..50).map(|_| ledger.propose(opening("flood")));
    let outcomes = futures_util::future::join_all(many).await;
    let refused = outcomes
        .iter()
        .filter(|outcome| matches!(outcome, Err(ProposeError::Full { limit: 8 })));
    assert_eq!(refused.count(), 42);
    assert_eq!(ledger.read(|state| state.cases.len()), 8);
    ledger.close().await;
}

#[tokio::test]
async fn a_disk_that_is_nearly_full_refuses_at_the_door() {
    let dir = tempfile::tempdir().unwrap();
    let mut options = options(&dir, StoreKind::Sled);
    let (ledger, _changes) = open(&options).await;
    ledger.close().await;
    options.limits.free_bytes = u64::MAX;
    let (ledger, _changes) = open(&options).await;
    let error = ledger.propose(opening("no room")).await.unwrap_err();
    assert!(matches!(error, ProposeError::DiskFull { .. }), "{error}");
    ledger.close().await;
}

#[tokio::test]
async fn another_nodes_ledger_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let options = options(&dir, StoreKind::Sled);
    let (ledger, _changes) = open(&options).await;
    ledger.close().await;
    let other = OpenOptions {
        node: NodeId(8),
        ..options
    };
    let error = Ledger::open(other).await.unwrap_err().to_string();
    assert!(error.ends_with("to node n-7, not to n-8"), "{error}");
}

#[tokio::test]
async fn a_ledger_that_is_not_of_a_cluster_says_that_nobody_leads() {
    let dir = tempfile::tempdir().unwrap();
    let (ledger, _changes) = Ledger::open(options(&dir, StoreKind::Sled)).await.unwrap();
    let error = ledger.propose(opening("too early")).await.unwrap_err();
    assert_eq!(error, ProposeError::NoLeader { leader: None });
    assert!(ledger.init_single().await.unwrap());
    assert!(!ledger.init_single().await.unwrap());
    open_case(&ledger, "in time").await;
    ledger.linearize().await.unwrap();
    ledger.close().await;
}

#[tokio::test]
async fn a_closed_ledger_says_so_to_whoever_still_holds_it() {
    let dir = tempfile::tempdir().unwrap();
    let (ledger, _changes) = open(&options(&dir, StoreKind::Sled)).await;
    let held = ledger.clone();
    ledger.close().await;
    let error = held.propose(opening("too late")).await.unwrap_err();
    assert!(matches!(error, ProposeError::Stopped), "{error}");
}

#[tokio::test]
async fn a_ledger_that_is_only_dropped_lets_go_of_its_files() {
    let dir = tempfile::tempdir().unwrap();
    let options = options(&dir, StoreKind::Sled);
    let (ledger, changes) = open(&options).await;
    open_case(&ledger, "kept").await;
    drop((ledger, changes));
    let deadline = clock::Deadline::after(PATIENCE);
    let again = loop {
        match Ledger::open(options.clone()).await {
            Ok((ledger, _)) => break ledger,
            Err(error) => assert!(!deadline.is_over(), "still {error}"),
        }
        tokio::task::yield_now().await;
    };
    assert_eq!(again.read(|state| state.cases.len()), 1);
    again.close().await;
}

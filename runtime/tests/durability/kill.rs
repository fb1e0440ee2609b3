//! A ledger that is killed at any moment has everything that it answered, once.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rules::attempt::Body;
use rules::case::{Brief, Report};
use rules::id::{CaseId, HumanName, NodeId, RequestId};
use rules::{Command, Outcome, Principal, Proposal, Request, Who};
use runtime::archive::Filter;
use runtime::audit::verify::Known;
use runtime::ledger::{Ledger, Limits, OpenOptions, ProposeError, StoreKind};
use runtime::policy::Policies;

use crate::child::{self, Task};
use crate::long::Long;
use crate::model::Dice;

/// How often one ledger is killed; a long form has more ledgers.
const KILLS: u64 = 8;
/// Cases that a life may open.
const CASES: u64 = 100_000;
/// Clients of a life.
const CLIENTS: u64 = 6;

pub fn options(dir: &Path, store: StoreKind) -> OpenOptions {
    OpenOptions {
        store,
        // Often, so that kills meet snapshots and what is cut behind them.
        snapshot_every: 150,
        limits: Limits {
            free_bytes: 0,
            ..Limits::default()
        },
        judge: Arc::new(matrix()),
        ..OpenOptions::new(dir, NodeId(1))
    }
}

pub fn matrix() -> Policies {
    let schema = include_str!("../../../config/policy/matrix.cedarschema");
    let matrix = include_str!("../../../config/policy/matrix.cedar");
    Policies::new(schema, matrix).unwrap()
}

fn human() -> Who {
    Who::Human(HumanName::new("admin").unwrap())
}

pub fn proposal(who: Who, command: Command) -> Proposal {
    Proposal {
        request: None,
        principal: Principal::own(who),
        wall_ms: 1,
        command,
        decision: None,
    }
}

/// The wish of that number, the same however often it is said.
pub fn opening(number: u64) -> Proposal {
    let text = "x".repeat(usize::try_from(number % 700 + 1).unwrap());
    let command = Command::OpenCase {
        team: None,
        title: format!("case {number}"),
        brief: Brief {
            text: Body::Inline(text),
        },
        attachments: Vec::new(),
        playbook: None,
    };
    let id = RequestId::new(&format!("r-{number}")).unwrap();
    Proposal {
        request: Some(Request { id, digest: number }),
        ..proposal(human(), command)
    }
}

/// Cancels a case and closes it with a report.
pub async fn close_case(ledger: &Ledger, case: CaseId) -> Result<(), ProposeError> {
    let reason = "over".to_owned();
    let cancel = Command::CancelCase { case, reason };
    ledger.propose(proposal(human(), cancel)).await?.unwrap();
    let text = |length: usize| Body::Inline("r".repeat(length));
    let report = Report {
        summary: "nothing".to_owned(),
        root_cause: None,
        recommendation: None,
        impact: None,
        document: text(3000),
        markdown: text(3000),
    };
    let generation = ledger.read(|state| state.cases[&case].generation);
    let command = Command::ReportCase {
        case,
        generation,
        report: Box::new(report),
    };
    let term = ledger.status().term;
    ledger
        .propose(proposal(Who::Manager { term }, command))
        .await?
        .unwrap();
    Ok(())
}

/// The child's task: opens cases from number `first` on, closes every third, and says each answer.
pub fn open_cases(dir: &Path, kind: StoreKind, first: u64) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let (ledger, _changes) = Ledger::open(options(dir, kind)).await.unwrap();
        ledger.init_single().await.unwrap();
        let next = Arc::new(AtomicU64::new(first));
        let clients = (0..CLIENTS).map(|_| {
            let (ledger, next) = (ledger.clone(), Arc::clone(&next));
            tokio::spawn(async move {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= first + CASES {
                        return;
                    }
                    let verdict = ledger.propose(opening(number)).await.unwrap().unwrap();
                    let Outcome::Opened(case) = verdict else {
                        panic!("{verdict:?}")
                    };
                    println!("answered {number} {}", case.0);
                    if number.is_multiple_of(3) {
                        close_case(&ledger, case).await.unwrap();
                        println!("closed {number}");
                    }
                }
            })
        });
        for client in clients.collect::<Vec<_>>() {
            client.await.unwrap();
        }
    });
}

/// What was answered over all lives.
#[derive(Default)]
struct Answered {
    cases: BTreeMap<u64, u64>,
    closed: BTreeSet<u64>,
    last: u64,
}

impl Answered {
    fn line(&mut self, line: &str) {
        let words: Vec<&str> = line.split(' ').collect();
        match words[..] {
            ["answered", number, case] => {
                let number = number.parse().unwrap();
                self.last = self.last.max(number);
                let before = self.cases.insert(number, case.parse().unwrap());
                assert!(before.is_none(), "{line}: twice");
            }
            ["closed", number] => drop(self.closed.insert(number.parse().unwrap())),
            _ => {}
        }
    }

    /// Whether a ledger has all of it, once.
    async fn is_kept_by(&self, ledger: &Ledger) {
        let open: Vec<(CaseId, String)> = ledger.read(|state| {
            state
                .cases
                .values()
                .map(|case| (case.id, case.title.clone()))
                .collect()
        });
        let mut found: BTreeMap<String, CaseId> = BTreeMap::new();
        let closed = all_closed(ledger);
        for (id, title) in open.iter().chain(&closed) {
            let before = found.insert(title.clone(), *id);
            assert!(
                before.is_none(),
                "{title} is there twice: {before:?} and {id}"
            );
        }
        for (number, case) in &self.cases {
            let id = found.get(&format!("case {number}"));
            assert_eq!(id, Some(&CaseId(*case)), "case {number} was answered");
        }
        for number in &self.closed {
            let case = CaseId(self.cases[number]);
            let kept = ledger.archive().case(case).unwrap();
            assert!(
                kept.is_some_and(|case| case.is_closed()),
                "{case} was closed"
            );
        }
        let count = ledger.archive().count();
        assert_eq!(count, closed.len() as u64, "the archive counts wrong");
        let (count, head) = ledger.read(|state| (state.audit.count, state.audit.head));
        let whose = "the state".to_owned();
        let verified = ledger.audit().verify(&[Known { count, head, whose }]);
        let verified = verified.unwrap();
        assert_eq!(verified.fault, None, "the records are not what was written");
        assert!(
            verified.heads.len() == 1 && verified.count >= count,
            "{verified:?}"
        );
        // Said again, a wish is answered as before.
        for (number, case) in self.cases.iter().rev().take(5) {
            let verdict = ledger.propose(opening(*number)).await.unwrap();
            assert_eq!(
                verdict,
                Ok(Outcome::Opened(CaseId(*case))),
                "case {number} again"
            );
        }
    }
}

pub fn all_closed(ledger: &Ledger) -> Vec<(CaseId, String)> {
    let mut all = Vec::new();
    let mut filter = Filter::default();
    loop {
        let page = ledger.archive().list(&filter, 500).unwrap();
        let Some(last) = page.last() else { return all };
        filter.before = Some(last.id);
        all.extend(page.into_iter().map(|case| (case.id, case.title)));
    }
}

async fn kill(kind: StoreKind) {
    for mut one in Long::of(&format!("killed-ledgers-{}", child::name(kind)), 1) {
        kill_one(kind, &mut one.dice).await;
    }
}

async fn kill_one(kind: StoreKind, dice: &mut Dice) {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("ledger");
    let mut answered = Answered::default();
    for round in 0..KILLS {
        let task = Task {
            role: "ledger",
            dir: folder.clone(),
            kind,
            seed: 0,
            // Numbers that were under way when the last life ended are not said again.
            count: answered.last + CLIENTS + 1,
        };
        let mut child = task.start(&[]);
        let wanted = dice.below(400) + 1;
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut heard = 0;
        for line in lines {
            answered.line(&line.unwrap());
            heard += 1;
            if heard == wanted {
                child.kill().unwrap();
            }
        }
        let status = child.wait().unwrap();
        assert!(heard >= wanted, "the child ended by itself: {status}");
        if round % 2 == 1 {
            let (ledger, _changes) = Ledger::open(options(&folder, kind)).await.unwrap();
            answered.is_kept_by(&ledger).await;
            ledger.close().await;
        }
    }
    assert!(
        answered.cases.len() as u64 > KILLS,
        "{} {}",
        child::name(kind),
        answered.cases.len()
    );
}

#[tokio::test]
async fn a_ledger_on_sled_that_is_killed_again_and_again_keeps_every_answer_once() {
    kill(StoreKind::Sled).await;
}

#[tokio::test]
async fn a_ledger_on_redb_that_is_killed_again_and_again_keeps_every_answer_once() {
    kill(StoreKind::Redb).await;
}

//! A trial: one seed from the founding of a cluster to the judgement on it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rules::case::CaseStatus;
use rules::duty::{self, Duty};
use rules::id::{CaseId, NodeId};
use runtime::archive::Filter;
use runtime::audit::verify::Known;
use runtime::ledger::{Ledger, LedgerStatus, StorageStatus};

use super::clockwork::locked;
use super::cluster::Cluster;
use super::founding;
use super::nemesis::Nemesis;
use super::oracle::Final;
use super::people::Person;
use super::truth;

/// How long a cluster may take to be founded.
const FOUNDED_WITHIN: Duration = Duration::from_secs(30);
/// How long it may take to come to rest after all faults are taken off.
const REST_WITHIN: Duration = Duration::from_secs(90);

/// What came of a trial.
pub struct Tally {
    pub breaches: Vec<String>,
    pub rare: BTreeMap<&'static str, u64>,
    pub trace: u64,
    pub steps: u64,
    pub entries: u64,
    pub cases: u64,
    pub virtual_ms: u64,
}

/// Tries one seed.
pub fn tried(seed: u64) -> Tally {
    let cluster = Cluster::new(seed, 3);
    let begun = begin(&cluster);
    if let Err(why) = begun {
        cluster.oracle.wrong(why);
    } else {
        rage(&cluster);
        rest(&cluster);
    }
    let broken = cluster.clockwork.broken();
    let mut tally = Tally {
        breaches: broken,
        rare: BTreeMap::new(),
        trace: cluster.clockwork.trace(),
        steps: cluster.clockwork.steps(),
        entries: 0,
        cases: 0,
        virtual_ms: cluster.clockwork.now_ms(),
    };
    cluster.oracle.with(|evidence| {
        tally.breaches.extend(truth::breaches(evidence));
        let last = evidence.finals.iter().map(|last| last.index).max();
        tally.entries = last.unwrap_or(0);
        let titles = evidence.finals.first().map(|last| last.titles.len());
        tally.cases = titles.unwrap_or(0) as u64;
    });
    let led = cluster.oracle.with(|evidence| {
        let last = evidence.leaders.keys().max().copied().unwrap_or(0);
        (evidence.leaders.len() as u64, last)
    });
    for _ in led.0..led.1 {
        cluster.rare.saw("a term was without a leader");
    }
    tally.rare = cluster.rare.all();
    for node in cluster.ids() {
        cluster.crash(node, false);
    }
    cluster.clockwork.end();
    tally
}

fn begin(cluster: &Cluster) -> Result<(), String> {
    for node in cluster.ids() {
        cluster.start(node);
    }
    let founded = Arc::new(Mutex::new(None));
    let (told, cluster_of) = (Arc::clone(&founded), cluster.clone());
    cluster.ether.run(async move {
        let done = founding::found(cluster_of).await;
        *locked(&told) = Some(done);
    });
    let is_whole = || {
        let all = cluster.ledgers();
        locked(&founded).is_some()
            && all.iter().all(|(node, _)| {
                let status = cluster.status(*node);
                let is_whole =
                    |status: LedgerStatus| status.voters.len() == all.len() && !status.is_changing;
                status.is_some_and(is_whole)
            })
    };
    let is_founded = cluster.clockwork.run(FOUNDED_WITHIN, is_whole);
    match locked(&founded).take() {
        Some(Err(why)) => Err(why),
        Some(Ok(())) if is_founded => Ok(()),
        Some(Ok(())) | None => Err("no cluster came to be".to_owned()),
    }
}

fn rage(cluster: &Cluster) {
    let clockwork = &cluster.clockwork;
    let (people, wishes, each_ms, rage_ms) = clockwork.with_dice(|dice| {
        (
            dice.between(2, 4),
            dice.between(4, 14),
            dice.between(200, 1_500),
            dice.between(3_000, 9_000),
        )
    });
    let attending = cluster.ether.run(cluster.clone().attend());
    let nemesis = Nemesis {
        cluster: cluster.clone(),
        each_ms,
    };
    let raging = cluster.ether.run(nemesis.rage());
    let done = Arc::new(Mutex::new(0));
    for number in 0..people {
        let (person, done) = (Person::new(cluster, number, wishes), Arc::clone(&done));
        cluster.ether.run(async move {
            person.live().await;
            *locked(&done) += 1;
        });
    }
    let until = clockwork.now() + Duration::from_millis(rage_ms);
    clockwork.run(until, || false);
    clockwork.stop(raging);
    cluster.calm();
    cluster.heal();
    // People end their wishes without more faults.
    let until = clockwork.now() + REST_WITHIN;
    let are_done = clockwork.run(until, || *locked(&done) == people);
    if !are_done {
        let restless = "people still wait for their answers".to_owned();
        cluster
            .oracle
            .with(|evidence| evidence.restless.push(restless));
    }
    clockwork.stop(attending);
    cluster.heal();
}

fn rest(cluster: &Cluster) {
    let clockwork = &cluster.clockwork;
    let until = clockwork.now() + REST_WITHIN;
    let mut looked = Duration::ZERO;
    let rests = clockwork.run(until, || {
        let now = clockwork.now();
        if now < looked {
            return false;
        }
        looked = now + Duration::from_millis(100);
        restless(cluster).is_none()
    });
    if !rests {
        let why = restless(cluster).unwrap_or_default();
        cluster.oracle.with(|evidence| evidence.restless.push(why));
        return;
    }
    let done = Arc::new(Mutex::new(Vec::new()));
    for (node, ledger) in cluster.ledgers() {
        let Some((_, machine)) = cluster.net.at(node) else {
            continue;
        };
        let done = Arc::clone(&done);
        machine.run(async move { locked(&done).push(last_look(node, &ledger)) });
    }
    let count = cluster.ids().len();
    clockwork.run(until, || locked(&done).len() == count);
    let finals = std::mem::take(&mut *locked(&done));
    cluster.oracle.with(|evidence| evidence.finals = finals);
}

/// What has not come to rest, if anything.
fn restless(cluster: &Cluster) -> Option<String> {
    let all = cluster.ledgers();
    if all.len() < cluster.ids().len() {
        return Some("not all nodes are up".to_owned());
    }
    let Some((leads, leader)) = cluster.leader() else {
        return Some("nobody leads".to_owned());
    };
    let last = cluster.status(leads)?.last_log;
    for (node, _) in &all {
        let status = cluster.status(*node)?;
        if status.applied != last {
            return Some(format!("{node} has not applied {last} entries: {status:?}"));
        }
        if status.is_changing {
            return Some("the voters change".to_owned());
        }
        if status.storage != StorageStatus::Ok {
            return Some(format!("the store of {node} refuses: {:?}", status.storage));
        }
    }
    if let Some(due) = leader.read(unfinished) {
        return Some(due);
    }
    let closed = leader.read(|state| state.closed_cases);
    for (node, ledger) in &all {
        if let Some(gap) = ledger.audit().gap() {
            return Some(format!("{node} lacks records behind {}", gap.after));
        }
        if ledger.archive().count() != closed {
            let count = ledger.archive().count();
            return Some(format!("{node} has archived {count} of {closed}"));
        }
    }
    None
}

/// What is still to be done, but for what people must do.
fn unfinished(state: &rules::State) -> Option<String> {
    let duties = duty::duties(state).into_values().flatten();
    let mut due = duties.filter(|duty| !matches!(duty, Duty::Keep { .. } | Duty::Tell { .. }));
    if let Some(due) = due.next() {
        return Some(format!("{due:?}"));
    }
    let mut cases = state.cases.values();
    let waits = |status| matches!(status, CaseStatus::Waiting(_));
    let open = cases.find(|case| !waits(case.status));
    open.map(|case| format!("{} is {:?}", case.id, case.status))
}

/// Everything that a node has in the end.
fn last_look(node: NodeId, ledger: &Ledger) -> Final {
    let mut titles: BTreeMap<String, Vec<CaseId>> = BTreeMap::new();
    let (mut cases, mut record) = (Vec::new(), Vec::new());
    let closed = ledger.archive().list(&Filter::default(), 1000);
    match closed {
        Ok(closed) => {
            for case in closed {
                titles.entry(case.title).or_default().push(case.id);
                match ledger.archive().case(case.id) {
                    Ok(Some(case)) => cases.push(case),
                    other => record.push(format!("{} in the archive: {other:?}", case.id)),
                }
            }
        }
        Err(error) => record.push(format!("its archive: {error}")),
    }
    let (index, known, closed) = ledger.read(|state| {
        for case in state.cases.values() {
            titles.entry(case.title.clone()).or_default().push(case.id);
            cases.push(case.clone());
        }
        let known = Known {
            count: state.audit.count,
            head: state.audit.head,
            whose: "the state".to_owned(),
        };
        (state.index, known, state.closed_cases)
    });
    if let Some(gap) = ledger.audit().gap() {
        record.push(format!("records are missing: {gap:?}"));
    }
    match ledger.audit().verify(&[known]) {
        Ok(verified) if verified.fault.is_none() && verified.heads.len() == 1 => {}
        Ok(verified) => record.push(format!("{verified:?}")),
        Err(error) => record.push(error.to_string()),
    }
    Final {
        node,
        index,
        state: ledger.picture().map(|(_, state)| state).unwrap_or_default(),
        titles,
        cases,
        archived: ledger.archive().count(),
        closed,
        record,
    }
}

//! Cases go on, whichever persona crashes and whenever it does.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "crashes/containers.rs"]
mod containers;
mod house;
mod crashes {
    pub mod hostile;
    pub mod manager;
}

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;
use std::time::Duration;

use actors::RootMsg;
use actors::tree::{Child, Standing};
use house::{Home, Quick, crew, open};
use ractor::call_t;
use rules::attempt::AttemptStatus;
use rules::case::{Case, CaseOutcome};
use rules::duty::Holder;
use rules::id::{Epoch, NodeId, TeamName};
use rules::stage::StageStatus;

async fn standing(home: &Home) -> Vec<Standing> {
    call_t!(home.household.root(), RootMsg::Stand, 5000).unwrap()
}

/// How often the long form does what a landing does once.
fn scale() -> usize {
    let factor = std::env::var("DOMO_TEST_SCALE").unwrap_or_else(|_| "1".to_owned());
    factor.parse().expect("DOMO_TEST_SCALE is a whole number")
}

/// Every stage done by exactly one attempt that finished, and nothing left running.
fn is_told_once(case: &Case) {
    assert_eq!(case.report.is_some(), case.is_closed(), "{case:#?}");
    for stage in &case.stages {
        assert_eq!(stage.status, StageStatus::Done, "{case:#?}");
        let finished = case.attempts.values().filter(|attempt| {
            attempt.stage == stage.spec.name && attempt.status == AttemptStatus::Finished
        });
        assert_eq!(finished.count(), 1, "{case:#?}");
    }
    assert_eq!(case.live_attempts().count(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_case_goes_from_brief_to_report() {
    let home = open(Quick::default()).await;
    crew(&home, true).await;
    let case = home.submit().await;
    let case = home.closed(case).await;
    is_told_once(&case);
    let report = case.report.as_ref().unwrap();
    assert_eq!(report.root_cause.as_deref(), Some("the disk"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_butler_plans_with_its_own_agent() {
    let plan = r#"{"stages":[{"name":"see","skill":"looking"},{"name":"say","skill":"looking","after":["see"]}]}"#;
    let home = open(Quick {
        plan: Some(plan.to_owned()),
        ..Quick::default()
    })
    .await;
    crew(&home, false).await;
    let case = home.submit().await;
    let case = home.closed(case).await;
    is_told_once(&case);
    assert_eq!(case.stages.len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plan_that_is_never_right_fails_the_case_with_its_reasons() {
    let plan = r#"{"stages":[{"name":"see","skill":"flying"}]}"#;
    let home = open(Quick {
        plan: Some(plan.to_owned()),
        ..Quick::default()
    })
    .await;
    crew(&home, false).await;
    let case = home.submit().await;
    let case = home.closed(case).await;
    assert_eq!(case.ending, Some(CaseOutcome::Failed));
    let reason = case.ending_reason.unwrap();
    assert!(
        reason.contains("no worker of team crew has the skill flying"),
        "{reason}"
    );
    assert!(case.plan_refusals.len() > 1, "it was sent back before");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cases_end_once_each_while_personas_crash_between_any_two_messages() {
    /// More than run at once, so that cases are in every state when a persona dies.
    const CASES: usize = 40;
    /// Several for each message that these cases take; the long form does all of it again and again.
    const CRASHES: usize = 300;
    let home = open(Quick::default()).await;
    crew(&home, true).await;
    for _ in 0..scale() {
        let mut cases = Vec::new();
        for _ in 0..CASES {
            cases.push(home.submit().await);
        }
        for round in 0..CRASHES {
            let children = standing(&home).await;
            let child = children[round % children.len()].child.clone();
            home.household.root().cast(RootMsg::Crash(child)).unwrap();
            tokio::time::timeout(Duration::from_millis(2), std::future::pending::<()>())
                .await
                .ok();
        }
        for case in cases {
            is_told_once(&home.closed(case).await);
        }
    }
    assert_eq!(
        home.workshop.doubled.load(Ordering::Relaxed),
        0,
        "an attempt ran twice at once"
    );
    let restarted: BTreeSet<Child> = standing(&home)
        .await
        .into_iter()
        .filter(|standing| standing.last_death.is_some())
        .map(|standing| standing.child)
        .collect();
    assert!(!restarted.is_empty(), "nothing crashed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_team_works_on_while_the_manager_is_dead() {
    let home = open(Quick::default()).await;
    crew(&home, true).await;
    let first = home.submit().await;
    home.closed(first).await;
    let manager = Child::Persona(Holder::Manager);
    home.household.root().cast(RootMsg::Crash(manager)).unwrap();
    let second = home.submit().await;
    is_told_once(&home.closed(second).await);
}

fn butlers(children: Vec<Standing>) -> Vec<(NodeId, Epoch)> {
    let of = |child| match child {
        Child::Persona(Holder::Butler(_, node, epoch)) => Some((node, epoch)),
        Child::Persona(Holder::Manager | Holder::Worker(..)) | Child::Janitor => None,
    };
    children.into_iter().filter_map(|c| of(c.child)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_butler_of_an_epoch_that_is_over_is_gone_and_another_speaks_on_the_same_node() {
    let home = open(Quick::default()).await;
    crew(&home, true).await;
    let first = home.submit().await;
    home.closed(first).await;
    let before = butlers(standing(&home).await);
    assert_eq!(before.len(), 1, "{before:?}");

    home.move_crew().await;
    let second = home.submit().await;
    is_told_once(&home.closed(second).await);
    let crew = TeamName::new("crew").unwrap();
    let epoch = home.ledger.read(|state| state.teams[&crew].epoch);
    let after = butlers(standing(&home).await);
    assert_eq!(after, vec![(before[0].0, epoch)]);
    assert!(epoch > before[0].1, "{epoch} after {before:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_the_manager_held_dead_crashed_butlers_and_workers_come_back_and_cases_go_on() {
    /// Each is in another state when everybody crashes.
    const CASES: usize = 10;
    let home = open(Quick::default()).await;
    crew(&home, true).await;
    let first = home.submit().await;
    home.closed(first).await;
    let root = home.household.root();
    root.cast(RootMsg::HoldManager(true)).unwrap();
    let mut cases = Vec::new();
    for _ in 0..CASES {
        cases.push(home.submit().await);
        for standing in standing(&home).await {
            root.cast(RootMsg::Crash(standing.child)).unwrap();
        }
    }
    for case in cases {
        is_told_once(&home.closed(case).await);
    }
    let manager = manager(standing(&home).await);
    assert!(manager.is_held && !manager.is_running, "{manager:?}");
    assert_eq!(home.workshop.doubled.load(Ordering::Relaxed), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_needs_the_manager_waits_while_he_is_held_dead_and_goes_on_afterwards() {
    let home = open(Quick::default()).await;
    let root = home.household.root();
    root.cast(RootMsg::HoldManager(true)).unwrap();
    // A new team has no place, so its cases wait.
    crew(&home, true).await;
    let case = home.submit().await;
    home.wait_for_standing("the Manager to have duties", |all| {
        all.iter()
            .any(|standing| standing.is_held && standing.duties > 0)
    })
    .await;
    assert!(home.archived(case).is_none());
    root.cast(RootMsg::HoldManager(false)).unwrap();
    is_told_once(&home.closed(case).await);
    let manager = manager(standing(&home).await);
    assert!(!manager.is_held && manager.is_running, "{manager:?}");
}

fn manager(children: Vec<Standing>) -> Standing {
    let is_he = |standing: &Standing| standing.child == Child::Persona(Holder::Manager);
    children.into_iter().find(is_he).unwrap()
}

//! Plans of a butler's agent that mean harm: whatever it answers, nobody may anything more than before.

use rules::case::{CaseStatus, WaitingFor};
use rules::human::TeamRole;
use rules::id::{CaseId, HumanName, TeamName};
use rules::right::{Demand, Right, Tie};
use rules::roster::HumanSpec;
use rules::stage::StageStatus;
use rules::{Command, Principal, State, demand};

use crate::house::{Home, Quick, crew, open};

/// Whole answers of an agent, one a line.
const PLANS: &str = include_str!("../../../tests/hostile/plans.jsonl");
/// So many at least: the figure asks for two hundred of all kinds.
const AT_LEAST: usize = 60;

/// All that says who may do what.
fn privileges(state: &State) -> String {
    let teams: Vec<_> = state.teams.values().map(|team| &team.spec).collect();
    let workers: Vec<_> = state.workers.values().map(|worker| &worker.spec).collect();
    let nodes: Vec<_> = state.nodes.values().map(|node| &node.facts).collect();
    format!(
        "{:?} {teams:?} {workers:?} {nodes:?} {:?} {:?}",
        state.people, state.targets, state.tokens
    )
}

fn bob() -> Principal {
    Principal::human(HumanName::new("bob").unwrap())
}

/// Every right in every place that Bob has.
fn rights_of_bob(home: &Home) -> Vec<Demand> {
    let mut held = Vec::new();
    for right in Right::ALL {
        for team in [None, Some("crew"), Some("other")] {
            let team = team.map(|team| TeamName::new(team).unwrap());
            let tie = Tie::None;
            let demand = Demand { right, team, tie };
            let may = home
                .ledger
                .read(|state| home.ledger.may(state, &bob(), demand.clone()));
            held.extend(may.then_some(demand));
        }
    }
    held
}

/// What a case waits for is nobody's to allow whom the plan alone names.
fn is_for_leads_alone(home: &Home, case: CaseId, plan: &str) {
    home.ledger.read(|state| {
        let stages = state.cases[&case].stages.iter();
        for stage in stages.filter(|stage| stage.status == StageStatus::Pending) {
            let approve = Command::ApproveStage {
                case,
                stage: stage.spec.name.clone(),
                note: String::new(),
            };
            let demands = demand::of_command(state, &bob(), &approve);
            for demand in demands {
                assert_eq!(demand.tie, Tie::None, "{plan}");
                assert!(!home.ledger.may(state, &bob(), demand), "{plan}");
            }
        }
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_plan_of_an_agent_gives_anybody_a_right() {
    let home = open(Quick::default()).await;
    crew(&home, false).await;
    let member = HumanSpec {
        name: HumanName::new("bob").unwrap(),
        display: None,
        employee: None,
        teams: [(TeamName::new("crew").unwrap(), TeamRole::Member)].into(),
    };
    let put = vec![member];
    home.sam(Command::PutHumans { put, piece: None })
        .await
        .unwrap();
    let before = home.ledger.read(privileges);
    let rights = rights_of_bob(&home);
    assert!(!rights.is_empty(), "he may something");
    let (mut waited, mut count) = (0, 0);
    for plan in PLANS.lines() {
        let next = home.ledger.read(|state| state.next_case);
        home.answer_with(next, plan);
        let case = home.submit().await;
        let waits = CaseStatus::Waiting(WaitingFor::Approval);
        let is_waiting = |state: &State| {
            let found = state.cases.get(&case);
            found.is_some_and(|case| case.status == waits)
        };
        home.wait("an end, or an approval", |home| {
            home.archived(case).is_some() || home.ledger.read(is_waiting)
        })
        .await;
        if home.ledger.read(is_waiting) {
            waited += 1;
            is_for_leads_alone(&home, case, plan);
            let reason = "nobody may".to_owned();
            home.sam(Command::CancelCase { case, reason })
                .await
                .unwrap();
        }
        let closed = home.closed(case).await;
        let teams = closed.attempts.values().map(|attempt| &attempt.worker.team);
        assert!(
            teams.into_iter().all(|team| team.as_str() == "crew"),
            "{plan}"
        );
        assert_eq!(home.ledger.read(privileges), before, "{plan}");
        assert_eq!(rights_of_bob(&home), rights, "{plan}");
        count += 1;
    }
    assert!(waited >= 3 && count >= AT_LEAST, "{waited} of {count}");
}

//! The permission matrix as the policies evaluate it, against a table that was written by hand.
//!
//! `DOMO_TEST_SCALE` multiplies the requests that are drawn; a million are tried by `tests/run --full`.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on ends where it stands"
)]

mod table;
mod world;

use std::time::Duration;

use rules::human::{Human, TeamRole};
use rules::id::{HumanName, PolicyName, TeamName};
use rules::right::{Demand, Right, Tie};
use rules::{Principal, State, Who, demand};
use runtime::clock;
use runtime::ledger::Judge as _;
use runtime::policy::Policies;

use table::{Place, Table};
use world::{ASKERS, World, matrix, name, principal};

/// Requests that are drawn at scale 1.
const DRAWN: u64 = 100_000;
/// What a decision that was taken before may cost on this machine at its busiest; the figure of the
/// design is measured by `domo bench policy`.
const DECIDED_WITHIN: Duration = Duration::from_micros(500);

fn allows(judge: &Policies, state: &State, asker: &Principal, demand: &Demand) -> bool {
    judge
        .decide(state, asker, vec![demand.clone()])
        .is_allowed()
}

#[test]
fn every_right_has_one_row_and_every_row_is_a_right() {
    let table = Table::read();
    let names: Vec<&str> = Right::ALL.into_iter().map(Right::name).collect();
    let mut rows = table.rows();
    rows.sort_unstable();
    let mut wanted = names.clone();
    wanted.sort_unstable();
    assert_eq!(rows, wanted);
}

#[test]
fn every_cell_is_as_it_was_written_by_hand() {
    let (table, world, judge) = (Table::read(), World::small(), matrix());
    let mut wrong = Vec::new();
    let mut tried = 0;
    for right in Right::ALL {
        for asker in ASKERS {
            for (place, team) in [
                (Place::OwnTeam, Some("sre")),
                (Place::OtherTeam, Some("db")),
                (Place::UnknownTeam, Some("nowhere")),
                (Place::Cluster, None),
            ] {
                for tie in [Tie::None, Tie::Opener, Tie::Named, Tie::Own] {
                    let demand = Demand {
                        right,
                        team: team.map(name),
                        tie,
                    };
                    let wanted = table.allows(right, asker, place, tie);
                    let found = allows(&judge, &world.state, &principal(asker), &demand);
                    tried += 1;
                    if wanted != found {
                        wrong.push(format!("{asker} {demand:?}: {found}, by hand {wanted}"));
                    }
                }
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {tried}:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[test]
fn any_request_is_judged_as_the_table_says() {
    let number = |name: &str| -> Option<u64> { std::env::var(name).ok()?.parse().ok() };
    let scale = number("DOMO_TEST_SCALE").unwrap_or(1).max(1);
    let seed = number("DOMO_TEST_SEED").unwrap_or(1);
    let table = Table::read();
    let mut dice = world::Dice::new(seed);
    let mut left = DRAWN.saturating_mul(scale);
    while left > 0 {
        let (world, judge) = (World::drawn(&mut dice), matrix());
        for _ in 0..left.min(1000) {
            let (principal, demand, wanted) = world.request(&mut dice, &table);
            let found = allows(&judge, &world.state, &principal, &demand);
            assert_eq!(
                found, wanted,
                "DOMO_TEST_SEED={seed} DOMO_TEST_SCALE={scale}: {principal:?} {demand:?}\n{:?}",
                world.state.people
            );
        }
        left = left.saturating_sub(1000);
    }
}

#[test]
fn a_policy_of_the_organisation_takes_rights_away_and_gives_none() {
    let (mut world, judge) = (World::small(), matrix());
    let freeze: PolicyName = name("freeze");
    let demand = demand::in_team(Right::CreateCase, &name("sre"));
    let bob = principal("member");
    assert!(allows(&judge, &world.state, &bob, &demand));
    for (text, why) in [
        ("permit (principal, action, resource);", "only forbid"),
        (
            "forbid (principal, action, resource) when { context.mood };",
            "mood",
        ),
        (
            "forbid (principal, action == Action::\"fly\", resource);",
            "fly",
        ),
        (
            "forbid (principal == ?principal, action, resource);",
            "template",
        ),
        ("forbid", "unexpected"),
        ("", "no policy"),
    ] {
        let faults = judge.faults(&freeze, text).join("; ");
        assert!(faults.contains(why), "{text}: {faults}");
    }
    let text = r#"forbid (principal == Human::"bob", action == Action::"createCase", resource);"#;
    assert_eq!(judge.faults(&freeze, text), Vec::<String>::new());
    world
        .state
        .people
        .policies
        .insert(freeze.clone(), text.to_owned());
    world.state.people.revision += 1;
    let decision = judge.decide(&world.state, &bob, vec![demand.clone()]);
    assert!(!decision.is_allowed());
    let told = demand::refusal(&decision).unwrap().to_string();
    assert!(told.contains("policy freeze/1 forbids it"), "{told}");
    assert!(allows(&judge, &world.state, &principal("lead"), &demand));
    world.state.people.policies.clear();
    world.state.people.revision += 1;
    assert!(allows(&judge, &world.state, &bob, &demand));
}

#[test]
fn what_cannot_be_read_denies_everything_but_its_being_taken_back() {
    let (mut world, judge) = (World::small(), matrix());
    let people = &mut world.state.people;
    people.policies.insert(name("broken"), "forbid".to_owned());
    people.revision += 1;
    let look = demand::cluster(Right::LookAround);
    let mend = demand::cluster(Right::ManageCluster);
    for asker in ["admin", "lead", "member"] {
        assert!(
            !allows(&judge, &world.state, &principal(asker), &look),
            "{asker}"
        );
    }
    let mends = |asker: &Principal| {
        let decision = judge.decide_on_policies(&world.state, asker, vec![mend.clone()]);
        decision.is_allowed()
    };
    let built_in = Principal::human(name("admin"));
    assert!(mends(&built_in));
    for demand in [&look, &mend] {
        assert!(
            !allows(&judge, &world.state, &built_in, demand),
            "{demand:?}"
        );
    }
    let for_him = Principal {
        on_behalf_of: Some(name("admin")),
        ..principal("manager")
    };
    for asker in [principal("admin"), principal("member"), for_him] {
        assert!(!mends(&asker), "{asker:?}");
    }
    // What personas do of themselves goes on.
    let manager = Principal::own(Who::Manager { term: 1 });
    let govern = demand::cluster(Right::Govern);
    assert!(allows(&judge, &world.state, &manager, &govern));
}

#[test]
fn a_token_is_good_for_its_team_and_begets_none() {
    let (mut world, judge) = (World::small(), matrix());
    let mut bob = principal("member");
    bob.token = Some(name("night"));
    let here = demand::in_team(Right::CreateCase, &name("sre"));
    assert!(
        !allows(&judge, &world.state, &bob, &here),
        "there is no such token"
    );
    world.give_token("bob", "night", Some("sre"));
    assert!(allows(&judge, &world.state, &bob, &here));
    let look = demand::cluster(Right::LookAround);
    assert!(allows(&judge, &world.state, &bob, &look));
    let own = Demand {
        right: Right::OwnAccount,
        team: Some(name("sre")),
        tie: Tie::Own,
    };
    assert!(!allows(&judge, &world.state, &bob, &own));
    let mut admin = principal("admin");
    admin.token = Some(name("narrow"));
    world.give_token("ada", "narrow", Some("db"));
    assert!(!allows(&judge, &world.state, &admin, &here));
    assert!(allows(
        &judge,
        &world.state,
        &admin,
        &demand::in_team(Right::CreateCase, &name("db"))
    ));
    assert!(!allows(
        &judge,
        &world.state,
        &admin,
        &demand::cluster(Right::ManageCluster)
    ));
}

#[test]
fn a_decision_that_was_taken_before_costs_next_to_nothing() {
    let (mut world, judge) = (World::small(), matrix());
    for number in 0..5_000 {
        let name: HumanName = name(&format!("human-{number}"));
        world
            .state
            .people
            .humans
            .insert(name.clone(), Human::default());
        let roll = world
            .state
            .people
            .rolls
            .get_mut(&self::name::<TeamName>("sre"));
        roll.unwrap().roles.insert(name, TeamRole::Member);
    }
    let demand = demand::in_team(Right::CreateCase, &name("sre"));
    let began = clock::boot();
    let rounds = 1_000;
    for number in 0..rounds {
        let asker = Principal::human(name(&format!("human-{number}")));
        assert!(allows(&judge, &world.state, &asker, &demand));
    }
    let each = clock::boot().since(began) / rounds;
    assert!(each < DECIDED_WITHIN, "{each:?}");
}

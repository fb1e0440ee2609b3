//! Which right each command takes, and where: beside a list that was written by hand.

mod samples;

use std::collections::BTreeMap;

use rules::attempt::{AttemptOutcome, Body};
use rules::case::Report;
use rules::command::{Plan, Progress};
use rules::demand;
use rules::effect::{EffectEnd, Intent};
use rules::human::{Human, Roll, TeamRole};
use rules::id::{CaseId, Epoch, NodeId, WorkerId};
use rules::node::{Health, NodeFacts};
use rules::right::{Demand, Tie};
use rules::target::Class;
use rules::team::{Document, DocumentName, PlaybookSpec, TeamSpec};
use rules::{Command, Principal, State, Who, version};

use samples::{attempt, key, name, of_cases, of_people, of_stages, of_the_cluster, result};

fn told(demand: &Demand) -> String {
    let team = demand.team.as_ref();
    let place = team.map_or("cluster".to_owned(), |team| format!("team {team}"));
    let tie = match demand.tie {
        Tie::None => "",
        Tie::Opener => ", opener",
        Tie::Named => ", named",
        Tie::Own => ", own",
    };
    format!("{} in {place}{tie}", demand.right)
}

fn demanded(state: &State, asker: &Principal, command: &Command) -> Vec<String> {
    let demands = demand::of_command(state, asker, command);
    demands.iter().map(told).collect()
}

/// Bob who belongs to sre and db, Ada who is an admin.
fn peopled() -> State {
    let mut state = State::default();
    let people = &mut state.people;
    let bob = Human {
        teams: [name("sre"), name("db")].into(),
        ..Human::default()
    };
    for team in ["sre", "db"] {
        let roles = BTreeMap::from([(name("bob"), TeamRole::Member)]);
        let roll = Roll { revision: 1, roles };
        people.rolls.insert(name(team), roll);
    }
    people.humans.insert(name("bob"), bob);
    let ada = Human {
        is_admin: true,
        ..Human::default()
    };
    people.humans.insert(name("ada"), ada);
    state
}

#[test]
fn what_people_ask_takes_the_rights_of_the_table() {
    let (state, lea) = (peopled(), Principal::human(name("lea")));
    for (command, wanted) in of_cases().into_iter().chain(of_stages()) {
        assert_eq!(demanded(&state, &lea, &command), [wanted], "{command:?}");
    }
    for (command, wanted) in of_people() {
        assert_eq!(demanded(&state, &lea, &command), wanted, "{command:?}");
    }
    for command in of_the_cluster() {
        let wanted = ["manageCluster in cluster"];
        assert_eq!(demanded(&state, &lea, &command), wanted, "{command:?}");
    }
    let revoke = Command::RevokeHumanToken {
        human: name("bob"),
        token: name("t"),
    };
    let wanted = ["manageHumans in team db", "manageHumans in team sre"];
    assert_eq!(demanded(&state, &lea, &revoke), wanted);
    let replace = Command::ReplaceWorker {
        worker: name("sre/w"),
        reason: String::new(),
    };
    assert_eq!(demanded(&state, &lea, &replace), ["settle in team sre"]);
}

#[test]
fn a_token_for_somebody_else_takes_the_right_to_all_that_it_will_ever_be_good_for() {
    let (mut state, lea) = (peopled(), Principal::human(name("lea")));
    let mint = |team: Option<&str>| Command::MintHumanToken {
        human: name("bob"),
        token: name("t"),
        hash: [1; 32],
        valid_ms: 1,
        team: team.map(name),
    };
    let today = ["manageHumans in team db", "manageHumans in team sre"];
    assert_eq!(demanded(&state, &lea, &mint(None)), today);
    state.version = version::PEOPLE;
    assert_eq!(demanded(&state, &lea, &mint(Some("sre"))), today);
    for (team, more) in [
        (None, "manageHumans in cluster"),
        (Some("web"), "manageHumans in team web"),
    ] {
        let wanted = [today[0], today[1], more];
        assert_eq!(demanded(&state, &lea, &mint(team)), wanted);
    }
}

#[test]
fn each_document_takes_the_right_to_what_it_describes() {
    let (state, lea) = (peopled(), Principal::human(name("lea")));
    let team = Document::Team(TeamSpec {
        name: name("sre"),
        title: String::new(),
        topics: Vec::new(),
        butler: name("bot"),
        agent: None,
        playbook: None,
        labels: BTreeMap::new(),
    });
    let playbook = Document::Playbook(PlaybookSpec {
        team: name("sre"),
        name: name("p"),
        title: String::new(),
        stages: Vec::new(),
    });
    let worker: WorkerId = name("db/w");
    let command = Command::ApplyDocuments {
        put: vec![team, playbook],
        remove: vec![
            DocumentName::Worker(worker),
            DocumentName::Team(name("web")),
            DocumentName::Playbook(name("net"), name("p")),
        ],
    };
    let wanted = [
        "manageTeams in cluster",
        "manageButler in team net",
        "manageButler in team sre",
        "settle in team db",
    ];
    assert_eq!(demanded(&state, &lea, &command), wanted);
}

fn butler() -> Who {
    Who::Butler {
        team: name("sre"),
        epoch: Epoch(1),
    }
}

#[test]
fn what_personas_do_is_their_own_only_where_it_is() {
    let state = State::default();
    let worker = |id: &str| Who::Worker {
        worker: name(id),
        epoch: Epoch(1),
    };
    let own = [
        Command::AdvanceAttempt {
            attempt: attempt(),
            to: Progress::Running,
        },
        Command::FinishAttempt {
            attempt: attempt(),
            outcome: AttemptOutcome::Succeeded(result()),
        },
        Command::LoseAttempt {
            attempt: attempt(),
            reason: String::new(),
        },
        Command::BeginEffect {
            attempt: attempt(),
            intent: Intent {
                key: key(),
                target: name("api"),
                method: "POST".to_owned(),
                class: Class::Unkeyed,
                digest: [1; 32],
                ordinal: 0,
            },
        },
        Command::EndEffect {
            attempt: attempt(),
            key: key(),
            outcome: EffectEnd::Done {
                answer: "201".to_owned(),
            },
        },
    ];
    for command in &own {
        let by = |who| demanded(&state, &Principal::own(who), command);
        assert_eq!(by(worker("sre/w")), ["reportAttempt in cluster, own"]);
        assert_eq!(by(butler()), ["reportAttempt in cluster"]);
        assert_eq!(by(Who::Manager { term: 1 }), ["reportAttempt in cluster"]);
    }
}

#[test]
fn butlers_schedule_their_team_and_the_manager_what_has_none() {
    let (state, butler) = (State::default(), butler());
    let (case, generation) = (CaseId(9), 1);
    let report = Report {
        summary: String::new(),
        root_cause: None,
        recommendation: None,
        impact: None,
        document: Body::Inline(String::new()),
        markdown: Body::Inline(String::new()),
    };
    for command in [
        Command::PlanCase {
            case,
            generation,
            plan: Plan::Agent(Vec::new()),
        },
        Command::RefusePlan {
            case,
            generation,
            reasons: Vec::new(),
        },
        Command::ReportCase {
            case,
            generation,
            report: Box::new(report),
        },
    ] {
        let by = |who| demanded(&state, &Principal::own(who), &command);
        assert_eq!(by(butler.clone()), ["schedule in team sre"]);
        assert_eq!(by(Who::Manager { term: 1 }), ["schedule in cluster"]);
    }
}

#[test]
fn nodes_and_the_ledger_speak_for_themselves() {
    let state = State::default();
    let by = |who: Who, command: &Command| demanded(&state, &Principal::own(who), command);
    let facts = NodeFacts {
        node: NodeId(1),
        name: "one".to_owned(),
        incarnation: 1,
        release: String::new(),
        knows: 1,
        engine: String::new(),
        cpu_milli: 1,
        memory_bytes: 1,
        labels: BTreeMap::new(),
        address: None,
    };
    let join = Command::JoinNode { facts };
    assert_eq!(
        by(Who::Node(NodeId(1)), &join),
        ["speakForNode in cluster, own"]
    );
    assert_eq!(by(Who::Node(NodeId(2)), &join), ["speakForNode in cluster"]);
    let admit = Command::AdmitNode {
        hash: [1; 32],
        name: "two".to_owned(),
        key: [2; 32],
    };
    assert_eq!(
        by(Who::Node(NodeId(1)), &admit),
        ["speakForNode in cluster, own"]
    );
    assert_eq!(by(Who::Ledger, &admit), ["speakForNode in cluster"]);
    let denials = Vec::new();
    for command in [Command::Tick, Command::RecordDenials { denials }] {
        assert_eq!(by(Who::Ledger, &command), ["keepLedger in cluster, own"]);
        assert_eq!(
            by(Who::Node(NodeId(1)), &command),
            ["keepLedger in cluster"]
        );
    }
    let judge = Command::JudgeNode {
        node: NodeId(1),
        incarnation: 1,
        health: Health::Up,
        reason: String::new(),
    };
    let placements = Vec::new();
    for command in [judge, Command::Place { placements }] {
        assert_eq!(
            by(Who::Manager { term: 1 }, &command),
            ["govern in cluster"]
        );
    }
}

//! Commands of every kind, and the rights that people's take.

use std::collections::BTreeMap;

use rules::Command;
use rules::attempt::{Body, StageResult};
use rules::case::Brief;
use rules::chaos;
use rules::deed::Deed;
use rules::effect::EffectKey;
use rules::human::{RoleChange, TeamRole};
use rules::id::{AttemptId, CaseId, NodeId};
use rules::node::Role;
use rules::room::RoomName;
use rules::roster::HumanSpec;
use rules::target::Target;

pub fn name<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().expect("it is a name")
}

pub fn key() -> EffectKey {
    serde_json::from_value("k".into()).expect("k is a key")
}

pub fn brief() -> Brief {
    Brief {
        text: Body::Inline("look".to_owned()),
    }
}

pub fn result() -> StageResult {
    StageResult {
        summary: "found".to_owned(),
        document: Body::Inline("{}".to_owned()),
        artifacts: Vec::new(),
    }
}

pub fn attempt() -> AttemptId {
    let case = CaseId(9);
    AttemptId { case, number: 1 }
}

/// What people ask of cases that nobody knows: only whoever may do it everywhere learns that.
pub fn of_cases() -> Vec<(Command, &'static str)> {
    let (case, reason) = (CaseId(9), "because".to_owned());
    let open = |team: Option<&str>| Command::OpenCase {
        team: team.map(name),
        title: "t".to_owned(),
        brief: brief(),
        attachments: Vec::new(),
        playbook: None,
    };
    vec![
        (open(Some("sre")), "createCase in team sre"),
        (open(None), "createCase in cluster"),
        (
            Command::PostMessage {
                room: RoomName::Team(name("sre")),
                thread: None,
                text: "good morning".to_owned(),
                attachments: Vec::new(),
                answers: None,
            },
            "talkToButler in team sre",
        ),
        (
            Command::MarkRead {
                room: RoomName::Team(name("sre")),
                up_to: 0,
            },
            "readTeam in team sre",
        ),
        (
            Command::CancelCase {
                case,
                reason: reason.clone(),
            },
            "steerCase in cluster",
        ),
        (Command::PauseCase { case, reason }, "steerCase in cluster"),
        (Command::ResumeCase { case }, "steerCase in cluster"),
        (
            Command::AmendCase {
                case,
                brief: brief(),
                attachments: Vec::new(),
            },
            "steerCase in cluster",
        ),
    ]
}

pub fn of_stages() -> Vec<(Command, &'static str)> {
    let (case, reason) = (CaseId(9), "because".to_owned());
    vec![
        (
            Command::AnswerStage {
                case,
                stage: name("s"),
                result: result(),
            },
            "steerCase in cluster",
        ),
        (
            Command::ApproveStage {
                case,
                stage: name("s"),
                note: String::new(),
            },
            "approve in cluster",
        ),
        (
            Command::RejectStage {
                case,
                stage: name("s"),
                reason: reason.clone(),
            },
            "approve in cluster",
        ),
        (
            Command::RouteCase {
                case,
                team: name("sre"),
                reason: reason.clone(),
            },
            "manage in cluster",
        ),
        (
            Command::SettleEffect {
                case,
                stage: name("s"),
                key: key(),
                was_done: true,
                reason,
            },
            "settle in cluster",
        ),
    ]
}

pub fn of_people() -> Vec<(Command, &'static [&'static str])> {
    let spec = |who: &str, team: Option<&str>, display: Option<&str>| HumanSpec {
        name: name(who),
        display: display.map(str::to_owned),
        employee: None,
        teams: team
            .map(|team| (name(team), TeamRole::Lead))
            .into_iter()
            .collect(),
    };
    let put = |specs: Vec<HumanSpec>| Command::PutHumans {
        put: specs,
        piece: None,
    };
    let mint = |human: &str, team: Option<&str>| Command::MintHumanToken {
        human: name(human),
        token: name("t"),
        hash: [1; 32],
        valid_ms: 1,
        team: team.map(name),
    };
    let role = |change| Command::SetHumanRole {
        human: name("bob"),
        change,
    };
    vec![
        (
            put(vec![spec("new", Some("sre"), None)]),
            &["manageHumans in team sre"],
        ),
        (
            put(vec![spec("new", None, None)]),
            &["manageHumans in cluster"],
        ),
        (
            put(vec![spec("bob", Some("web"), None)]),
            &["manageHumans in team web"],
        ),
        (
            put(vec![spec("bob", None, Some("Bobby"))]),
            &["manageHumans in team db", "manageHumans in team sre"],
        ),
        (
            put(vec![spec("ada", None, Some("Ada"))]),
            &["manageAdmins in cluster"],
        ),
        (
            Command::RemoveHuman { human: name("bob") },
            &["manageHumans in team db", "manageHumans in team sre"],
        ),
        (
            role(RoleChange::Admin { is_admin: true }),
            &["manageAdmins in cluster"],
        ),
        (
            role(RoleChange::Team {
                team: name("sre"),
                role: None,
            }),
            &["manageHumans in team sre"],
        ),
        (mint("lea", None), &["ownAccount in cluster, own"]),
        (mint("lea", Some("sre")), &["ownAccount in team sre, own"]),
        (mint("ada", None), &["manageAdmins in cluster"]),
    ]
}

pub fn of_the_cluster() -> Vec<Command> {
    let (node, reason) = (NodeId(1), "because".to_owned());
    vec![
        Command::MintToken {
            token: name("t"),
            hash: [1; 32],
            valid_ms: 1,
        },
        Command::RevokeToken { token: name("t") },
        Command::DrainNode {
            node,
            is_drained: true,
            reason,
        },
        Command::RemoveNode {
            node,
            is_forced: false,
        },
        Command::SetRole {
            node,
            role: Role::Voter,
        },
        Command::PutTarget {
            target: Target {
                name: name("api"),
                address: name("https://api:443"),
                methods: BTreeMap::new(),
                teams: [name("sre")].into(),
                needs_secret: false,
            },
        },
        Command::RemoveTarget {
            target: name("api"),
        },
        Command::PutPolicy {
            policy: name("freeze"),
            text: String::new(),
        },
        Command::RemovePolicy {
            policy: name("freeze"),
        },
        Command::NoteDeed {
            node,
            deed: Deed::Backup,
        },
        Command::EraseCase {
            case: CaseId(1),
            reason: String::new(),
        },
        Command::Chaos(chaos::Wish::Begin(chaos::Plan::default())),
        Command::Chaos(chaos::Wish::End { run: 1 }),
    ]
}

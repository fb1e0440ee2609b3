//! Whose a record is, and what is read back of one.

use super::*;
use crate::human::Human;
use crate::id::{CaseId, Epoch, TokenName, WorkerId};

fn team(name: &str) -> TeamName {
    TeamName::new(name).unwrap()
}

/// The teams that the record of a command names, under a version of the rules.
fn teams(version: u32, who: Who, command: Command) -> String {
    let mut state = State {
        version,
        ..State::default()
    };
    let bob = Human {
        teams: [team("db"), team("sre")].into(),
        ..Human::default()
    };
    state.people.humans.insert("bob".parse().unwrap(), bob);
    let proposal = Proposal {
        request: None,
        principal: Principal::own(who),
        wall_ms: 0,
        command,
        decision: None,
    };
    let read = read(&state, &proposal);
    let teams = read.subjects.get("teams").into_iter().flatten();
    format!("{:?}", teams.collect::<Vec<_>>())
}

#[test]
fn a_record_of_what_changes_an_account_names_the_teams_of_its_human() {
    let (ada, bob): (HumanName, HumanName) = ("ada".parse().unwrap(), "bob".parse().unwrap());
    let token: TokenName = "t1".parse().unwrap();
    let minted = |team| Command::MintHumanToken {
        human: bob.clone(),
        token: token.clone(),
        hash: [0; 32],
        valid_ms: 1,
        team,
    };
    let admin = RoleChange::Admin { is_admin: true };
    for command in [
        Command::RemoveHuman { human: bob.clone() },
        minted(None),
        Command::RevokeHumanToken {
            human: bob.clone(),
            token: token.clone(),
        },
        Command::SetHumanRole {
            human: bob.clone(),
            change: admin,
        },
    ] {
        let named = |version| teams(version, Who::Human(ada.clone()), command.clone());
        assert_eq!(named(version::PEOPLE), r#"["db", "sre"]"#, "{command:?}");
        assert_eq!(
            named(version::PEOPLE - 1),
            "[]",
            "as releases before wrote it"
        );
    }
    let narrowed = minted(Some(team("sre")));
    assert_eq!(
        teams(version::PEOPLE, Who::Human(ada), narrowed),
        r#"["sre"]"#
    );
}

#[test]
fn what_a_worker_asks_of_a_closed_case_is_of_its_team() {
    let worker = Who::Worker {
        worker: WorkerId {
            team: team("sre"),
            name: "w".parse().unwrap(),
        },
        epoch: Epoch(1),
    };
    let reason = String::new();
    let cancel = Command::CancelCase {
        case: CaseId(9),
        reason,
    };
    assert_eq!(teams(version::PEOPLE, worker, cancel), r#"["sre"]"#);
}

#[test]
fn a_denial_is_read_as_it_was_told_whatever_the_asker_is_called() {
    for who in [
        "ada",
        "192.0.2.1 (it said: hello, 3 times): x",
        "butler of sre",
    ] {
        for (right, in_team) in [
            (Some(Right::ReadTeam), Some(team("db"))),
            (Some(Right::SpeakForNode), None),
            (None, None),
        ] {
            let told = denied(&Denial {
                who: who.to_owned(),
                right,
                team: in_team.clone(),
                count: 7,
            });
            let expected = (who, in_team.as_ref().map(TeamName::as_str));
            assert_eq!(of_denial(&told), Some(expected));
        }
    }
}

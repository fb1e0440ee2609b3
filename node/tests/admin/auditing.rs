//! The record as those see it who may read a part of it: what is of their teams, and nothing else.

use node::admin::client::Client;
use node::admin::wire::{
    ApplyQuery, AuditLine, AuditQuery, Document, HumanWish, PutHumans, RoleIn, TeamRole,
};
use rules::attempt::Body;
use rules::id::CaseId;
use rules::right::{Denial, Right};
use rules::{Command, Who};

use super::house::{House, report, team};
use super::people::{denied, known, peopled};

async fn read(client: &Client, query: AuditQuery) -> Vec<AuditLine> {
    client.audit(&query).await.unwrap().records
}

fn told(records: &[AuditLine]) -> Vec<&str> {
    let commands = records.iter().map(|record| record.command.as_str());
    commands.collect()
}

/// A second team, and Dave who leads it and belongs to the first.
async fn neighbours() -> House {
    let house = peopled().await;
    let mut documents = team();
    documents.truncate(1);
    for document in &mut documents {
        if let Document::Team(team) = document {
            "db".clone_into(&mut team.name);
            team.playbook = None;
        }
    }
    let (how, id) = (ApplyQuery::default(), house.id().await);
    house
        .client
        .apply(&documents, &how, Some(&id))
        .await
        .unwrap();
    let role = |team: &str, role| RoleIn {
        team: team.to_owned(),
        role,
    };
    let dave = HumanWish {
        name: "dave".to_owned(),
        display: None,
        employee: None,
        roles: vec![role("db", TeamRole::Lead), role("sre", TeamRole::Member)],
    };
    let (roster, id) = (PutHumans { humans: vec![dave] }, house.id().await);
    house.client.put_humans(&roster, &id).await.unwrap();
    house
}

async fn deny(house: &House) {
    let denial = |who: &str, right, team: Option<&str>| Denial {
        who: who.to_owned(),
        right,
        team: team.map(|team| team.parse().unwrap()),
        count: 3,
    };
    let denials = vec![
        denial("carol", Some(Right::ReadTeam), Some("sre")),
        denial("erin", Some(Right::CreateCase), Some("db")),
        denial(
            "192.0.2.7 (no certificate)",
            Some(Right::SpeakForNode),
            None,
        ),
        denial("user 4242", None, None),
    ];
    house
        .tell(Who::Ledger, Command::RecordDenials { denials })
        .await;
}

#[tokio::test]
async fn a_lead_sees_who_was_denied_what_in_their_team_and_nothing_of_others() {
    let house = neighbours().await;
    deny(&house).await;
    let all = read(&house.client, AuditQuery::default()).await;
    assert_eq!((all[0].denials.len(), all[0].salt.is_some()), (4, true));
    for (human, line) in [
        ("alice", "carol: readTeam sre, 3 times"),
        ("dave", "erin: createCase db, 3 times"),
    ] {
        let lead = known(&house, human).await;
        let records = read(&lead, AuditQuery::default()).await;
        let batch: Vec<&AuditLine> = records
            .iter()
            .filter(|record| record.command == "record_denials")
            .collect();
        assert_eq!(batch.len(), 1, "{human}: {batch:?}");
        assert_eq!(batch[0].denials, [line], "{human}");
        assert_eq!(batch[0].salt, None, "the others' could be guessed with it");
        let shown = format!("{:?} {:?}", batch[0].subjects, batch[0].texts);
        let other = if human == "alice" { "erin" } else { "carol" };
        assert!(!shown.contains(other), "{shown}");
        // Nor can it be found out by asking for a person.
        let of_other = AuditQuery {
            human: Some(other.to_owned()),
            ..AuditQuery::default()
        };
        let found = read(&lead, of_other).await;
        assert!(!told(&found).contains(&"record_denials"), "{found:?}");
    }
    for human in ["bob", "carol"] {
        let client = known(&house, human).await;
        denied(client.audit(&AuditQuery::default()).await);
        denied(client.audit_head().await);
        denied(client.export_audit().await.map(|_| ()));
    }
    // Leads have their part of it, and not the whole in a file.
    denied(
        known(&house, "alice")
            .await
            .export_audit()
            .await
            .map(|_| ()),
    );
    house.close().await;
}

#[tokio::test]
async fn a_lead_and_whoever_asks_for_a_team_see_what_was_done_to_its_people_and_closed_cases() {
    let house = neighbours().await;
    let mut applied = house.ledger.applied();
    while house.ledger.read(|state| state.version) < rules::version::PEOPLE {
        applied.changed().await.unwrap();
    }
    let (alice, dave) = (known(&house, "alice").await, known(&house, "dave").await);
    let case = closed(&house).await;
    house
        .tell(
            Who::Human("admin".parse().unwrap()),
            Command::EraseCase {
                case,
                reason: "asked for".to_owned(),
            },
        )
        .await;
    let (bob, id) = ("bob", house.id().await);
    known(&house, bob).await;
    house.client.remove_human(bob, &id).await.unwrap();
    let of_sre = AuditQuery {
        team: Some("sre".to_owned()),
        ..AuditQuery::default()
    };
    for records in [
        read(&alice, AuditQuery::default()).await,
        read(&house.client, of_sre).await,
    ] {
        for wanted in [
            "remove_human",
            "mint_human_token",
            "erase_case",
            "report_case",
        ] {
            assert!(told(&records).contains(&wanted), "{wanted}: {records:#?}");
        }
    }
    let theirs = read(&dave, AuditQuery::default()).await;
    for other in ["remove_human", "erase_case", "report_case"] {
        assert!(!told(&theirs).contains(&other), "{other}: {theirs:#?}");
    }
    house.close().await;
}

/// A case of the team that is over.
async fn closed(house: &House) -> CaseId {
    let case = house.submit("look").await;
    let reason = "done with it".to_owned();
    house
        .tell(
            Who::Human("admin".parse().unwrap()),
            Command::CancelCase { case, reason },
        )
        .await;
    let body = |text: &str| Body::Inline(text.to_owned());
    house
        .report(case, report(body("{}"), body("# nothing")))
        .await;
    case
}

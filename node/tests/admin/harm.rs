//! Texts that mean harm, wherever a text may stand: none gives anybody a right, shows another team's
//! case, or is in the record.

use std::collections::BTreeSet;

use node::admin::client::Client;
use node::admin::wire::{
    AmendCase, Attachment, CancelCase, Consistency, HumanWish, MintHumanToken, OpenCase, PauseCase,
    PostMessage, PutHumans, RoleIn, TeamRole,
};
use rules::attempt::{Artifact, AttemptOutcome, Body, StageResult};
use rules::id::{AttemptId, CaseId, HumanName, TeamName};
use rules::limits::MAX_INLINE_BYTES;
use rules::right::{Demand, Right, Tie};
use rules::{Command, Principal, State};

use super::house::{House, report};

const TEXTS: &str = include_str!("../../../tests/hostile/texts.jsonl");
const NAMES: &str = include_str!("../../../tests/hostile/names.jsonl");
/// With the plans beside the butler's tests, more than two hundred.
const AT_LEAST: usize = 180;
/// A title is a line.
const TITLE_CHARS: usize = 200;
/// Shorter texts may stand in the record as the names that they are.
const MIN_TOLD_BYTES: usize = 20;

fn read(lines: &str) -> Vec<String> {
    let texts = lines.lines().map(serde_json::from_str);
    texts.collect::<Result<_, _>>().unwrap()
}

/// All that says who may do what.
fn privileges(state: &State) -> String {
    let teams: Vec<_> = state.teams.values().map(|team| &team.spec).collect();
    let workers: Vec<_> = state.workers.values().map(|worker| &worker.spec).collect();
    let nodes: Vec<_> = state
        .nodes
        .values()
        .map(|node| (&node.facts, node.role))
        .collect();
    let people = &state.people;
    let humans: Vec<_> = people
        .humans
        .iter()
        .map(|(name, human)| (name, human.is_admin, &human.teams, &human.tokens))
        .collect();
    format!(
        "{humans:?} {:?} {:?} {teams:?} {workers:?} {nodes:?} {:?} {:?}",
        people.rolls, people.policies, state.targets, state.tokens
    )
}

/// Every right that somebody has, in each place.
fn rights(house: &House, human: &str) -> Vec<Demand> {
    let principal = Principal::human(HumanName::new(human).unwrap());
    let mut held = Vec::new();
    for right in Right::ALL {
        for team in [None, Some("sre"), Some("db")] {
            let team = team.map(|team| TeamName::new(team).unwrap());
            for tie in [Tie::None, Tie::Opener] {
                let team = team.clone();
                let demand = Demand { right, team, tie };
                let may = |state: &State| house.ledger.may(state, &principal, demand.clone());
                if house.ledger.read(may) {
                    held.push(demand);
                }
            }
        }
    }
    held
}

async fn known(house: &House, human: &str) -> Client {
    let how = MintHumanToken {
        valid_ms: 3_600_000,
        team: None,
        only_if_none: false,
    };
    let id = house.id().await;
    let minted = house.client.mint_human_token(human, &how, &id).await;
    Client::with_token(&house.path, &minted.unwrap().token)
}

fn bob(display: Option<&str>) -> PutHumans {
    let role = RoleIn {
        team: "sre".to_owned(),
        role: TeamRole::Member,
    };
    PutHumans {
        humans: vec![HumanWish {
            name: "bob".to_owned(),
            display: display.map(str::to_owned),
            employee: None,
            roles: vec![role],
        }],
    }
}

/// Says a text wherever a person of a team may say something; what it opens is bob's.
async fn say_everywhere(bob: &Client, text: &str) {
    for (room, text) in [
        ("sre", text.to_owned()),
        ("sre", format!("@sre-bot {text}")),
        ("manager", text.to_owned()),
        ("db", text.to_owned()),
    ] {
        let said = PostMessage {
            text,
            thread: None,
            attachments: Vec::new(),
        };
        let id = bob.request_id().await.unwrap();
        let posted = bob.post_message(room, &said, &id).await;
        assert!(room != "db" || posted.is_err(), "{said:?}");
    }
}

/// Brings a text in wherever a person of a team may write one; gives the case, where it was taken.
async fn write_everywhere(bob: &Client, text: &str, name: &str, blob: &str) -> Option<CaseId> {
    say_everywhere(bob, text).await;
    let mut case = OpenCase {
        team: Some("sre".to_owned()),
        title: Some(text.chars().take(TITLE_CHARS).collect()),
        brief: text.to_owned(),
        attachments: vec![Attachment {
            path: name.to_owned(),
            sha256: blob.to_owned(),
        }],
        ..OpenCase::default()
    };
    let id = bob.request_id().await.unwrap();
    let mut opened = bob.open_case(&case, &id).await;
    if opened.is_err() {
        // The name of its file, its title or both are refused: then without them.
        case.attachments.clear();
        case.title = Some("a title".to_owned());
        let id = bob.request_id().await.unwrap();
        opened = bob.open_case(&case, &id).await;
    }
    let case = opened.ok()?.case;
    let (amend, pause) = (
        AmendCase {
            brief: text.to_owned(),
            ..AmendCase::default()
        },
        PauseCase {
            reason: text.to_owned(),
        },
    );
    // What is refused here is refused for its form; what it does is looked at afterwards.
    let id = bob.request_id().await.unwrap();
    drop(bob.amend_case(&case, &amend, &id).await);
    let id = bob.request_id().await.unwrap();
    drop(bob.pause_case(&case, &pause, &id).await);
    let id = bob.request_id().await.unwrap();
    drop(bob.resume_case(&case, &id).await);
    Some(case.parse().unwrap())
}

/// A text where it has room.
async fn body(house: &House, text: String) -> Body {
    if text.len() <= MAX_INLINE_BYTES {
        return Body::Inline(text);
    }
    Body::Blob(house.blobs.put_bytes(text.into_bytes()).await.unwrap())
}

/// Brings a text in as what an agent found and as what a butler reports.
async fn answer_with(house: &House, id: CaseId, text: &str, name: &str) {
    house.plan(id).await;
    let attempt = house.ledger.read(|state| {
        let mut live = state.cases[&id].live_attempts();
        live.next()
            .map(|(number, _)| AttemptId { case: id, number })
    });
    let Some(attempt) = attempt else { return };
    let blob = house.blobs.put_bytes(b"x".to_vec()).await.unwrap();
    let summary: String = text.chars().take(TITLE_CHARS).collect();
    let document = serde_json::json!({ "summary": text, "root_cause": text, "plan": text });
    let outcome = AttemptOutcome::Succeeded(StageResult {
        summary: summary.clone(),
        document: body(house, document.to_string()).await,
        artifacts: vec![Artifact {
            name: "found.txt".to_owned(),
            blob,
        }],
    });
    house
        .work(attempt, Command::FinishAttempt { attempt, outcome })
        .await;
    let document = body(house, document.to_string()).await;
    let mut said = report(document, body(house, text.to_owned()).await);
    said.summary = summary;
    said.root_cause = Some(name.chars().take(TITLE_CHARS).collect());
    house.report(id, said).await;
}

#[tokio::test]
async fn no_text_of_anybody_gives_anybody_a_right_or_is_in_the_record() {
    let house = House::open().await;
    house.describe().await;
    let id = house.id().await;
    house.client.put_humans(&bob(None), &id).await.unwrap();
    let mut stranger = bob(None);
    stranger.humans[0].name = "mallory".to_owned();
    stranger.humans[0].roles.clear();
    let id = house.id().await;
    house.client.put_humans(&stranger, &id).await.unwrap();
    let (bobs, mallory) = (known(&house, "bob").await, known(&house, "mallory").await);
    let blob = bobs.upload(&b"x"[..]).await.unwrap().sha256;
    let before = house.ledger.read(privileges);
    let (of_bob, of_mallory) = (rights(&house, "bob"), rights(&house, "mallory"));
    let (texts, names) = (read(TEXTS), read(NAMES));
    assert!(texts.len() >= AT_LEAST, "{} texts", texts.len());
    for (number, text) in texts.iter().enumerate() {
        let name = &names[number % names.len()];
        let id = house.id().await;
        let shown = text.chars().take(TITLE_CHARS).collect::<String>();
        drop(house.client.put_humans(&bob(Some(&shown)), &id).await);
        if let Some(case) = write_everywhere(&bobs, text, name, &blob).await {
            let opener = |state: &State| state.cases[&case].opened_by.clone();
            assert_eq!(house.ledger.read(opener), "bob", "{text}");
            let fresh = Consistency::Local;
            assert!(
                mallory.case(&case.to_string(), fresh).await.is_err(),
                "{text}"
            );
            answer_with(&house, case, text, name).await;
            assert!(mallory.report(&case.to_string()).await.is_err(), "{text}");
        }
        let cancel = CancelCase {
            reason: shown.clone(),
        };
        let id = house.id().await;
        drop(mallory.cancel_case("c-1", &cancel, &id).await);
        assert_eq!(house.ledger.read(privileges), before, "{text}");
        assert_eq!(rights(&house, "bob"), of_bob, "{text}");
        assert_eq!(rights(&house, "mallory"), of_mallory, "{text}");
    }
    is_bobs_alone(&house);
    is_on_no_record(&house, &texts);
    house.close().await;
}

/// Whatever was opened by a word in a room is of whoever said it.
fn is_bobs_alone(house: &House) {
    let openers: BTreeSet<String> = house.ledger.read(|state| {
        let cases = state.cases.values();
        cases.map(|case| case.opened_by.clone()).collect()
    });
    assert_eq!(openers, BTreeSet::from(["bob".to_owned()]));
}

fn is_on_no_record(house: &House, texts: &[String]) {
    let mut records = String::new();
    for file in house.ledger.audit().files() {
        records += &std::fs::read_to_string(file.path).unwrap();
    }
    assert!(records.contains("\"open_case\"") && records.contains("\"finish_attempt\""));
    for text in texts.iter().filter(|text| text.len() >= MIN_TOLD_BYTES) {
        let written = serde_json::to_string(text).unwrap();
        let inner = written.trim_matches('"');
        let part: String = inner.chars().take(60).collect();
        assert!(!records.contains(&part), "{text} is in the record");
    }
}

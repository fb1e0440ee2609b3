//! What people say to the Manager, and what he makes of it.

use std::sync::Arc;

use actors::understanding::{Understanding, Understood, Wish};
use rules::human::TeamRole;
use rules::id::{HumanName, TeamName};
use rules::room::{Persona, RoomName};
use rules::roster::HumanSpec;
use rules::{Command, Outcome};

use crate::house::{Home, Quick, crew, open, open_with};

fn own() -> RoomName {
    RoomName::Direct(HumanName::new("admin").unwrap(), Persona::Manager)
}

/// Says something to the Manager, and waits for what he answers.
async fn ask(home: &Home, text: &str) -> String {
    let said = Command::PostMessage {
        room: own(),
        thread: None,
        text: text.to_owned(),
        attachments: Vec::new(),
        answers: None,
    };
    let Ok(Outcome::Posted { number, .. }) = home.sam(said).await else {
        panic!("{text} is not taken");
    };
    let answer = |home: &Home| {
        home.ledger.read(|state| {
            let posts = &state.rooms.rooms[&own()].posts;
            let answer = posts.iter().find(|post| post.answers == Some(number));
            answer.map(|post| post.text.clone())
        })
    };
    home.wait("an answer", |home| answer(home).is_some()).await;
    answer(home).unwrap()
}

/// Understands nothing but what is in it.
struct Model;

impl Understanding for Model {
    fn understand<'a>(&'a self, text: &'a str) -> Understood<'a> {
        Box::pin(async move {
            if text.contains("what have we got") {
                Ok(Wish::List)
            } else {
                Err("say it in other words".to_owned())
            }
        })
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_understanding_than_the_plain_commands_comes_to_the_same_wishes() {
    let home = open_with(Quick::default(), Arc::new(Model)).await;
    crew(&home, true).await;
    let told = ask(&home, "dear Manager, what have we got?").await;
    assert!(told.starts_with("crew: "), "{told}");
    assert_eq!(ask(&home, "list").await, "say it in other words");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_team_that_takes_no_cases_yet_is_told_the_next_words_and_they_are_taken() {
    let home = open(Quick::default()).await;
    crew(&home, true).await;
    let wish = "create an SRE team for daily operations with a team-butler sre-bot";
    let told = ask(&home, wish).await;
    assert!(told.contains("takes no cases yet"), "{told}");
    assert!(told.contains("Say: create team sre like crew"), "{told}");
    let told = ask(&home, "create team sre like crew").await;
    assert!(told.contains("team sre is there"), "{told}");
    let spec = home.ledger.read(|state| {
        let team = TeamName::new("sre").unwrap();
        state.teams[&team].spec.clone()
    });
    assert_eq!(spec.title, "daily operations");
    assert_eq!(spec.butler.as_str(), "sre-bot");
    assert!(spec.playbook.is_some(), "{spec:?}");
    // One that takes cases is not made into another by a sentence.
    let told = ask(&home, "create team crew with butler other like sre").await;
    assert!(told.contains("`domo apply` changes it"), "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lead_who_is_invited_as_a_member_stays_lead() {
    let home = open(Quick::default()).await;
    crew(&home, true).await;
    let (ann, team) = (
        HumanName::new("ann").unwrap(),
        TeamName::new("crew").unwrap(),
    );
    let lead = HumanSpec {
        name: ann.clone(),
        display: None,
        employee: None,
        teams: [(team.clone(), TeamRole::Lead)].into(),
    };
    let put = vec![lead];
    home.sam(Command::PutHumans { put, piece: None })
        .await
        .unwrap();
    let told = ask(&home, "invite ann to crew").await;
    assert!(told.contains("ann: still lead of crew"), "{told}");
    let role = home.ledger.read(|state| state.people.role(&ann, &team));
    assert_eq!(role, Some(TeamRole::Lead));
}

//! Effects: intended before they leave, done once, and answered from the ledger when asked again.

use rules::command::Command;
use rules::effect::{EffectStatus, Intent};
use rules::id::HumanName;
use rules::stage::StageStatus;
use rules::{Principal, case::Case};

use super::house::{CASE, House, names, target};
use super::target::Counting;

fn only(case: &Case) -> (&Intent, &EffectStatus) {
    assert_eq!(case.effects.len(), 1, "{:#?}", case.effects);
    let effect = case.effects.values().next().unwrap();
    (&effect.intent, &effect.status)
}

#[tokio::test]
async fn what_only_reads_passes_without_an_intent() {
    let counting = Counting::open().await;
    let house = House::with(target(counting.port)).await;
    house.runs(1).await;
    let answer = house.agent(1).ask("GET", "/pods?limit=5", "").await;
    assert_eq!(
        (answer.status, answer.body.as_str()),
        (201, "made"),
        "{answer:?}"
    );
    assert_eq!(answer.headers["x-own"], "yes");
    assert!(house.case().effects.is_empty());
    let arrived = &counting.arrived()[0];
    assert!(
        arrived.head.starts_with("GET /pods?limit=5 HTTP/1.1"),
        "{arrived:?}"
    );
    assert_eq!(
        arrived.header("authorization"),
        None,
        "the token stays here"
    );
}

#[tokio::test]
async fn an_agent_that_nothing_confines_reads_and_changes_nothing() {
    let counting = Counting::open().await;
    let house = House::unconfined(target(counting.port)).await;
    house.runs(1).await;
    let agent = house.agent(1);
    for method in ["PUT", "POST"] {
        let answer = agent.ask(method, "/done", "").await;
        assert_eq!(
            answer.headers["majordomo-refusal"], "unconfined",
            "{answer:?}"
        );
    }
    assert!(house.case().effects.is_empty(), "nothing was begun");
    assert_eq!(agent.ask("GET", "/pods", "").await.status, 201);
    assert_eq!(counting.arrived().len(), 1);
}

#[tokio::test]
async fn a_keyed_effect_carries_its_key_and_its_end_is_in_the_ledger_before_its_answer() {
    let counting = Counting::open().await;
    let house = House::with(target(counting.port)).await;
    // The ledger was not told yet that the agent runs: that it asks tells it.
    let answer = house.agent(1).ask("PUT", "/done", "{\"replicas\":3}").await;
    assert_eq!(
        (answer.status, answer.body.as_str()),
        (201, "made"),
        "{answer:?}"
    );
    let case = house.case();
    let (intent, status) = only(&case);
    assert_eq!(
        *status,
        EffectStatus::Done {
            answer: "201 Created".to_owned()
        }
    );
    assert_eq!(answer.headers["majordomo-effect"], intent.key.as_str());
    let arrived = &counting.arrived()[0];
    assert_eq!(
        arrived.header("idempotency-key").as_deref(),
        Some(intent.key.as_str())
    );
    assert_eq!(arrived.body, "{\"replicas\":3}");
}

#[tokio::test]
async fn what_was_done_is_not_done_again_under_its_key_and_is_done_again_without_one() {
    let counting = Counting::open().await;
    let house = House::with(target(counting.port)).await;
    let agent = house.agent(1);
    for round in 0..2 {
        let answer = agent.ask_as("restart-1", "POST", "/done", "now").await;
        assert_eq!(answer.status, 201, "{answer:?}");
        let is_before = answer.headers.contains_key("majordomo-effect-done-before");
        assert_eq!(is_before, round == 1, "{answer:?}");
    }
    assert_eq!(counting.done(), 1);
    for round in 2..4 {
        assert_eq!(agent.ask("POST", "/done", "now").await.status, 201);
        assert_eq!(
            counting.done(),
            round,
            "who was answered asks for another one"
        );
    }
    assert_eq!(house.case().effects.len(), 3);
    // A daemon that is started again still knows what was answered.
    let house = house.again().await;
    assert_eq!(house.agent(1).ask("POST", "/done", "now").await.status, 201);
    assert_eq!(counting.done(), 4);
}

#[tokio::test]
async fn what_surely_did_not_arrive_is_not_done_and_may_be_tried_again() {
    let counting = Counting::open().await;
    let house = House::with(target(1)).await;
    let agent = house.agent(1);
    let answer = agent.ask("POST", "/done", "").await;
    assert_eq!(
        (answer.status, answer.refused()),
        (502, "unreached"),
        "{answer:?}"
    );
    let case = house.case();
    assert!(
        matches!(only(&case).1, EffectStatus::NotDone { .. }),
        "{case:#?}"
    );
    let human = Principal::human(HumanName::new("admin").unwrap());
    let target = target(counting.port);
    house.say(human, Command::PutTarget { target }).await;
    assert_eq!(agent.ask("POST", "/done", "").await.status, 201);
    let case = house.case();
    assert!(
        matches!(only(&case).1, EffectStatus::Done { .. }),
        "the same one: {case:#?}"
    );
}

#[tokio::test]
async fn an_unkeyed_effect_of_which_nobody_knows_is_not_sent_again_and_parks_the_next_attempt() {
    let counting = Counting::open().await;
    let house = House::with(target(counting.port)).await;
    let agent = house.agent(1);
    let answer = agent.ask("POST", "/break", "").await;
    assert_eq!(
        (answer.status, answer.refused()),
        (504, "unanswered"),
        "{answer:?}"
    );
    let answer = agent.ask("POST", "/break", "").await;
    assert_eq!(
        (answer.status, answer.refused()),
        (409, "effect_open"),
        "{answer:?}"
    );
    assert_eq!(counting.done(), 1);
    house.supersede().await;
    let case = house.case();
    let stage = &case.stages[0];
    assert_eq!(stage.status, StageStatus::Parked, "{stage:#?}");
    assert_eq!(
        agent.ask("POST", "/other", "").await.refused(),
        "not_current"
    );
    // A human looks, and says that it was not done: the next attempt does the same effect.
    let key = only(&case).0.key.clone();
    let settle = Command::SettleEffect {
        case: CASE,
        stage: stage.spec.name.clone(),
        key,
        was_done: false,
        reason: "no trace of it".to_owned(),
    };
    house
        .say(Principal::human(HumanName::new("admin").unwrap()), settle)
        .await;
    house
        .until("attempt 2", |case| case.attempts.contains_key(&2))
        .await;
    let answer = house.agent(2).ask("POST", "/break", "").await;
    assert_eq!(answer.refused(), "unanswered");
    assert_eq!((counting.done(), house.case().effects.len()), (2, 1));
}

#[tokio::test]
async fn a_keyed_effect_is_repeated_by_the_next_attempt_under_the_same_key() {
    let counting = Counting::open().await;
    let house = House::with(target(counting.port)).await;
    let first = house.agent(1).ask("PUT", "/break", "x").await;
    assert_eq!(first.refused(), "unanswered");
    house.supersede().await;
    house
        .until("attempt 2", |case| case.attempts.contains_key(&2))
        .await;
    let second = house.agent(2).ask("PUT", "/break", "x").await;
    assert_eq!(second.refused(), "unanswered", "{second:?}");
    assert_eq!(counting.arrived().len(), 2);
    assert_eq!(counting.done(), 1, "it was one key");
}

#[tokio::test]
async fn an_effect_is_told_even_when_its_agent_hangs_up() {
    let counting = Counting::open().await;
    let house = House::with(target(counting.port)).await;
    let agent = house.agent(1);
    {
        let mut line = agent.line().await;
        let request = agent.request("POST", "/targets/kube/hold", "", "");
        let said = tokio::io::AsyncWriteExt::write_all(&mut line, request.as_bytes());
        said.await.unwrap();
        counting.until_arrived(1).await;
    }
    house
        .until("intended", |case| case.effects.len() == 1)
        .await;
    counting.go_on();
    house
        .until("told", |case| {
            let effect = case.effects.values().next();
            effect.is_some_and(|effect| matches!(effect.status, EffectStatus::Done { .. }))
        })
        .await;
    let answer = agent.ask("POST", "/hold", "").await;
    assert!(
        answer.headers.contains_key("majordomo-effect-done-before"),
        "{answer:?}"
    );
    assert_eq!(answer.json()["answer"], "200 OK");
    assert_eq!(counting.done(), 1);
}

#[tokio::test]
async fn an_agent_that_takes_one_key_for_two_effects_parks_its_stage() {
    let counting = Counting::open().await;
    let house = House::with(target(counting.port)).await;
    let agent = house.agent(1);
    assert_eq!(agent.ask_as("k", "PUT", "/done", "a").await.status, 201);
    let answer = agent.ask_as("k", "PUT", "/done", "b").await;
    assert_eq!(
        (answer.status, answer.refused()),
        (409, "effect_parked"),
        "{answer:?}"
    );
    assert_eq!(counting.done(), 1);
    assert_eq!(house.case().stages[0].status, StageStatus::Parked);
    assert_eq!(names(1).1.number, 1);
}

#[tokio::test]
async fn a_target_leads_nowhere_but_through_the_gateway() {
    let counting = Counting::open().await;
    let house = House::with(target(counting.port)).await;
    let agent = house.agent(1);
    let answer = agent.ask("GET", "/to?/next", "").await;
    assert_eq!(
        answer.headers["location"], "/targets/kube/next",
        "{answer:?}"
    );
    let answer = agent.ask("GET", "/to?http://mail.example/", "").await;
    assert_eq!(
        (answer.status, answer.refused()),
        (502, "elsewhere"),
        "{answer:?}"
    );
}

//! Secrets: added on the way out, in no answer, and missed where they are needed.

use runtime::gateway::Secret;

use super::house::{House, target};
use super::target::Counting;

#[tokio::test]
async fn a_secret_is_added_on_the_way_out_and_an_agent_cannot_forge_it() {
    let counting = Counting::open().await;
    let mut wanted = target(counting.port);
    wanted.needs_secret = true;
    let house = House::with(wanted.clone()).await;
    house.runs(1).await;
    let agent = house.agent(1);
    for method in ["GET", "PUT"] {
        let answer = agent.ask(method, "/done", "").await;
        assert_eq!(
            (answer.status, answer.refused()),
            (503, "no_secret"),
            "{answer:?}"
        );
    }
    let secret = Secret::new(Some("X-Api-Key"), "real").unwrap();
    house.gateway.secrets().set(&wanted.name, &secret).unwrap();
    let request = agent.request("GET", "/targets/kube/", "x-api-key: forged\r\n", "");
    let answer = agent.say(request.as_bytes()).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    let arrived = counting.arrived();
    assert_eq!(arrived.len(), 1);
    assert_eq!(arrived[0].header("x-api-key").as_deref(), Some("real"));
    assert!(!arrived[0].head.contains("forged"));
}

#[tokio::test]
async fn a_check_says_at_which_step_it_fails() {
    let counting = Counting::open().await;
    let mut wanted = target(counting.port);
    wanted.needs_secret = true;
    let house = House::with(wanted.clone()).await;
    let steps = |found: Vec<runtime::gateway::Finding>| -> Vec<(&str, bool)> {
        found
            .iter()
            .map(|finding| (finding.step, finding.is_good))
            .collect()
    };
    let found = house.gateway.check(&wanted, "/").await;
    assert_eq!(steps(found), [("secret", false)]);
    let secret = Secret::new(None, "s").unwrap();
    house.gateway.secrets().set(&wanted.name, &secret).unwrap();
    let found = house.gateway.check(&wanted, "/pods").await;
    assert_eq!(
        steps(found),
        [("secret", true), ("connection", true), ("answer", true)]
    );
    let found = house.gateway.check(&wanted, "/fail").await;
    assert_eq!(
        steps(found),
        [("secret", true), ("connection", true), ("answer", false)]
    );
    wanted.address.port = 1;
    let found = house.gateway.check(&wanted, "/").await;
    assert_eq!(steps(found), [("secret", true), ("connection", false)]);
    // No TLS is spoken there.
    wanted.address = format!("https://127.0.0.1:{}", counting.port)
        .parse()
        .unwrap();
    let found = house.gateway.check(&wanted, "/").await;
    assert_eq!(steps(found), [("secret", true), ("connection", false)]);
}

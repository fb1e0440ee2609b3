//! Tokens of humans through the socket: who may make which, and what each is good for.

use node::admin::client::{Client, ClientError};
use node::admin::wire::MintHumanToken;
use rules::version;

use super::house::admin;
use super::people::{denied, known, open, peopled, token};

#[tokio::test]
async fn a_token_for_one_team_is_good_for_nothing_else() {
    let house = peopled().await;
    house.make_admin("alice").await;
    let (_, narrow) = token(&house, "alice", Some("sre")).await;
    open(&narrow, "it is her team").await.unwrap();
    let id = house.id().await;
    denied(narrow.set_human_role("bob", &admin(), &id).await);
    let how = MintHumanToken {
        valid_ms: 1000,
        team: Some("sre".to_owned()),
        only_if_none: false,
    };
    denied(narrow.mint_human_token("alice", &how, &id).await);
    let unknown = Client::with_token(&house.path, "domo-human-00");
    denied(unknown.status().await);
    house.close().await;
}

#[tokio::test]
async fn a_lead_makes_no_token_that_becomes_more_than_they_lead() {
    let house = peopled().await;
    house.until(|state| state.version >= version::PEOPLE).await;
    let alice = known(&house, "alice").await;
    let mint = async |team: Option<&str>| {
        let how = MintHumanToken {
            valid_ms: 60_000,
            team: team.map(str::to_owned),
            only_if_none: false,
        };
        let id = house.id().await;
        alice.mint_human_token("bob", &how, &id).await
    };
    let refused = mint(None).await;
    let Err(ClientError::Refused { refusal }) = &refused else {
        panic!("{refused:?}");
    };
    let hint = refusal.error.hint.as_deref().unwrap();
    assert!(hint.contains("--team TEAM"), "{hint}");
    denied(refused);
    let of_team = mint(Some("sre")).await.unwrap();
    let of_team = Client::with_token(&house.path, &of_team.token);
    open(&of_team, "it is his team").await.unwrap();
    // Bob becomes an admin; whoever knows that token has no more than the team by it.
    house.make_admin("bob").await;
    let id = house.id().await;
    denied(of_team.set_human_role("alice", &admin(), &id).await);
    house.close().await;
}

//! The organisation's own policies through the socket.

use node::admin::wire::{Consistency, DrainNode, Policy};

use super::people::{denied, known, peopled};

#[tokio::test]
async fn a_policy_forbids_and_can_always_be_taken_back() {
    let house = peopled().await;
    let bob = known(&house, "bob").await;
    let policy = |text: &str| Policy {
        name: "freeze".to_owned(),
        text: text.to_owned(),
    };
    let (permit, id) = (
        policy("permit (principal, action, resource);"),
        house.id().await,
    );
    let refused = house.client.put_policy(&permit, &id).await;
    let refused = refused.unwrap_err().to_string();
    assert!(refused.contains("only forbid"), "{refused}");
    let checked = house.client.check_policy(&permit).await.unwrap();
    assert_eq!(checked.faults.len(), 1);
    let (all, id) = (
        policy("forbid (principal, action, resource);"),
        house.id().await,
    );
    house.client.put_policy(&all, &id).await.unwrap();
    denied(bob.status().await);
    denied(house.client.status().await);
    // It binds the built-in admin too, but for what mends it.
    let drain = DrainNode {
        is_drained: true,
        reason: "x".to_owned(),
    };
    denied(
        house
            .client
            .drain_node("n-1", &drain, &house.id().await)
            .await,
    );
    denied(house.client.backup(Consistency::Local).await.map(drop));
    let found = house.client.policies().await.unwrap();
    assert_eq!(found.policies[0].name, "freeze");
    assert!(
        house
            .client
            .check_policy(&all)
            .await
            .unwrap()
            .faults
            .is_empty()
    );
    let id = house.id().await;
    house.client.remove_policy("freeze", &id).await.unwrap();
    bob.status().await.unwrap();
    house.close().await;
}

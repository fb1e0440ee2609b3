//! What a node keeps is bounded: what would go over a quota is refused by its name, and the status
//! tells of it before.

use node::admin::client::ClientError;
use node::admin::wire::Code;
use runtime::clock::Deadline;

use super::house::{House, PATIENCE};

#[tokio::test]
async fn a_file_over_the_quota_of_all_blobs_is_refused_by_name_and_the_status_told_before() {
    let house = House::open().await;
    house.blobs.bound(100);
    house.client.upload(vec![1; 89]).await.unwrap();
    let is_near = |status: node::admin::wire::Status| {
        let mut troubles = status.troubles.into_iter();
        troubles.any(|trouble| trouble.what.contains("limit blobs_bytes = 100 is near"))
    };
    assert!(!is_near(house.client.status().await.unwrap()));
    house.client.upload(vec![2; 1]).await.unwrap();
    // A status may be some milliseconds old.
    let deadline = Deadline::after(PATIENCE);
    while !is_near(house.client.status().await.unwrap()) {
        assert!(!deadline.is_over(), "the status does not tell");
    }
    let refused = house.client.upload(vec![3; 11]).await.unwrap_err();
    let ClientError::Refused { refusal } = &refused else {
        panic!("{refused:?}");
    };
    assert_eq!(refusal.error.code, Code::TooLarge, "{refused:?}");
    assert_eq!(
        refusal
            .error
            .limit
            .as_ref()
            .map(|limit| limit.name.as_str()),
        Some("blobs_bytes")
    );
    house.client.upload(vec![3; 10]).await.unwrap();
    house.close().await;
}

//! Secrets that people paste, in English and Chinese, at every door that takes a text: none of them is
//! in any file of the node afterwards.

use std::fs;
use std::path::Path;

use node::admin::wire::{AmendCase, CancelCase, HumanWish, OpenCase, PauseCase, PutHumans};

use super::house::House;

/// What is pasted; and what stands beside each, to show that the text itself was kept.
const SECRETS: [&str; 2] = ["Tr0ub4dor!3", "9f8e7d6c5b4a"];
const BESIDE: &str = "beside-the-secret";

/// A text that holds both, at a place that has a name.
fn pasted(place: &str) -> String {
    let [first, second] = SECRETS;
    format!("{BESIDE}-{place} 密码：{first}，请勿外传; token={second}")
}

fn holding(folder: &Path, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(holding(&path, text));
        } else if let Ok(bytes) = fs::read(&path)
            && String::from_utf8_lossy(&bytes).contains(text)
        {
            found.push(path.display().to_string());
        }
    }
    found
}

async fn paste_everywhere(house: &House) {
    let client = &house.client;
    let case = OpenCase {
        team: Some("sre".to_owned()),
        title: Some(pasted("title")),
        brief: pasted("brief"),
        ..OpenCase::default()
    };
    let case = client.open_case(&case, &house.id().await).await.unwrap();
    let amend = AmendCase {
        brief: pasted("amendment"),
        ..AmendCase::default()
    };
    let id = house.id().await;
    client.amend_case(&case.case, &amend, &id).await.unwrap();
    let reason = pasted("pause");
    let (how, id) = (PauseCase { reason }, house.id().await);
    client.pause_case(&case.case, &how, &id).await.unwrap();
    let reason = pasted("cancel");
    let (how, id) = (CancelCase { reason }, house.id().await);
    client.cancel_case(&case.case, &how, &id).await.unwrap();
    let human = HumanWish {
        name: "bob".to_owned(),
        display: Some(pasted("display")),
        employee: None,
        roles: Vec::new(),
    };
    let roster = PutHumans {
        humans: vec![human],
    };
    client.put_humans(&roster, &house.id().await).await.unwrap();
}

#[tokio::test]
async fn no_secret_that_people_paste_is_in_any_file_of_the_node() {
    let house = House::open().await;
    house.describe().await;
    paste_everywhere(&house).await;
    house.ledger.snapshot().await.unwrap();
    let folder = house.folder.path();
    for place in ["title", "brief", "amendment", "pause", "cancel", "display"] {
        let beside = format!("{BESIDE}-{place}");
        assert!(!holding(folder, &beside).is_empty(), "{place} is kept");
    }
    for secret in SECRETS {
        assert_eq!(holding(folder, secret), Vec::<String>::new(), "{secret}");
    }
    house.close().await;
}

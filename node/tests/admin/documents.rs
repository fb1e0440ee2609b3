//! Documents: what is applied, what would be, and what is refused without a trace.

use node::admin::client::ClientError;
use node::admin::wire::{ApplyQuery, Change, Code, Difference, Document, Prune};

use super::house::{House, team};

fn changes(difference: &Difference) -> Vec<(Change, String)> {
    let each = difference.documents.iter();
    each.map(|one| (one.change, format!("{} {}", one.kind, one.name)))
        .collect()
}

fn dry() -> ApplyQuery {
    ApplyQuery {
        dry_run: true,
        ..ApplyQuery::default()
    }
}

#[tokio::test]
async fn a_dry_run_shows_what_the_apply_then_does() {
    let house = House::open().await;
    let shown = house.client.apply(&team(), &dry(), None).await.unwrap();
    assert!(shown.is_dry_run);
    assert_eq!(
        house.ledger.read(|state| state.teams.len()),
        0,
        "a dry run changes nothing"
    );
    assert_eq!(
        changes(&shown),
        [
            (Change::Create, "team sre".to_owned()),
            (Change::Create, "worker sre/looker".to_owned()),
            (Change::Create, "playbook sre/diagnose".to_owned()),
        ]
    );
    let how = ApplyQuery {
        basis: Some(shown.basis.clone()),
        ..ApplyQuery::default()
    };
    let id = house.id().await;
    let done = house.client.apply(&team(), &how, Some(&id)).await.unwrap();
    assert_eq!((done.created, done.changed, done.unchanged), (3, 0, 0));
    let again = house.client.apply(&team(), &how, Some(&id)).await.unwrap();
    assert_eq!(
        (again.created, again.unchanged),
        (3, 0),
        "the same wish has the same answer"
    );
    let anew = house
        .client
        .apply(&team(), &how, Some(&house.id().await))
        .await;
    let Err(ClientError::Refused { refusal }) = anew else {
        panic!("{anew:?}")
    };
    assert_eq!(refusal.error.code, Code::Stale);
    house.close().await;
}

#[tokio::test]
async fn a_changed_document_says_where_it_differs() {
    let house = House::open().await;
    house.describe().await;
    let mut documents = team();
    let Document::Worker(worker) = &mut documents[1] else {
        panic!()
    };
    worker.agent.image = "busybox".to_owned();
    worker.agent.limits.memory_bytes = Some(64 << 20);
    let shown = house.client.apply(&documents, &dry(), None).await.unwrap();
    assert_eq!((shown.changed, shown.unchanged), (1, 2));
    let fields: Vec<&str> = shown.documents[0]
        .fields
        .iter()
        .map(|f| f.field.as_str())
        .collect();
    assert_eq!(fields, ["agent.image", "agent.limits.memory_bytes"]);
    house.close().await;
}

#[tokio::test]
async fn what_is_absent_goes_only_as_far_as_it_is_told() {
    let house = House::open().await;
    house.describe().await;
    let mut other = team();
    other.truncate(1);
    let Document::Team(second) = &mut other[0] else {
        panic!()
    };
    (second.name, second.playbook) = ("ops".to_owned(), None);
    let with = |prune| ApplyQuery {
        dry_run: true,
        prune,
        basis: None,
    };
    let removed = async |prune| {
        let shown = house
            .client
            .apply(&other, &with(prune), None)
            .await
            .unwrap();
        changes(&shown)
            .into_iter()
            .filter(|(change, _)| *change == Change::Remove)
            .count()
    };
    assert_eq!(removed(Prune::None).await, 0);
    assert_eq!(
        removed(Prune::Team).await,
        0,
        "another team is not of the described ones"
    );
    assert_eq!(removed(Prune::All).await, 1);
    let mut mine = team();
    mine.retain(|document| !matches!(document, Document::Worker(_)));
    let how = ApplyQuery {
        prune: Prune::Team,
        ..ApplyQuery::default()
    };
    let id = house.id().await;
    let done = house.client.apply(&mine, &how, Some(&id)).await.unwrap();
    assert_eq!(done.removed, 1);
    let again = house.client.apply(&mine, &how, Some(&id)).await.unwrap();
    assert_eq!(
        again.removed, 1,
        "the same wish, though there is nothing left to remove"
    );
    assert_eq!(house.client.team("sre").await.unwrap().members, []);
    house.close().await;
}

#[tokio::test]
async fn one_bad_document_changes_nothing_and_every_fault_is_named() {
    let house = House::open().await;
    let mut documents = team();
    let Document::Worker(worker) = &mut documents[1] else {
        panic!()
    };
    worker.agent.soul = Some("0".repeat(64));
    let Document::Playbook(playbook) = &mut documents[2] else {
        panic!()
    };
    playbook.name = "Bad Name".to_owned();
    for how in [dry(), ApplyQuery::default()] {
        let refused = house
            .client
            .apply(&documents, &how, Some(&house.id().await))
            .await;
        let Err(ClientError::Refused { refusal }) = refused else {
            panic!("{refused:?}")
        };
        assert_eq!(
            (refusal.status, refusal.error.code),
            (422, Code::BadDocuments)
        );
        assert_eq!(
            refusal.error.reasons.len(),
            2,
            "{:?}",
            refusal.error.reasons
        );
        assert!(refusal.error.reasons[0].starts_with("worker sre/looker: SOUL: blob 000"));
    }
    let mut documents = team();
    documents.remove(0);
    let refused = house
        .client
        .apply(&documents, &dry(), None)
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Some(Code::BadDocuments), "{refused}");
    assert_eq!(refused.exit_code(), 1);
    assert_eq!(
        house
            .ledger
            .read(|state| state.teams.len() + state.workers.len()),
        0
    );
    house.close().await;
}

#[tokio::test]
async fn souls_and_skills_are_the_files_that_were_uploaded() {
    let house = House::open().await;
    let soul = house.client.upload(&b"I am calm."[..]).await.unwrap();
    let skill = house.client.upload(&b"# Looking"[..]).await.unwrap();
    let mut documents = team();
    let Document::Worker(worker) = &mut documents[1] else {
        panic!()
    };
    worker.agent.soul = Some(soul.sha256.clone());
    let files = [("SKILL.md".to_owned(), skill.sha256.clone())].into();
    worker.agent.skills.insert("status".to_owned(), files);
    house
        .client
        .apply(&documents, &ApplyQuery::default(), None)
        .await
        .unwrap();
    let shown = house.client.worker("sre", "looker").await.unwrap();
    assert_eq!(shown.agent.soul.as_ref(), Some(&soul.sha256));
    assert_eq!(shown.agent.skills["status"]["SKILL.md"], skill.sha256);
    assert_eq!(shown.agent.limits.pids, Some(256), "the node's default");
    let mut text = Vec::new();
    house
        .client
        .blob(&soul.sha256)
        .await
        .unwrap()
        .write_to(&mut text)
        .await
        .unwrap();
    assert_eq!(text, b"I am calm.");
    house.close().await;
}

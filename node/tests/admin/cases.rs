//! Cases from brief to report, as a client sees them.

use node::admin::client::ClientError;
use node::admin::wire::{
    AmendCase, AnswerStage, Attachment, CancelCase, CaseOutcome, CaseStatus, Code, Consistency,
    FileKind, OpenCase, PauseCase, Waiting,
};
use rules::Command;
use rules::attempt::{AttemptOutcome, Body};
use rules::case::CaseOutcome as Ended;
use rules::id::AttemptId;

use super::house::{House, report, result};

fn code<T: std::fmt::Debug>(answer: Result<T, ClientError>) -> Code {
    match answer {
        Err(ClientError::Refused { refusal }) => {
            assert_eq!(refusal.status, refusal.error.code.status());
            refusal.error.code
        }
        other => panic!("not refused: {other:?}"),
    }
}

#[tokio::test]
async fn a_case_is_seen_from_brief_to_report() {
    let house = House::open().await;
    house.describe().await;
    let client = &house.client;
    let id = house.submit("# pod is Pending\nsince noon").await;
    let case = client.case("c-1", Consistency::Linearizable).await.unwrap();
    assert_eq!(
        (case.line.title.as_str(), case.line.status),
        ("pod is Pending", CaseStatus::Open)
    );
    assert_eq!(case.line.opened_by, "admin");
    assert!(case.freshness.is_linearizable);
    assert_eq!(code(client.report("c-1").await), Code::WrongState);
    house.plan(id).await;
    let attempt = AttemptId {
        case: id,
        number: 1,
    };
    let artifact = house.blobs.put_bytes(b"pods".to_vec()).await.unwrap();
    let outcome = AttemptOutcome::Succeeded(result("full disk", Some(("pods.json", artifact))));
    house
        .work(attempt, Command::FinishAttempt { attempt, outcome })
        .await;
    let long = "x".repeat(100_000);
    let markdown = house
        .blobs
        .put_bytes(long.clone().into_bytes())
        .await
        .unwrap();
    house
        .report(
            id,
            report(Body::Inline("{\"a\":1}".to_owned()), Body::Blob(markdown)),
        )
        .await;

    let case = client.case("1", Consistency::Local).await.unwrap();
    assert_eq!(
        (case.line.status, case.line.outcome),
        (CaseStatus::Closed, Some(CaseOutcome::Succeeded))
    );
    assert_eq!(case.attempts[0].id, "c-1.1");
    let whole = client.report("c-1").await.unwrap();
    assert_eq!(whole.document, Some(serde_json::json!({"a": 1})));
    assert_eq!(whole.markdown.as_ref(), Some(&long));
    assert_eq!(client.report_markdown("c-1").await.unwrap(), long);

    files_are_listed_and_read(&house).await;
    house.close().await;
}

async fn files_are_listed_and_read(house: &House) {
    let client = &house.client;
    let files = client.files("c-1").await.unwrap().files;
    let paths: Vec<(FileKind, &str)> = files.iter().map(|f| (f.kind, f.path.as_str())).collect();
    assert_eq!(
        paths,
        [
            (FileKind::Brief, "briefs/1.md"),
            (FileKind::Result, "results/look.json"),
            (FileKind::Artifact, "artifacts/look/pods.json"),
            (FileKind::Report, "report.md"),
            (FileKind::Report, "report.json"),
        ]
    );
    for file in &files {
        let mut bytes = Vec::new();
        let download = client.file("c-1", &file.path).await.unwrap();
        assert_eq!(
            download.write_to(&mut bytes).await.unwrap(),
            file.bytes,
            "{}",
            file.path
        );
    }
    assert_eq!(
        code(client.file("c-1", "../1").await.map(|_| ())),
        Code::NotFound
    );
}

#[tokio::test]
async fn the_same_wish_twice_is_one_case_and_another_under_its_id_is_refused() {
    let house = House::open().await;
    house.describe().await;
    let case = OpenCase {
        team: Some("sre".to_owned()),
        brief: "a".repeat(20_000),
        ..OpenCase::default()
    };
    let id = house.id().await;
    let first = house.client.open_case(&case, &id).await.unwrap();
    let second = house.client.open_case(&case, &id).await.unwrap();
    assert_eq!((first.case.as_str(), &first), ("c-1", &second));
    let other = OpenCase {
        brief: "b".to_owned(),
        ..case.clone()
    };
    assert_eq!(
        code(house.client.open_case(&other, &id).await),
        Code::RequestReused
    );
    assert_eq!(house.ledger.read(|state| state.cases.len()), 1);
    let whole = house.client.file("c-1", "briefs/1.md").await.unwrap();
    let mut text = Vec::new();
    whole.write_to(&mut text).await.unwrap();
    assert_eq!(text, case.brief.as_bytes());
    house.close().await;
}

#[tokio::test]
async fn attachments_are_the_bytes_that_were_uploaded() {
    let house = House::open().await;
    house.describe().await;
    let bytes: Vec<u8> = (0..700_000u32).map(|n| n.to_le_bytes()[0]).collect();
    let source = house.folder.path().join("pods.json");
    std::fs::write(&source, &bytes).unwrap();
    let blob = house.client.upload_file(&source).await.unwrap();
    assert_eq!(blob, house.client.upload(bytes.clone()).await.unwrap());
    assert_eq!(blob.bytes, 700_000);
    let attach = |path: &str, sha256: &str| OpenCase {
        team: Some("sre".to_owned()),
        brief: "look".to_owned(),
        attachments: vec![Attachment {
            path: path.to_owned(),
            sha256: sha256.to_owned(),
        }],
        ..OpenCase::default()
    };
    let path = "a b/ü%2F#?.json";
    let opened = house
        .client
        .open_case(&attach(path, &blob.sha256), &house.id().await)
        .await;
    let case = opened.unwrap().case;
    let mut back = Vec::new();
    let file = house
        .client
        .file(&case, &format!("attachments/{path}"))
        .await
        .unwrap();
    assert_eq!(file.bytes(), Some(700_000));
    file.write_to(&mut back).await.unwrap();
    assert_eq!(back, bytes);
    let absent = attach("x", &"0".repeat(64));
    assert_eq!(
        code(house.client.open_case(&absent, &house.id().await).await),
        Code::BadDocuments
    );
    let outside = attach("../x", &blob.sha256);
    assert_eq!(
        code(house.client.open_case(&outside, &house.id().await).await),
        Code::Invalid
    );
    house.close().await;
}

#[tokio::test]
async fn a_human_pauses_resumes_amends_answers_and_cancels() {
    let house = House::open().await;
    house.describe().await;
    let (client, id) = (&house.client, house.submit("look").await);
    house.plan(id).await;
    let why = PauseCase {
        reason: "lunch".to_owned(),
    };
    client
        .pause_case("c-1", &why, &house.id().await)
        .await
        .unwrap();
    let case = client.case("c-1", Consistency::Linearizable).await.unwrap();
    assert!(case.is_paused && case.line.waiting_for == Some(Waiting::Resume));
    assert_eq!(
        client.status().await.unwrap().waits[0].hint,
        "domo case resume c-1"
    );
    client.resume_case("c-1", &house.id().await).await.unwrap();
    let change = AmendCase {
        brief: "look twice".to_owned(),
        attachments: Vec::new(),
    };
    client
        .amend_case("c-1", &change, &house.id().await)
        .await
        .unwrap();
    house.plan(id).await;
    let answer = AnswerStage {
        summary: "I saw it".to_owned(),
        ..AnswerStage::default()
    };
    let wrong = client
        .answer_stage("c-1", "lok", &answer, &house.id().await)
        .await;
    assert_eq!(code(wrong), Code::NotFound);
    client
        .answer_stage("c-1", "look", &answer, &house.id().await)
        .await
        .unwrap();
    let case = client.case("c-1", Consistency::Linearizable).await.unwrap();
    let result = case.plan[0].result.as_ref().unwrap();
    assert_eq!(
        result.document,
        Some(serde_json::json!({"version": 1, "summary": "I saw it"}))
    );
    assert_eq!(case.briefs.len(), 2);
    let again = client
        .cancel_case("c-1", &CancelCase::default(), &house.id().await)
        .await;
    assert_eq!(
        code(again),
        Code::WrongState,
        "nothing but the report is left"
    );

    let other = house.submit("other").await;
    client
        .cancel_case("c-2", &CancelCase::default(), &house.id().await)
        .await
        .unwrap();
    house
        .until(|state| state.cases[&other].ending == Some(Ended::Cancelled))
        .await;
    let gone = client
        .cancel_case("c-99", &CancelCase::default(), &house.id().await)
        .await;
    assert_eq!(code(gone), Code::NotFound);
    house.close().await;
}

#[tokio::test]
async fn a_wish_is_remembered_under_its_id_and_a_bad_id_is_refused() {
    let house = House::open().await;
    house.describe().await;
    let clock = house.client.clock().await.unwrap();
    assert!(clock.applied_index > 0);
    let id = house.submit("x").await;
    let now = house.ledger.read(|state| state.clock.0);
    let cancel = CancelCase::default();
    let name = format!("{id}");
    let fresh = format!("mine@{now}");
    house
        .client
        .cancel_case(&name, &cancel, &fresh)
        .await
        .unwrap();
    house
        .client
        .cancel_case(&name, &cancel, &fresh)
        .await
        .unwrap();
    let bad = house
        .client
        .cancel_case(&name, &cancel, &"x".repeat(200))
        .await;
    assert_eq!(code(bad), Code::Invalid);
    house.close().await;
}

//! What is promised of backups.

use std::path::Path;
use std::sync::Arc;

use rules::attempt::Body;
use rules::beginning::Cause;
use rules::case::{Attachment, Brief, Report};
use rules::id::{CaseId, HumanName, NodeId};
use rules::room::RoomName;
use rules::{Command, Outcome, Principal, Proposal, Who, limits};
use tempfile::TempDir;

use super::*;
use crate::archive::Filter;
use crate::blob::Blobs;
use crate::codec;
use crate::ledger::{Ledger, OpenOptions};
use crate::policy::Policies;

/// A node with a closed case, an open one, and a blob for each.
struct House {
    dir: TempDir,
    ledger: Ledger,
    blobs: Blobs,
}

fn proposal(who: Who, command: Command) -> Proposal {
    Proposal {
        request: None,
        principal: Principal::own(who),
        wall_ms: 1,
        command,
        decision: None,
    }
}

fn options(dir: &TempDir, node: NodeId) -> OpenOptions {
    let schema = include_str!("../../../config/policy/matrix.cedarschema");
    let matrix = include_str!("../../../config/policy/matrix.cedar");
    OpenOptions {
        judge: Arc::new(Policies::new(schema, matrix).unwrap()),
        ..OpenOptions::new(dir.path().join("ledger"), node)
    }
}

fn room() -> RoomName {
    "admin@manager".parse().unwrap()
}

fn ada() -> Who {
    Who::Human(HumanName::new("admin").unwrap())
}

impl House {
    /// Posts something that waits for no answer.
    async fn post(&self, text: &str) {
        let post = Command::PostMessage {
            room: room(),
            thread: None,
            text: text.to_owned(),
            attachments: Vec::new(),
            answers: None,
        };
        self.say(ada(), post).await;
    }

    async fn new() -> House {
        let dir = tempfile::tempdir().unwrap();
        let blobs = Blobs::open(dir.path().join("blobs"), 1 << 30).unwrap();
        let options = options(&dir, NodeId(1));
        let (ledger, _changes) = Ledger::open(options).await.unwrap();
        ledger.init_single().await.unwrap();
        let house = House { dir, ledger, blobs };
        let closed = house.open("closed", b"evidence").await;
        house.close(closed).await;
        house.open("open", &vec![7; 600_000]).await;
        house
    }

    async fn say(&self, who: Who, command: Command) -> Outcome {
        let verdict = self.ledger.propose(proposal(who, command)).await.unwrap();
        verdict.unwrap()
    }

    async fn open(&self, title: &str, evidence: &[u8]) -> CaseId {
        let blob = self.blobs.put_bytes(evidence.to_vec()).await.unwrap();
        let text = Body::Inline("look".to_owned());
        let path = "evidence".to_owned();
        let command = Command::OpenCase {
            team: None,
            title: title.to_owned(),
            brief: Brief { text },
            attachments: vec![Attachment { path, blob }],
            playbook: None,
        };
        let opened = self.say(ada(), command).await;
        let Outcome::Opened(case) = opened else {
            panic!("{opened:?}");
        };
        case
    }

    async fn close(&self, case: CaseId) {
        let reason = "over".to_owned();
        self.say(ada(), Command::CancelCase { case, reason }).await;
        let text = || Body::Inline("{}".to_owned());
        let report = Report {
            summary: "nothing".to_owned(),
            root_cause: None,
            recommendation: None,
            impact: None,
            document: text(),
            markdown: text(),
        };
        let generation = self.ledger.read(|state| state.cases[&case].generation);
        let term = self.ledger.status().term;
        let report = Command::ReportCase {
            case,
            generation,
            report: Box::new(report),
        };
        self.say(Who::Manager { term }, report).await;
    }

    /// A backup, as it is read; `meanwhile` comes after its first piece.
    async fn backup(&self, meanwhile: impl AsyncFnOnce()) -> Result<Vec<u8>, BackupError> {
        let (to, mut pieces) = tokio::sync::mpsc::channel(1);
        let (ledger, blobs) = (self.ledger.clone(), self.blobs.clone());
        let taking = tokio::spawn(async move { take(&ledger, &blobs, "old", "0.1.0", to).await });
        let mut bytes = pieces.recv().await.unwrap_or_default();
        meanwhile().await;
        while let Some(piece) = pieces.recv().await {
            bytes.extend(piece);
        }
        taking.await.unwrap()?;
        Ok(bytes)
    }

    fn file(&self, bytes: &[u8]) -> PathBuf {
        let path = self.dir.path().join("backup");
        std::fs::write(&path, bytes).unwrap();
        path
    }
}

fn restored(path: &Path, dir: &TempDir) -> (Contents, OpenOptions) {
    let contents = check(path).unwrap();
    let options = options(dir, contents.next_node);
    let restored = restore(path, &options, dir.path().join("blobs")).unwrap();
    assert_eq!(restored, contents);
    (contents, options)
}

#[tokio::test]
async fn a_backup_holds_what_was_so_when_it_began_and_a_new_cluster_goes_on_from_there() {
    let house = House::new().await;
    let meanwhile = async || {
        // Closed later: in the backup it is open. Opened later: it is not in there.
        house.close(CaseId(2)).await;
        let late = house.open("late", b"late").await;
        house.close(late).await;
    };
    let bytes = house.backup(meanwhile).await.unwrap();
    let dir = tempfile::tempdir().unwrap();
    let (contents, options) = restored(&house.file(&bytes), &dir);
    assert_eq!(contents.head.cluster, "old");
    assert_eq!((contents.open_cases, contents.closed_cases), (1, 1));
    assert_eq!((contents.blobs, contents.missing.len()), (2, 0));
    assert_eq!(contents.bytes, bytes.len() as u64);
    let cause = Cause::Restored {
        cluster: "old".to_owned(),
        index: contents.head.index,
        taken_wall_ms: 0,
    };
    let node = contents.next_node;
    let name = "new".to_owned();
    let again = Command::BeginAgain {
        node,
        name,
        cause,
        by: "root".to_owned(),
    };
    let said = Ledger::record(options.clone(), proposal(Who::Node(node), again)).await;
    said.unwrap().unwrap();
    let (ledger, _changes) = Ledger::open(options).await.unwrap();
    let status = ledger.status();
    assert!(
        status.is_leader && status.term > contents.head.term,
        "{status:?}"
    );
    let archived = ledger.archive().list(&Filter::default(), 10).unwrap();
    assert_eq!(
        archived.iter().map(|case| case.id.0).collect::<Vec<_>>(),
        [1]
    );
    let closed = ledger.archive().case(CaseId(1)).unwrap().unwrap();
    assert_eq!(closed.title, "closed");
    let blobs = Blobs::open(dir.path().join("blobs"), 1 << 30).unwrap();
    let (begun, evidence) = ledger.read(|state| {
        assert_eq!(state.next_case, CaseId(3));
        (
            state.beginnings.clone(),
            state.cases[&CaseId(2)].attachments[0].blob,
        )
    });
    assert_eq!((begun.len(), begun[0].node), (1, node));
    let chain = ledger.read(|state| state.audit.clone());
    crate::audit::tests::is_whole(ledger.audit(), &chain);
    let found = blobs.read_limited(&evidence, 1 << 20).await.unwrap();
    assert_eq!(found, vec![7; 600_000]);
    // It goes on: the next case has the next number, and a closed one goes to the archive.
    let again = House { dir, ledger, blobs };
    again.close(CaseId(2)).await;
    assert_eq!(again.open("next", b"next").await, CaseId(3));
    assert_eq!(again.ledger.archive().count(), 2);
}

#[tokio::test]
async fn what_was_said_in_a_room_is_restored_whole_and_goes_on() {
    let house = House::new().await;
    house.post("thanks").await;
    for _ in 0..limits::MAX_KEPT_POSTS {
        house.post("ok").await;
    }
    // Said later: it is not in the backup, and what it puts into the archive is in the state there.
    let bytes = house
        .backup(async || house.post("great").await)
        .await
        .unwrap();
    let dir = tempfile::tempdir().unwrap();
    let (contents, options) = restored(&house.file(&bytes), &dir);
    assert_eq!(contents.posts, 1);
    let (ledger, _changes) = Ledger::open(options).await.unwrap();
    let archived = ledger.archive().posts(&room(), (0, u64::MAX), 9).unwrap();
    let texts: Vec<&str> = archived.iter().map(|post| post.text.as_str()).collect();
    assert_eq!(texts, ["thanks"]);
    let kept = ledger.read(|state| {
        assert_eq!(state.rooms.last_post, 101);
        state.rooms.rooms[&room()].posts.len()
    });
    assert_eq!(kept, limits::MAX_KEPT_POSTS);
}

#[tokio::test]
async fn a_backup_that_is_cut_off_or_changed_anywhere_is_refused() {
    let house = House::new().await;
    let bytes = house.backup(async || {}).await.unwrap();
    let step = bytes.len() / 150 + 1;
    for end in (0..bytes.len()).step_by(step) {
        let refused = check(&house.file(&bytes[..end])).unwrap_err();
        assert!(
            matches!(refused, BackupError::Unfinished { .. }),
            "{refused}"
        );
    }
    for at in (0..bytes.len()).step_by(step) {
        let mut flipped = bytes.clone();
        flipped[at] ^= 1;
        assert!(check(&house.file(&flipped)).is_err(), "byte {at}");
    }
    let longer = [bytes.as_slice(), b"x"].concat();
    let refused = check(&house.file(&longer)).unwrap_err().to_string();
    assert!(refused.contains("goes on behind its end"), "{refused}");
}

#[tokio::test]
async fn parts_that_are_whole_and_belong_to_another_backup_are_refused() {
    let house = House::new().await;
    let first = house.backup(async || {}).await.unwrap();
    house.open("another", b"another").await;
    let second = house.backup(async || {}).await.unwrap();
    // The head of the one, and all the rest of the other.
    let head = |bytes: &[u8]| {
        let head = bytes.first_chunk().unwrap();
        codec::HEAD_BYTES + codec::body_length(codec::BACKUP_HEAD, head).unwrap()
    };
    let mixed = [&first[..head(&first)], &second[head(&second)..]].concat();
    let refused = check(&house.file(&mixed)).unwrap_err().to_string();
    assert!(
        refused.contains("its state is of another entry"),
        "{refused}"
    );
}

#[tokio::test]
async fn what_is_no_backup_or_another_release_s_is_told_so() {
    let house = House::new().await;
    let refused = check(&house.file(b"a text that somebody wrote")).unwrap_err();
    assert!(matches!(refused, BackupError::Foreign { .. }), "{refused}");
    let mut newer = house.backup(async || {}).await.unwrap();
    newer[5] += 1;
    // The version stands under the checksum.
    let length = codec::body_length(codec::BACKUP_HEAD, newer.first_chunk().unwrap()).unwrap();
    let sum = codec::checksum(&[&newer[..12], &newer[16..16 + length]]);
    newer[12..16].copy_from_slice(&sum.to_le_bytes());
    let refused = check(&house.file(&newer)).unwrap_err().to_string();
    assert!(
        refused.contains("of version 2; this release reads 1"),
        "{refused}"
    );
}

#[tokio::test]
async fn a_blob_that_nobody_has_is_named_and_a_backup_is_made_without_it() {
    let house = House::new().await;
    let lost = house
        .ledger
        .read(|state| state.cases[&CaseId(2)].attachments[0].blob);
    std::fs::write(house.blobs.path(&lost), vec![8; 600_000]).unwrap();
    let bytes = house.backup(async || {}).await.unwrap();
    let contents = check(&house.file(&bytes)).unwrap();
    assert_eq!((contents.blobs, contents.missing), (1, vec![lost]));
}

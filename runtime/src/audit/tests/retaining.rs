//! Old records are removed only behind an archive that has them, and what is left verifies from there.

use std::time::Duration;

use rules::id::NodeId;
use tempfile::TempDir;

use super::{RECORDS, SMALL_BYTES, Story, whole};
use crate::audit::checkpoint::Checkpoint;
use crate::audit::retain::Keep;
use crate::audit::verify::{self, Known};
use crate::audit::{Audit, begin, export};
use crate::clock::{self, WallMs};
use crate::links::{ClusterName, Keys, Signers};

/// A node's records, its archive and its keys.
struct Shelf {
    dir: TempDir,
    keys: Keys,
    story: Story,
    audit: Audit,
}

impl Shelf {
    fn of(records: u64) -> Self {
        let dir = TempDir::new().unwrap();
        let cluster = ClusterName::new("c-1").unwrap();
        let keys = Keys::found(&dir.path().join("keys"), &cluster, NodeId(1)).unwrap();
        let story = Story::of(records);
        let audit = story.write_to(&dir.path().join("audit"));
        audit.signed_by(keys.signers());
        Self {
            dir,
            keys,
            story,
            audit,
        }
    }

    fn signers(&self) -> Signers {
        self.keys.signers()
    }

    fn keep(&self, age: Duration, bytes: u64) -> Keep {
        Keep {
            archive: self.dir.path().join("archive"),
            age,
            bytes,
        }
    }

    fn retain(&self, keep: &Keep, now: WallMs) -> std::io::Result<usize> {
        let sign = |end| Checkpoint::new(NodeId(1), end, clock::wall(), Some(&self.keys));
        self.audit.retain(keep, now, sign)
    }

    fn opened(&self) -> Audit {
        let audit = Audit::open_with(self.audit.dir(), SMALL_BYTES).unwrap();
        audit.signed_by(self.signers());
        audit
    }
}

/// When the last record of a story was taken in.
fn end_of(story: &Story) -> WallMs {
    WallMs(story.records.len() as u64 * 2_000)
}

/// Far longer than any story goes on.
const FOR_EVER: Duration = Duration::from_hours(1);

#[test]
fn what_is_old_is_removed_behind_the_archive_and_the_rest_verifies_from_there() {
    let shelf = Shelf::of(RECORDS);
    let (audit, story) = (&shelf.audit, &shelf.story);
    // Everything whole is archived, and nothing is old.
    let keep = shelf.keep(FOR_EVER, u64::MAX);
    assert_eq!(shelf.retain(&keep, end_of(story)).unwrap(), 0);
    let files = audit.files();
    let archived = crate::audit::segment::files(&keep.archive).unwrap();
    assert_eq!(archived.len() + 1, files.len());
    whole(audit, story);

    let keep = shelf.keep(Duration::from_mins(1), u64::MAX);
    let removed = shelf.retain(&keep, end_of(story)).unwrap();
    assert!(removed > 0 && removed < archived.len(), "{removed}");
    let first = audit.files()[0].first;
    assert_eq!(first, files[removed].first);
    assert_eq!(audit.gap(), None);
    // A restart finds the same, and what comes goes on.
    let audit = shelf.opened();
    assert_eq!((audit.last().0, audit.gap()), (RECORDS, None));
    let known = [story.known_at(2), story.known()];
    let verified = audit.verify(&known).unwrap();
    assert_eq!((verified.fault, verified.first), (None, first));
    // The archive has the whole of it, up to the file that grows.
    let known: Vec<Known> = vec![story.known_at(usize::try_from(first).unwrap() - 1)];
    let archive = verify::folder(&keep.archive, &known, None).unwrap();
    assert_eq!((archive.fault, archive.first, archive.met), (None, 1, 1));
    assert_eq!(archive.erased, archive.count, "it holds no salt");
}

#[test]
fn too_many_bytes_let_the_oldest_go_however_young() {
    let shelf = Shelf::of(RECORDS);
    let before: u64 = shelf.audit.files().iter().map(|file| file.bytes).sum();
    let keep = shelf.keep(FOR_EVER, before / 2);
    assert!(shelf.retain(&keep, WallMs(0)).unwrap() > 0);
    let after: u64 = shelf.audit.files().iter().map(|file| file.bytes).sum();
    assert!(after <= before / 2, "{after} of {before}");
    assert_eq!(
        shelf.audit.verify(&[shelf.story.known()]).unwrap().fault,
        None
    );
}

#[test]
fn nothing_is_removed_that_the_archive_does_not_take() {
    let shelf = Shelf::of(RECORDS);
    let keep = shelf.keep(Duration::ZERO, 0);
    // Where the archive should be is a file.
    std::fs::write(&keep.archive, "").unwrap();
    assert!(shelf.retain(&keep, end_of(&shelf.story)).is_err());
    whole(&shelf.audit, &shelf.story);
    // A file that was altered is no part of the record: it stays where it is found.
    std::fs::remove_file(&keep.archive).unwrap();
    let path = shelf.audit.files()[1].path.clone();
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replacen("\"ada\"", "\"eve\"", 1)).unwrap();
    assert!(shelf.retain(&keep, end_of(&shelf.story)).is_err());
    assert_eq!(shelf.audit.files()[0].first, 1);
}

#[test]
fn whoever_removes_old_records_without_the_nodes_word_is_found() {
    let shelf = Shelf::of(RECORDS);
    let keep = shelf.keep(Duration::from_mins(1), u64::MAX);
    shelf.retain(&keep, end_of(&shelf.story)).unwrap();
    let files = shelf.audit.files();
    let missing = |audit: &Audit| {
        let fault = audit.verify(&[shelf.story.known()]).unwrap().fault;
        fault.map(|fault| fault.what).unwrap_or_default()
    };
    // One file more than was said.
    let one = std::fs::read(&files[0].path).unwrap();
    std::fs::remove_file(&files[0].path).unwrap();
    let told = missing(&shelf.audit);
    assert!(told.contains("are missing"), "{told}");
    // And a word that nobody signed.
    let word = begin::word(shelf.audit.dir()).unwrap().unwrap();
    let count = files[1].first - 1;
    let forged = Checkpoint {
        count,
        head: crate::audit::line::hex(&files[1].before),
        ..word.clone()
    };
    begin::write(shelf.audit.dir(), &forged).unwrap();
    let told = missing(&shelf.audit);
    assert!(told.contains("are missing"), "{told}");
    begin::write(shelf.audit.dir(), &word).unwrap();
    std::fs::write(&files[0].path, one).unwrap();
    assert_eq!(missing(&shelf.audit), "");
}

#[test]
fn an_export_behind_an_archive_begins_with_the_nodes_word() {
    let shelf = Shelf::of(RECORDS);
    let keep = shelf.keep(Duration::from_mins(1), u64::MAX);
    shelf.retain(&keep, end_of(&shelf.story)).unwrap();
    let mut exporting = shelf.audit.export(shelf.audit.last()).unwrap();
    let mut bytes = Vec::new();
    while let Some(piece) = exporting.next_piece().unwrap() {
        bytes.extend(piece);
    }
    let path = shelf.dir.path().join("export.jsonl");
    std::fs::write(&path, &bytes).unwrap();
    let verified = export::verify(&path, &[shelf.story.known()]).unwrap();
    assert_eq!((verified.fault, verified.count), (None, RECORDS));
    let text = String::from_utf8(bytes).unwrap();
    let bare: Vec<&str> = text.split_inclusive('\n').collect();
    let bare = [&bare[..1], &bare[2..]].concat().concat();
    std::fs::write(&path, bare).unwrap();
    let fault = export::verify(&path, &[]).unwrap().fault.unwrap();
    assert!(fault.what.contains("are missing"), "{fault:?}");
}

#[test]
fn a_node_that_comes_when_the_oldest_are_archived_begins_where_the_others_do() {
    let shelf = Shelf::of(RECORDS);
    let keep = shelf.keep(Duration::from_mins(1), u64::MAX);
    shelf.retain(&keep, end_of(&shelf.story)).unwrap();
    let dir = TempDir::new().unwrap();
    let newcomer = Audit::open_with(dir.path(), SMALL_BYTES).unwrap();
    newcomer.signed_by(shelf.signers());
    let end = shelf.story.known();
    newcomer.expect(end.count, end.head);
    let batch = shelf.audit.lines_after(0, 1000).unwrap();
    let word = batch.begins.unwrap();
    assert!(batch.lines.is_empty());
    let mut forged = word.clone();
    forged.count -= 1;
    assert!(!newcomer.begin_at(&forged).unwrap(), "nobody signed that");
    assert!(newcomer.begin_at(&word).unwrap());
    assert!(!newcomer.begin_at(&word).unwrap(), "it begins there");
    let gap = newcomer.gap().unwrap();
    assert_eq!((gap.after, gap.until), (word.count, RECORDS));
    let (mut batches, mut after) = (Vec::new(), gap.after);
    while after < gap.until {
        let batch = shelf.audit.lines_after(after, 2_000).unwrap();
        after += batch.lines.lines().count() as u64;
        batches.push(batch);
    }
    assert!(newcomer.fill(&gap, &batches).unwrap());
    assert_eq!(newcomer.verify(&[end]).unwrap().fault, None);
}

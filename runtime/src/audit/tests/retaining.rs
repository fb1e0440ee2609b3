//! Old records are removed only behind an archive that has them, and what is left verifies from there.

use std::path::Path;
use std::time::Duration;

use rules::Command;
use rules::id::{CaseId, NodeId};
use tempfile::TempDir;

use super::{RECORDS, SMALL_BYTES, Story, whole};
use crate::audit::checkpoint::{self, Checkpoint};
use crate::audit::line::{ERASED, FileHead, Kept, hex};
use crate::audit::retain::Keep;
use crate::audit::signers::Authority;
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
    let archive = verify::archive(&keep.archive, &known, &[]).unwrap();
    assert_eq!((archive.fault, archive.first), (None, 1));
    assert_eq!((archive.heads.len(), archive.signed), (1, 0));
    assert_eq!(archive.erased, archive.count, "it holds no salt");
}

/// An archive in which everything from a record on was written anew, so that it all fits.
fn rewrite(archive: &Path, from: u64) {
    let mut before = [0; 32];
    for path in crate::audit::segment::files(archive).unwrap() {
        let text = std::fs::read_to_string(&path).unwrap();
        let (first, _) = FileHead::read(text.lines().next().unwrap()).unwrap();
        let mut new = FileHead::line(first, &before);
        for line in text.lines().skip(1) {
            let kept = Kept::read(line).unwrap();
            let mut record = kept.record.to_owned();
            if kept.number >= from {
                record = record.replace("\"human\":\"ada\"", "\"human\":\"eve\"");
            }
            before = rules::audit::head_after(&before, record.as_bytes());
            let head = hex(&before);
            let frame = [
                "{\"head\":\"",
                &head,
                "\",\"salt\":\"",
                ERASED,
                "\",\"record\":",
            ];
            new += &[&frame.concat(), record.as_str(), "}\n"].concat();
        }
        std::fs::write(&path, new).unwrap();
    }
}

#[test]
fn an_archive_that_was_rewritten_or_cut_is_found_by_what_was_signed_beside_it() {
    let shelf = Shelf::of(RECORDS);
    let keep = shelf.keep(FOR_EVER, u64::MAX);
    let story = &shelf.story;
    // A checkpoint on the way, as nodes make them.
    let middle = story.known_at(20);
    let end = (middle.count, 40, middle.head);
    let signed = Checkpoint::new(NodeId(1), end, clock::wall(), Some(&shelf.keys));
    checkpoint::add(shelf.audit.dir(), &signed).unwrap();
    shelf.retain(&keep, end_of(story)).unwrap();
    shelf.retain(&keep, end_of(story)).unwrap();
    let signers = [shelf.signers()];
    let look = |known: &[Known], signers: &[Signers]| {
        verify::archive(&keep.archive, known, signers).unwrap()
    };
    let whole = look(&[], &signers);
    assert_eq!((whole.fault, whole.signed), (None, 2));
    // Who signs stands beside it, for whoever takes it over.
    let beside = std::fs::read_to_string(keep.archive.join("signers.jsonl")).unwrap();
    let beside: Authority = serde_json::from_str(&beside).unwrap();
    let beside = [beside.signers().unwrap()];
    assert_eq!(look(&[], &beside).signed, 2);
    // What it says of itself is no comparison, and a later head is none either.
    let alone = look(&[story.known()], &[]);
    assert_eq!((alone.fault, alone.signed), (None, 0));
    assert_eq!((alone.heads.len(), alone.behind), (0, vec![story.known()]));
    assert!(whole.count < RECORDS);

    // Without its last file it is shorter than what was signed.
    let last = crate::audit::segment::files(&keep.archive).unwrap();
    let (last, bytes) = (
        last.last().unwrap(),
        std::fs::read(last.last().unwrap()).unwrap(),
    );
    std::fs::remove_file(last).unwrap();
    for known in [&signers[..], &[]] {
        let fault = look(&[], known).fault.unwrap().what;
        assert!(fault.contains("are missing"), "{fault}");
    }
    std::fs::write(last, bytes).unwrap();
    // Written anew, with a word for it that somebody else signed, and with none at all.
    rewrite(&keep.archive, 30);
    let fault = look(&[], &signers).fault.unwrap();
    assert!(fault.what.contains("rewritten"), "{fault:?}");
    assert_eq!(fault.record, 21, "after the last that was signed");
    let kept = keep.archive.join("checkpoints.jsonl");
    let told = std::fs::read_to_string(&kept).unwrap();
    let new = look(&[], &[]);
    let forger = shelf.dir.path().join("forger");
    let forger = Keys::found(&forger, signers[0].cluster(), NodeId(1)).unwrap();
    let end = (new.count, new.index, new.head);
    let forged = Checkpoint::new(NodeId(1), end, clock::wall(), Some(&forger));
    std::fs::write(&kept, "").unwrap();
    checkpoint::add(&keep.archive, &forged).unwrap();
    let fault = look(&[], &signers).fault.unwrap();
    assert!(
        fault.what.contains("not what its node signed"),
        "{told} {fault:?}"
    );
    std::fs::remove_file(&kept).unwrap();
    let bare = look(&[], &signers);
    assert_eq!((bare.fault, bare.signed, bare.heads.len()), (None, 0, 0));
}

#[test]
fn an_export_that_was_forged_as_a_whole_is_never_called_compared() {
    let shelf = Shelf::of(RECORDS);
    let end = shelf.story.known();
    let told = (end.count, 2 * end.count, end.head);
    let signed = Checkpoint::new(NodeId(1), told, clock::wall(), Some(&shelf.keys));
    checkpoint::add(shelf.audit.dir(), &signed).unwrap();
    let path = shelf.dir.path().join("export.jsonl");
    let write = |audit: &Audit| {
        let mut exporting = audit.export(audit.last()).unwrap();
        let mut bytes = Vec::new();
        while let Some(piece) = exporting.next_piece().unwrap() {
            bytes.extend(piece);
        }
        std::fs::write(&path, bytes).unwrap();
    };
    let signers = [shelf.signers()];
    write(&shelf.audit);
    let verified = export::verify(&path, &[], &signers).unwrap();
    assert_eq!((verified.fault, verified.signed), (None, 1));
    assert_eq!(export::verify(&path, &[], &[]).unwrap().signed, 0);

    // Another story of the same length, with the word of somebody who calls himself that node.
    let mut other = Story::of(RECORDS - 1);
    other.hear("eve", Command::ResumeCase { case: CaseId(7) });
    let forgery = other.write_to(&shelf.dir.path().join("forgery"));
    let keys = shelf.dir.path().join("forger");
    let keys = Keys::found(&keys, signers[0].cluster(), NodeId(1)).unwrap();
    let end = other.known();
    let told = (end.count, 2 * end.count, end.head);
    let word = Checkpoint::new(NodeId(1), told, clock::wall(), Some(&keys));
    checkpoint::add(forgery.dir(), &word).unwrap();
    write(&forgery);
    let unknown = export::verify(&path, &[], &[]).unwrap();
    assert_eq!((unknown.fault, unknown.signed), (None, 0));
    assert!(unknown.heads.is_empty(), "what it says of itself");
    let fault = export::verify(&path, &[], &signers).unwrap().fault;
    let what = fault.unwrap().what;
    assert!(what.contains("not what its node signed"), "{what}");
    // Nor does the true node's word stand for it.
    std::fs::write(forgery.dir().join("checkpoints.jsonl"), "").unwrap();
    checkpoint::add(forgery.dir(), &signed).unwrap();
    write(&forgery);
    let fault = export::verify(&path, &[], &[]).unwrap().fault.unwrap();
    assert!(fault.what.contains("says something else"), "{fault:?}");
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
        head: hex(&files[1].before),
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
    let verified = export::verify(&path, &[shelf.story.known()], &[]).unwrap();
    assert_eq!((verified.fault, verified.count), (None, RECORDS));
    let text = String::from_utf8(bytes).unwrap();
    let bare: Vec<&str> = text.split_inclusive('\n').collect();
    let bare = [&bare[..1], &bare[2..]].concat().concat();
    std::fs::write(&path, bare).unwrap();
    let fault = export::verify(&path, &[], &[]).unwrap().fault.unwrap();
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

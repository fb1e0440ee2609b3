//! Files of records: they grow, survive, are read back, are filled from others, and every tampering
//! with them is found at its place.

mod retaining;
mod tampering;

use std::fs;

use rules::attempt::Body;
use rules::audit::Chain;
use rules::case::Brief;
use rules::id::{CaseId, HumanName};
use rules::{Command, Entry, Principal, Proposal, State, demand};
use tempfile::TempDir;

use super::line::Walk;
use super::read::Filter;
use super::*;

/// Small files, so that a few records make several.
const SMALL_BYTES: u64 = 8 * 1024;
/// Records of a folder that is tampered with.
const RECORDS: u64 = 60;

/// A state, and the records that its entries made.
#[derive(Default)]
struct Story {
    state: State,
    records: Vec<Recorded>,
}

impl Story {
    fn of(records: u64) -> Self {
        let mut story = Self::default();
        for number in 0..records {
            let brief = Brief {
                text: Body::Inline(format!("look at \"{number}\"")),
            };
            let (title, case) = (format!("case {number}"), CaseId(number));
            let command = match number % 3 {
                0 => Command::ResumeCase { case },
                _ => Command::OpenCase {
                    team: None,
                    title,
                    brief,
                    attachments: Vec::new(),
                    playbook: None,
                },
            };
            story.hear(if number % 2 == 0 { "ada" } else { "sam" }, command);
        }
        story
    }

    fn hear(&mut self, human: &str, command: Command) {
        let index = self.state.index + 2;
        let principal = Principal::human(HumanName::new(human).unwrap());
        let demands = demand::of_command(&self.state, &principal, &command);
        let decision = demand::decided(&self.state, demands, |_| true);
        let entry = Entry {
            index,
            term: 1,
            elapsed_ms: 10,
            proposal: Proposal {
                request: None,
                principal,
                wall_ms: 1_000 * index,
                command,
                decision: Some(decision),
            }
            .into(),
            salt: [u8::try_from(index % 251).unwrap(); 16],
        };
        let applied = rules::apply(&mut self.state, &entry);
        self.records.extend(applied.recorded);
    }

    fn known(&self) -> Known {
        self.known_at(self.records.len())
    }

    fn known_at(&self, count: usize) -> Known {
        Known {
            count: count as u64,
            head: self.records[count - 1].head,
            whose: format!("the head after {count}"),
        }
    }

    fn write_to(&self, dir: &Path) -> Audit {
        let audit = Audit::open_with(dir, SMALL_BYTES).unwrap();
        self.records.iter().for_each(|record| audit.add(record));
        audit
    }
}

/// All records are there, and come to the state's head.
pub fn is_whole(audit: &Audit, chain: &Chain) {
    let known = Known {
        count: chain.count,
        head: chain.head,
        whose: "the state".to_owned(),
    };
    let verified = audit.verify(&[known]).unwrap();
    assert_eq!((verified.fault, verified.heads.len()), (None, 1));
    assert_eq!(verified.count, chain.count);
}

fn whole(audit: &Audit, story: &Story) {
    let verified = audit.verify(&[story.known()]).unwrap();
    assert_eq!((verified.fault, verified.heads.len()), (None, 1));
    assert_eq!(verified.count, story.records.len() as u64);
}

#[test]
fn records_are_in_files_of_a_bounded_size_and_go_on_after_a_restart() {
    let (dir, story) = (TempDir::new().unwrap(), Story::of(RECORDS));
    let half = story.records.len() / 2;
    let audit = Audit::open_with(dir.path(), SMALL_BYTES).unwrap();
    story.records[..half]
        .iter()
        .for_each(|record| audit.add(record));
    audit.sync().unwrap();
    // A death: what comes again is left, and what follows goes on.
    let audit = story.write_to(dir.path());
    whole(&audit, &story);
    let files = audit.files();
    assert!(files.len() > 3, "{files:?}");
    for file in &files {
        let bytes = fs::metadata(&file.path).unwrap().len();
        assert!(bytes == file.bytes && bytes <= SMALL_BYTES, "{file:?}");
    }
    assert_eq!(audit.gap(), None);
}

#[test]
fn a_death_at_any_byte_leaves_what_a_replay_makes_whole() {
    let (dir, story) = (TempDir::new().unwrap(), Story::of(12));
    let audit = story.write_to(dir.path());
    audit.flush();
    let path = audit.files()[0].path.clone();
    let bytes = fs::read(&path).unwrap();
    for end in (0..bytes.len()).step_by(37) {
        fs::write(&path, &bytes[..end]).unwrap();
        whole(&story.write_to(dir.path()), &story);
    }
}

#[test]
fn the_newest_records_are_read_first_and_by_what_they_speak_of() {
    let (dir, story) = (TempDir::new().unwrap(), Story::of(RECORDS));
    let audit = story.write_to(dir.path());
    let mut filter = Filter::default();
    let mut read = Vec::new();
    loop {
        let page = audit.page(&filter, 7, &|_| None).unwrap();
        read.extend(page.rows.iter().map(|row| row.told.n));
        filter.before = page.next;
        if page.next.is_none() {
            break;
        }
    }
    let all: Vec<u64> = (1..=RECORDS).rev().collect();
    assert_eq!(read, all);
    let of = |filter: Filter| {
        let rows = audit.page(&filter, 1000, &|_| None).unwrap().rows;
        rows.into_iter().map(|row| row.told).collect::<Vec<_>>()
    };
    let sams = of(Filter {
        human: Some("sam".to_owned()),
        ..Filter::default()
    });
    assert_eq!(sams.len() as u64, RECORDS / 2);
    let of_case = of(Filter {
        case: Some("c-3".to_owned()),
        ..Filter::default()
    });
    let commands: Vec<&str> = of_case.iter().map(|told| told.command.as_str()).collect();
    assert_eq!(commands, ["open_case", "resume_case"]);
    assert_eq!(of_case[1].verdict["rejected"], "no_case");
    let late = of(Filter {
        since_ms: 100_000,
        until_ms: Some(110_000),
        ..Filter::default()
    });
    assert_eq!(late.len(), 5);
}

#[test]
fn a_gap_is_filled_with_what_leads_to_the_head_behind_it_and_with_nothing_else() {
    let (dir, story) = (TempDir::new().unwrap(), Story::of(RECORDS));
    let elsewhere = TempDir::new().unwrap();
    let other = story.write_to(elsewhere.path());
    let audit = Audit::open_with(dir.path(), SMALL_BYTES).unwrap();
    story.records[..5]
        .iter()
        .for_each(|record| audit.add(record));
    story.records[40..50]
        .iter()
        .for_each(|record| audit.add(record));
    let gap = audit.gap().unwrap();
    assert_eq!((gap.after, gap.until), (5, 40));
    let fault = audit.verify(&[]).unwrap().fault.unwrap();
    assert_eq!(fault.what, "records 6 to 40 are missing");
    let batches = |after: u64| {
        let mut batches: Vec<Batch> = Vec::new();
        let mut after = after;
        while after < 40 {
            let batch = other.lines_after(after, 2_000).unwrap();
            after += batch.lines.lines().count() as u64;
            batches.push(batch);
        }
        batches
    };
    assert!(!audit.fill(&gap, &[]).unwrap());
    assert!(!audit.fill(&gap, &batches(6)).unwrap(), "one is missing");
    let mut altered = batches(5);
    altered[1].lines = altered[1].lines.replacen("\"ada\"", "\"eve\"", 1);
    assert!(!audit.fill(&gap, &altered).unwrap());
    assert!(audit.fill(&gap, &batches(5)).unwrap());
    assert_eq!(audit.gap(), None);
    story.records[50..]
        .iter()
        .for_each(|record| audit.add(record));
    whole(&audit, &story);
    whole(&Audit::open_with(dir.path(), SMALL_BYTES).unwrap(), &story);
}

#[test]
fn a_salt_can_be_erased_and_nothing_else() {
    let (dir, story) = (TempDir::new().unwrap(), Story::of(6));
    let audit = story.write_to(dir.path());
    audit.flush();
    let path = audit.files()[0].path.clone();
    let text = fs::read_to_string(&path).unwrap();
    let salt = line::hex(&story.records[2].salt);
    fs::write(&path, text.replace(&salt, line::ERASED)).unwrap();
    let verified = audit.verify(&[story.known()]).unwrap();
    assert_eq!((verified.fault, verified.erased), (None, 1));
}

#[test]
fn a_walk_through_an_empty_chain_stands_at_its_beginning() {
    assert_eq!(Walk::before(1, [0; 32]), Walk::default());
    let dir = TempDir::new().unwrap();
    let audit = Audit::open_with(dir.path(), SMALL_BYTES).unwrap();
    assert_eq!(audit.verify(&[]).unwrap().count, 0);
    assert_eq!((audit.last(), audit.gap()), ((0, [0; 32]), None));
    audit.expect(3, [9; 32]);
    assert_eq!(audit.gap().map(|gap| gap.until), Some(3));
}

#[test]
fn salts_of_a_case_are_erased_in_every_file_and_the_chain_verifies_as_before() {
    let (dir, story) = (TempDir::new().unwrap(), Story::of(RECORDS));
    let audit = story.write_to(dir.path());
    let cases = [CaseId(3), CaseId(45)].into();
    let speaks = |record: &&Recorded| {
        record.line.contains("\"cases\":[\"c-3\"]") || record.line.contains("\"cases\":[\"c-45\"]")
    };
    let wanted = story.records.iter().filter(speaks).count() as u64;
    assert!(wanted >= 3, "{wanted}");
    assert_eq!(audit.erase(&cases).unwrap(), wanted);
    assert_eq!(audit.erase(&cases).unwrap(), 0, "done once");
    // What comes afterwards goes on in the file that was replaced.
    let mut story = story;
    let resumed = story.records.len();
    story.hear("ada", Command::ResumeCase { case: CaseId(7) });
    audit.add(&story.records[resumed]);
    let verified = audit.verify(&[story.known()]).unwrap();
    assert_eq!((verified.fault, verified.erased), (None, wanted));
    let rows = audit
        .page(&Filter::default(), 1000, &|_| None)
        .unwrap()
        .rows;
    for row in rows {
        let is_erased = row
            .told
            .subjects
            .get("cases")
            .is_some_and(|names| names.iter().any(|name| name == "c-3" || name == "c-45"));
        assert_eq!(row.salt.is_none(), is_erased, "{:?}", row.told);
    }
    let audit = Audit::open_with(dir.path(), SMALL_BYTES).unwrap();
    assert_eq!(audit.last().0, story.records.len() as u64);
}

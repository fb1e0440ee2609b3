//! What the record costs each entry: reading it off the command, the chain, and the file.
//!
//! # Why
//! In this process and on no node: it is what is added to the applying of an entry, some microseconds,
//! which no measurement from outside would tell from the rest.

use rules::attempt::Body;
use rules::audit::append;
use rules::case::Brief;
use rules::id::{CaseId, HumanName, TeamName};
use rules::{Command, Entry, Outcome, Principal, Proposal, State};
use runtime::audit::Audit;
use runtime::clock;

use super::BenchError;
use super::own_node::Ground;
use super::sheet::{Figure, Limit, Sheet};
use super::statistics::as_f64;

/// A brief as people write them: half a screen.
const BRIEF_BYTES: usize = 600;

/// Measures so many records.
pub async fn run(ground: &Ground, records: u64) -> Result<Sheet, BenchError> {
    let folder = ground.folder.clone();
    let measuring = tokio::task::spawn_blocking(move || measure(&folder, records.max(1)));
    measuring.await.map_err(|error| BenchError::task(&error))?
}

fn measure(folder: &std::path::Path, records: u64) -> Result<Sheet, BenchError> {
    let place = tempfile::Builder::new()
        .prefix("domo-audit-")
        .tempdir_in(folder);
    let place = place.map_err(BenchError::io(folder.display()))?;
    let audit = Audit::open(place.path()).map_err(BenchError::io(place.path().display()))?;
    let mut state = State::default();
    let mut entry = opening();
    let began = clock::boot_us();
    for number in 0..records {
        step(&mut state, &mut entry, number);
    }
    let chain_us = clock::boot_us() - began;
    let mut state = State::default();
    let began = clock::boot_us();
    for number in 0..records {
        if let Some(recorded) = step(&mut state, &mut entry, number) {
            audit.add(&recorded);
        }
    }
    let whole_us = clock::boot_us() - began;
    let began = clock::boot_us();
    let verified = audit
        .verify(&[])
        .map_err(BenchError::io(place.path().display()))?;
    let verify_us = clock::boot_us() - began;
    if let Some(fault) = verified.fault {
        return Err(BenchError::Ended(fault.what));
    }
    let mut sheet = Sheet::new("audit");
    sheet.under(format!(
        "{records} records of opened cases with briefs of {BRIEF_BYTES} bytes, in {}",
        folder.display()
    ));
    let each = |us: u64| as_f64(us) * 1e3 / as_f64(records);
    sheet.add(Figure::new("reading and chaining", each(chain_us), "ns"));
    let append = Figure::new("append, with its file", each(whole_us), "ns");
    sheet.add(
        append
            .gate(Limit::AtMost(20_000.0))
            .aim(Limit::AtMost(5_000.0)),
    );
    sheet.add(Figure::new("verifying", each(verify_us), "ns"));
    let bytes: u64 = audit.files().iter().map(|file| file.bytes).sum();
    let bytes = as_f64(bytes) / as_f64(records);
    sheet.add(Figure::new("a record", bytes, "bytes"));
    Ok(sheet)
}

fn opening() -> Entry {
    let human = HumanName::new("ada").expect("`ada` is a name");
    Entry {
        index: 0,
        term: 1,
        elapsed_ms: 3,
        proposal: Proposal {
            request: None,
            principal: Principal::human(human),
            wall_ms: 1_700_000_000_000,
            command: Command::OpenCase {
                team: TeamName::new("sre").ok(),
                title: "pod mse-gateway-0 is Pending".to_owned(),
                brief: Brief {
                    text: Body::Inline("b".repeat(BRIEF_BYTES)),
                },
                attachments: Vec::new(),
                playbook: None,
            },
            decision: None,
        }
        .into(),
        salt: [7; 16],
    }
}

fn step(state: &mut State, entry: &mut Entry, number: u64) -> Option<rules::audit::Recorded> {
    entry.index = number + 1;
    append(state, entry, &Ok(Outcome::Opened(CaseId(number + 1))))
}

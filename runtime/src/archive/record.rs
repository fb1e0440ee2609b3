//! A closed case in the store: its pieces, its summary, and its place among its team's.

use rules::case::Case;
use rules::id::{CaseId, TeamName};

use super::{ArchiveError, CaseSummary, NEWEST_FIRST, STANDING, Standing};
use crate::codec::{self, CodecError};
use crate::store::{Batch, Order, Space, Store};

/// One piece of a case: a batch holds it with room to spare.
const PIECE_BYTES: usize = 256 * 1024;
/// Pieces that are read in one go.
const PIECES: usize = 16;

/// The batches that archive a case: with the second, a single one, it can be found.
pub(super) fn put(case: &Case) -> Result<(Vec<Batch>, Batch), CodecError> {
    let body = codec::encode_body(case)?;
    let pieces: Vec<&[u8]> = body.chunks(PIECE_BYTES).collect();
    let count = u32::try_from(pieces.len()).unwrap_or(u32::MAX);
    let mut batches = Vec::new();
    let mut batch = Batch::default();
    for (number, piece) in (0..count).zip(pieces) {
        if number > 0 {
            batches.push(std::mem::take(&mut batch));
        }
        let piece = [&count.to_le_bytes(), piece].concat();
        let sealed = codec::seal(codec::CASE_PIECE, &piece)?;
        batch.put(Space::Case, piece_key(case.id, number), sealed);
    }
    if let Some(summary) = CaseSummary::of(case) {
        put_summary(&mut batch, &summary)?;
    }
    Ok((batches, batch))
}

/// The batch that has a case be this one from now on; none where it is too large for a single one.
pub(super) fn replace(case: &Case) -> Result<Option<Batch>, CodecError> {
    let (pieces, mut last) = put(case)?;
    if !pieces.is_empty() {
        return Ok(None);
    }
    let next = CaseId(case.id.0 + 1);
    last.delete_range(Space::Case, piece_key(case.id, 1), key(next));
    Ok(Some(last))
}

/// The batch that takes away what stands behind an erased case's one piece; none where nothing does.
pub(super) fn leftovers(store: &Store, id: CaseId) -> Result<Option<Batch>, ArchiveError> {
    let (from, until) = (piece_key(id, 1), key(CaseId(id.0.wrapping_add(1))));
    let pairs = store.range(Space::Case, &from, Some(&until), Order::Ascending, 1)?;
    if pairs.is_empty() {
        return Ok(None);
    }
    let mut batch = Batch::default();
    batch.delete_range(Space::Case, from, until);
    Ok(Some(batch))
}

/// Puts a case on the lists.
pub(super) fn put_summary(batch: &mut Batch, case: &CaseSummary) -> Result<(), CodecError> {
    let sealed = codec::encode(codec::CASE_SUMMARY, case)?;
    batch.put(Space::Summary, key(case.id), sealed);
    if let Some(team) = &case.team {
        batch.put(Space::Team, team_key(team, case.id), Vec::new());
    }
    Ok(())
}

/// Takes a case out of the archive.
pub(super) fn delete(batch: &mut Batch, case: &CaseSummary) {
    let next = CaseId(case.id.0 + 1);
    batch.delete_range(Space::Case, key(case.id), key(next));
    batch.delete(Space::Summary, key(case.id));
    if let Some(team) = &case.team {
        batch.delete(Space::Team, team_key(team, case.id));
    }
}

/// A whole case; none for one that is on no list, whatever is left of its pieces.
pub(super) fn case(store: &Store, id: CaseId) -> Result<Option<Case>, ArchiveError> {
    if !is_listed(store, id)? {
        return Ok(None);
    }
    let mut body = Vec::new();
    let mut expected = 0;
    let mut number = 0;
    while number == 0 || number < expected {
        let (from, until) = (piece_key(id, number), key(CaseId(id.0.wrapping_add(1))));
        let pairs = store.range(Space::Case, &from, Some(&until), Order::Ascending, PIECES)?;
        if pairs.is_empty() {
            break;
        }
        for (key, sealed) in pairs {
            if number > 0 && number == expected {
                // What stands behind the last piece is of what the case was before it was erased.
                break;
            }
            let piece = codec::open(codec::CASE_PIECE, &sealed).map_err(|error| bad(id, &error))?;
            let (count, piece) = piece
                .split_first_chunk::<4>()
                .ok_or_else(|| damaged(id, "a piece is empty".to_owned()))?;
            if key != piece_key(id, number) {
                return Err(damaged(id, format!("piece {number} is missing")));
            }
            (expected, number) = (u32::from_le_bytes(*count), number + 1);
            body.extend(piece);
        }
    }
    if number == 0 || number != expected {
        return Err(damaged(id, format!("it has {number} of {expected} pieces")));
    }
    let case: Case = codec::decode_body(&body).map_err(|error| bad(id, &error))?;
    if case.id != id {
        return Err(damaged(id, format!("its pieces are those of {}", case.id)));
    }
    Ok(Some(case))
}

/// Whether a case can be found.
pub(super) fn is_listed(store: &Store, id: CaseId) -> Result<bool, ArchiveError> {
    Ok(store.get(Space::Summary, &key(id))?.is_some())
}

/// The summary of a case; none for one that is on no list.
pub(super) fn summary_of(store: &Store, id: CaseId) -> Result<Option<CaseSummary>, ArchiveError> {
    let sealed = store.get(Space::Summary, &key(id))?;
    sealed.map(|sealed| summary(&key(id), &sealed)).transpose()
}

/// Summaries below `before`, the newest first.
pub(super) fn page(
    store: &Store,
    before: CaseId,
    limit: usize,
) -> Result<Vec<CaseSummary>, ArchiveError> {
    let pairs = store.range(Space::Summary, &[], Some(&key(before)), NEWEST_FIRST, limit)?;
    pairs
        .iter()
        .map(|(key, sealed)| summary(key, sealed))
        .collect()
}

/// Summaries of one team's cases below `before`, the newest first.
pub(super) fn page_of_team(
    store: &Store,
    team: &TeamName,
    before: CaseId,
    limit: usize,
) -> Result<Vec<CaseSummary>, ArchiveError> {
    let (from, until) = (team_key(team, CaseId(0)), team_key(team, before));
    let pairs = store.range(Space::Team, &from, Some(&until), NEWEST_FIRST, limit)?;
    let mut found = Vec::new();
    for (team_key, _) in pairs {
        let id = id_at_end(&team_key);
        let sealed = store.get(Space::Summary, &key(id))?;
        let sealed = sealed.ok_or_else(|| damaged(id, "its summary is missing".to_owned()))?;
        found.push(summary(&key(id), &sealed)?);
    }
    Ok(found)
}

/// The summaries with the smallest numbers.
pub(super) fn oldest(store: &Store, limit: usize) -> Result<Vec<CaseSummary>, ArchiveError> {
    let pairs = store.range(Space::Summary, &[], None, Order::Ascending, limit)?;
    pairs
        .iter()
        .map(|(key, sealed)| summary(key, sealed))
        .collect()
}

/// How far the archive is.
pub(super) fn standing(store: &Store) -> Result<Standing, ArchiveError> {
    let (space, key) = STANDING;
    let Some(sealed) = store.get(space, key)? else {
        return Ok(Standing::default());
    };
    codec::decode(codec::ARCHIVE, &sealed).map_err(|error| ArchiveError::Unreadable {
        why: format!("its standing: {error}"),
    })
}

/// Writes down how far the archive is.
pub(super) fn put_standing(batch: &mut Batch, standing: &Standing) -> Result<(), CodecError> {
    let (space, key) = STANDING;
    batch.put(space, key, codec::encode(codec::ARCHIVE, standing)?);
    Ok(())
}

fn summary(key: &[u8], sealed: &[u8]) -> Result<CaseSummary, ArchiveError> {
    let id = id_at_end(key);
    let summary: CaseSummary =
        codec::decode(codec::CASE_SUMMARY, sealed).map_err(|error| bad(id, &error))?;
    if summary.id != id {
        return Err(damaged(
            id,
            format!("its summary is that of {}", summary.id),
        ));
    }
    Ok(summary)
}

fn key(id: CaseId) -> Vec<u8> {
    id.0.to_be_bytes().to_vec()
}

fn piece_key(id: CaseId, number: u32) -> Vec<u8> {
    [id.0.to_be_bytes().as_slice(), &number.to_be_bytes()].concat()
}

/// Names hold no byte below `-`, so no team's keys lie among another's.
fn team_key(team: &TeamName, id: CaseId) -> Vec<u8> {
    [team.as_str().as_bytes(), &[0], &id.0.to_be_bytes()].concat()
}

pub(super) fn id_at_end(key: &[u8]) -> CaseId {
    let id = key.last_chunk::<8>().copied().unwrap_or_default();
    CaseId(u64::from_be_bytes(id))
}

fn bad(case: CaseId, error: &CodecError) -> ArchiveError {
    damaged(case, error.to_string())
}

pub(super) fn damaged(case: CaseId, why: String) -> ArchiveError {
    ArchiveError::Damaged { case, why }
}

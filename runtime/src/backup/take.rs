//! Taking a backup: the state as it is now, then the closed cases and posts that it counts, then
//! their blobs.

use std::collections::BTreeSet;
use std::io::{self, Read as _};
use std::sync::Arc;

use rules::id::{BlobRef, CaseId};
use rules::room::{Post, Rooms, Shelved};
use rules::{State, blobs as named};
use sha2::{Digest as _, Sha256};
use tokio::sync::mpsc;

use super::write::{Writer, unwritten};
use super::{BackupError, Head, PIECE_BYTES, failed, forms};
use crate::archive::{Archive, CaseSummary, Filter};
use crate::audit::begin;
use crate::blob::{BlobError, Blobs};
use crate::ledger::Ledger;
use crate::{clock, codec};

/// Closed cases whose summaries are read at once.
const PAGE: usize = 256;
/// Posts that are read, and written, at once.
const POSTS: usize = 64;

/// What the state says of the rest.
struct Picture {
    head: Head,
    body: Vec<u8>,
    open: BTreeSet<CaseId>,
    next_case: CaseId,
    closed: u64,
    blobs: BTreeSet<BlobRef>,
    rooms: Rooms,
    /// How many records its chain has.
    records: u64,
}

/// Writes a backup of what this node has applied; what goes wrong is told in it too.
pub async fn take(
    ledger: &Ledger,
    blobs: &Blobs,
    cluster: &str,
    release: &str,
    to: mpsc::Sender<Vec<u8>>,
) -> Result<(), BackupError> {
    let picture = {
        let (ledger, cluster, release) = (ledger.clone(), cluster.to_owned(), release.to_owned());
        let pictured = tokio::task::spawn_blocking(move || picture(&ledger, cluster, release));
        pictured.await.map_err(broke_off)??
    };
    let mut writer = Writer::begin(to, &picture.head).await?;
    match all(ledger, blobs, picture, &mut writer).await {
        Ok(()) => writer.end().await,
        Err(error) => {
            writer.broken(&error).await;
            Err(error)
        }
    }
}

fn picture(ledger: &Ledger, cluster: String, release: String) -> Result<Picture, BackupError> {
    let (term, body) = ledger.picture().map_err(unwritten)?;
    let state: State = codec::decode_body(&body).map_err(unwritten)?;
    Ok(Picture {
        head: Head {
            cluster,
            index: state.index,
            term,
            taken_wall_ms: clock::wall().0,
            release,
            forms: forms(),
        },
        open: state.cases.keys().copied().collect(),
        next_case: state.next_case,
        closed: state.closed_cases,
        records: state.audit.count,
        blobs: named::of_state(&state).into_iter().collect(),
        rooms: state.rooms,
        body,
    })
}

async fn all(
    ledger: &Ledger,
    blobs: &Blobs,
    picture: Picture,
    writer: &mut Writer,
) -> Result<(), BackupError> {
    let wants = picture.closed.min(ledger.archived_cases());
    let has = ledger.archive().count();
    if has < wants {
        let what = "closed cases";
        return Err(BackupError::Lacking { what, has, wants });
    }
    let (has, wants) = (ledger.archive().post_count(), picture.rooms.shelved);
    if has < wants {
        let what = "archived posts";
        return Err(BackupError::Lacking { what, has, wants });
    }
    writer.state(&picture.body).await?;
    let mut wanted = picture.blobs;
    let mut filter = Filter {
        before: Some(picture.next_case),
        ..Filter::default()
    };
    loop {
        let page = look(ledger, move |archive| archive.list(&filter, PAGE)).await?;
        let Some(last) = page.last() else { break };
        filter = Filter {
            before: Some(last.id),
            ..Filter::default()
        };
        for CaseSummary { id, .. } in page {
            if picture.open.contains(&id) {
                // It was closed since.
                continue;
            }
            // It may have been forgotten since.
            if let Some(case) = look(ledger, move |archive| archive.case(id)).await? {
                wanted.extend(named::of_case(&case));
                let body = codec::encode_body(&case).map_err(unwritten)?;
                writer.case(id, &body).await?;
            }
        }
    }
    put_posts(ledger, &picture.rooms, &mut wanted, writer).await?;
    for blob in wanted {
        put_blob(blobs, blob, writer).await?;
    }
    put_records(ledger, picture.records, writer).await
}

/// Writes the posts that had left the state then.
async fn put_posts(
    ledger: &Ledger,
    rooms: &Rooms,
    wanted: &mut BTreeSet<BlobRef>,
    writer: &mut Writer,
) -> Result<(), BackupError> {
    let kept = rooms.rooms.values().flat_map(|room| &room.posts);
    let kept: BTreeSet<u64> = kept.map(|post| post.number).collect();
    look(ledger, Archive::flush).await?;
    let mut place = Vec::new();
    loop {
        let page = look(ledger, move |archive| archive.posts_behind(&place, POSTS)).await?;
        let Some((last, _)) = page.last() else {
            return Ok(());
        };
        place = last.clone();
        // Others were said, or left the state, since.
        let had_left = |post: &Post| post.number <= rooms.last_post && !kept.contains(&post.number);
        let posts = page.into_iter().map(|(_, shelved)| shelved);
        let posts: Vec<Shelved> = posts.filter(|one| had_left(&one.post)).collect();
        if posts.is_empty() {
            continue;
        }
        wanted.extend(named::of_posts(posts.iter().map(|one| &one.post)));
        let body = codec::encode_body(&posts).map_err(unwritten)?;
        writer.posts(&body).await?;
    }
}

/// Writes the records that lead to the state's head.
async fn put_records(ledger: &Ledger, until: u64, writer: &mut Writer) -> Result<(), BackupError> {
    let mut after = 0;
    while after < until {
        let audit = Arc::clone(ledger.audit());
        let read = tokio::task::spawn_blocking(move || audit.lines_after(after, PIECE_BYTES));
        let read = read.await.map_err(broke_off)?;
        let batch = read.map_err(failed("read the records"))?;
        if let Some(begins) = batch.begins.filter(|_| after == 0) {
            // The oldest are in an archive: the node's word stands for them.
            after = begins.count;
            writer.records(&begin::told(&begins)).await?;
            continue;
        }
        let wanted = usize::try_from(until - after).unwrap_or(usize::MAX);
        let lines: Vec<&str> = batch.lines.split_inclusive('\n').take(wanted).collect();
        if lines.is_empty() {
            tracing::warn!(
                after,
                until,
                "records are missing here: the backup goes without them"
            );
            return Ok(());
        }
        after += lines.len() as u64;
        writer.records(&lines.concat()).await?;
    }
    Ok(())
}

async fn look<T: Send + 'static>(
    ledger: &Ledger,
    look: impl FnOnce(&Archive) -> Result<T, crate::archive::ArchiveError> + Send + 'static,
) -> Result<T, BackupError> {
    let ledger = ledger.clone();
    let looked = tokio::task::spawn_blocking(move || look(ledger.archive())).await;
    Ok(looked.map_err(broke_off)??)
}

/// Writes a blob if some node has it whole.
async fn put_blob(blobs: &Blobs, blob: BlobRef, writer: &mut Writer) -> Result<(), BackupError> {
    if blobs.bring(&blob).await.is_err() || !is_whole(blobs, blob).await? {
        tracing::warn!(%blob, "a blob is named and not to be found: the backup goes without it");
        return writer.missing(blob).await;
    }
    writer.blob(blob).await?;
    let mut file = blobs.file(&blob)?;
    let mut left = blob.bytes;
    while left > 0 {
        let most = usize::try_from(left).map_or(PIECE_BYTES, |left| left.min(PIECE_BYTES));
        let (kept, piece) = tokio::task::spawn_blocking(move || {
            let mut piece = vec![0; most];
            let read = file.read_exact(&mut piece);
            read.map(|()| (file, piece))
        })
        .await
        .map_err(broke_off)?
        .map_err(failed(format!("read blob {blob}")))?;
        file = kept;
        left -= piece.len() as u64;
        writer.piece(&piece).await?;
    }
    Ok(())
}

/// Whether a blob's bytes are those of its name.
async fn is_whole(blobs: &Blobs, blob: BlobRef) -> Result<bool, BackupError> {
    let blobs = blobs.clone();
    let compared = tokio::task::spawn_blocking(move || -> Result<bool, BlobError> {
        let mut file = blobs.file(&blob)?;
        let (mut digest, mut chunk, mut bytes) = (Sha256::new(), vec![0; PIECE_BYTES], 0_u64);
        loop {
            match file.read(&mut chunk) {
                Ok(0) => break,
                Ok(read) => {
                    digest.update(&chunk[..read]);
                    bytes += read as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return Ok(false),
            }
        }
        Ok(bytes == blob.bytes && digest.finalize()[..] == blob.sha256)
    });
    Ok(compared.await.map_err(broke_off)??)
}

fn broke_off(error: tokio::task::JoinError) -> BackupError {
    failed("go on with the backup")(io::Error::other(error))
}

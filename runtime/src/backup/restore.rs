//! Restoring: a backup becomes the ledger and the blobs of a new folder.

use std::path::{Path, PathBuf};

use rules::State;
use rules::case::Case;
use rules::id::BlobRef;
use rules::room::Shelved;

use super::write::unwritten;
use super::{BackupError, Contents, Taker, failed, read};
use crate::audit::{Audit, Batch, SEGMENT_BYTES, begin};
use crate::blob::{BlobWriter, Blobs};
use crate::codec;
use crate::ledger::{Laying, OpenOptions, Origin};

/// Blobs of a backup are kept whatever the settings of its new node say of size.
const NO_LIMIT: u64 = u64::MAX;

/// Writes what a backup holds into the ledger that `options` speak of and into a folder of blobs;
/// both must be new. Blocks.
pub fn restore(
    path: &Path,
    options: &OpenOptions,
    blobs: PathBuf,
) -> Result<Contents, BackupError> {
    let mut into = Into {
        laying: Laying::begin(options)?,
        blobs: Blobs::open(blobs, NO_LIMIT)?,
        state: Vec::new(),
        writer: None,
        audit: Audit::open(&options.audit).map_err(failed("open the records"))?,
        records: Vec::new(),
    };
    let contents = read(path, &mut into)?;
    into.fill()?;
    into.laying.end(Origin {
        index: contents.head.index,
        term: contents.head.term,
        state: &into.state,
    })?;
    Ok(contents)
}

/// Where it goes.
struct Into {
    laying: Laying,
    blobs: Blobs,
    state: Vec<u8>,
    writer: Option<BlobWriter>,
    audit: Audit,
    /// Records that are not in files yet.
    records: Vec<Batch>,
}

impl Into {
    /// Writes the records that were gathered.
    fn fill(&mut self) -> Result<(), BackupError> {
        let records = std::mem::take(&mut self.records);
        let Some(gap) = self.audit.gap().filter(|_| !records.is_empty()) else {
            return Ok(());
        };
        let filled = self.audit.fill(&gap, &records);
        if !filled.map_err(failed("write the records"))? {
            tracing::warn!(?gap, "the records of the backup do not lead to its head");
        }
        Ok(())
    }
}

impl Taker for Into {
    fn state(&mut self, body: Vec<u8>) -> Result<(), BackupError> {
        let state: State = codec::decode_body(&body).map_err(unwritten)?;
        self.audit.expect(state.audit.count, state.audit.head);
        self.state = body;
        Ok(())
    }

    fn records(&mut self, lines: String) -> Result<(), BackupError> {
        if let Some(word) = begin::heard(&lines) {
            let begun = self.audit.begin_at(&word);
            return begun
                .map(drop)
                .map_err(failed("write where the records begin"));
        }
        let begins = None;
        self.records.push(Batch { lines, begins });
        let bytes: usize = self.records.iter().map(|batch| batch.lines.len()).sum();
        if bytes as u64 >= SEGMENT_BYTES {
            self.fill()?;
        }
        Ok(())
    }

    fn case(&mut self, case: Case) -> Result<(), BackupError> {
        Ok(self.laying.case(&case)?)
    }

    fn posts(&mut self, posts: Vec<Shelved>) -> Result<(), BackupError> {
        Ok(self.laying.posts(&posts)?)
    }

    fn begin_blob(&mut self, _blob: BlobRef) -> Result<(), BackupError> {
        self.writer = Some(self.blobs.writer()?);
        Ok(())
    }

    fn piece(&mut self, piece: &[u8]) -> Result<(), BackupError> {
        if let Some(writer) = &mut self.writer {
            writer.write(piece)?;
        }
        Ok(())
    }

    fn end_blob(&mut self, blob: BlobRef) -> Result<(), BackupError> {
        if let Some(writer) = self.writer.take() {
            writer.finish_as(&blob)?;
        }
        Ok(())
    }
}

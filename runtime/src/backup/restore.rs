//! Restoring: a backup becomes the ledger and the blobs of a new folder.

use std::path::{Path, PathBuf};

use rules::case::Case;
use rules::id::BlobRef;

use super::{BackupError, Contents, Taker, read};
use crate::blob::{BlobWriter, Blobs};
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
    };
    let contents = read(path, &mut into)?;
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
}

impl Taker for Into {
    fn state(&mut self, body: Vec<u8>) -> Result<(), BackupError> {
        self.state = body;
        Ok(())
    }

    fn case(&mut self, case: Case) -> Result<(), BackupError> {
        Ok(self.laying.case(&case)?)
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

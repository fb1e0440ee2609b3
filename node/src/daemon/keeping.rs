//! What a node keeps, within the limits of its settings.

use actors::Keeps;
use config::settings::Settings;
use runtime::blob::{BlobError, Blobs};

/// Opens the blobs; inside a tokio runtime.
pub(super) fn open_blobs(settings: &Settings) -> Result<Blobs, BlobError> {
    let blobs = Blobs::open(settings.node.data.join("blobs"), settings.limits.blob_bytes)?;
    blobs.bound(settings.limits.blobs_bytes);
    let counting = blobs.clone();
    // What cannot be counted now is counted at the first put, which says why not.
    tokio::task::spawn_blocking(move || counting.count());
    Ok(blobs)
}

/// What ended attempts may leave.
pub(super) fn of_ended(settings: &Settings) -> Keeps {
    Keeps {
        bytes: settings.limits.spools_bytes,
        age_ms: settings.limits.spools_ms,
    }
}

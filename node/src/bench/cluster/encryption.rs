//! P12: what the encryption between nodes takes, on a log of three nodes with nothing around it.
//!
//! ```text
//! leader ── append, 1 KiB ──► two followers: write, fdatasync
//!    └ write, fdatasync   ◄── answer, 64 bytes ──┘
//! ```
//!
//! # Why
//! Nothing but the line and the disk takes time here, so that a whole case, which has rules, people
//! and agents besides, feels less of it. Both kinds are measured in turns, since a disk and a
//! neighbour change with the minute.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::Arc;

use runtime::clock;
use runtime::links::{Keys, bare};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::bench::BenchError;
use crate::bench::own_node::Ground;
use crate::bench::sheet::{Figure, Limit, Sheet};
use crate::bench::statistics::{Samples, per};

/// How often both kinds are measured, in turns.
const TURNS: usize = 20;
/// Commits of one turn.
const COMMITS: usize = 200;
/// What is sent for one: an entry of a case with its frame, and then some.
const APPEND_BYTES: usize = 1024;
/// What is answered.
const ANSWER_BYTES: usize = 64;
/// What each node writes for one.
const ENTRY_BYTES: usize = 512;
/// Each log's file, written over in a ring.
const RING_BYTES: u64 = 1 << 20;

/// Measures commits with and without encryption.
pub(super) async fn measure(ground: &Ground, sheet: &mut Sheet) -> Result<(), BenchError> {
    let place = tempfile::tempdir_in(&ground.folder);
    let place = place.map_err(BenchError::io(ground.folder.display()))?;
    let measured = commits(place.path()).await;
    let [plain, encrypted] = measured.map_err(BenchError::io("connections over loopback"))?;
    let name = "P12 a commit on three logs";
    let ms = |what: &str, samples: &Samples| {
        Figure::new(format!("{name}, {what}, p50"), samples.p50_ms(), "ms")
    };
    sheet.add(ms("without TLS", &plain));
    sheet.add(ms("with TLS", &encrypted));
    let slower = (per(encrypted.p50_ms(), plain.p50_ms()) - 1.0) * 100.0;
    let slower = Figure::new(format!("{name}, slower with TLS"), slower, "%");
    sheet.add(slower.gate(Limit::AtMost(15.0)).aim(Limit::AtMost(5.0)));
    Ok(())
}

async fn commits(folder: &Path) -> io::Result<[Samples; 2]> {
    let keys = bare::keys(folder, 3)?;
    let mut took = [Vec::new(), Vec::new()];
    for turn in 0..2 * TURNS {
        let kind = turn % 2;
        let keys = (kind == 1).then_some(keys.as_slice());
        took[kind].extend(turn_of(folder, keys).await?);
    }
    Ok(took.map(Samples::new))
}

/// One turn: two followers, a leader, and how long each commit took, in microseconds.
async fn turn_of(folder: &Path, keys: Option<&[Arc<Keys>]>) -> io::Result<Vec<u64>> {
    let mut lines = Vec::new();
    let mut followers = Vec::new();
    for number in 1..=2 {
        let (leader, mut follower) = match keys {
            Some(keys) => bare::encrypted(&keys[0], &keys[number]).await?,
            None => bare::plain().await?,
        };
        let mut log = Log::open(&folder.join(format!("follower-{number}")))?;
        lines.push(leader);
        followers.push(tokio::spawn(async move {
            let mut append = [0; APPEND_BYTES];
            for _ in 0..COMMITS {
                follower.read_exact(&mut append).await?;
                log = log.append().await?;
                follower.write_all(&[1; ANSWER_BYTES]).await?;
                follower.flush().await?;
            }
            Ok::<_, io::Error>(())
        }));
    }
    let mut log = Log::open(&folder.join("leader"))?;
    let mut took = Vec::with_capacity(COMMITS);
    for _ in 0..COMMITS {
        let began = clock::boot_us();
        for line in &mut lines {
            line.write_all(&[2; APPEND_BYTES]).await?;
            line.flush().await?;
        }
        log = log.append().await?;
        let mut answer = [0; ANSWER_BYTES];
        for line in &mut lines {
            line.read_exact(&mut answer).await?;
        }
        took.push(clock::boot_us() - began);
    }
    for follower in followers {
        follower.await.map_err(io::Error::other)??;
    }
    Ok(took)
}

/// A log that has been written through once.
struct Log {
    file: File,
    at: u64,
}

impl Log {
    fn open(path: &Path) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        let file = options.read(true).write(true).create(true).open(path)?;
        if file.metadata()?.len() < RING_BYTES {
            file.write_all_at(&vec![0; usize::try_from(RING_BYTES).unwrap_or(0)], 0)?;
            file.sync_all()?;
        }
        Ok(Self { file, at: 0 })
    }

    async fn append(mut self) -> io::Result<Self> {
        let written = tokio::task::spawn_blocking(move || {
            self.file.write_all_at(&[3; ENTRY_BYTES], self.at)?;
            self.file.sync_data()?;
            self.at = (self.at + ENTRY_BYTES as u64) % RING_BYTES;
            Ok(self)
        });
        written.await.map_err(io::Error::other)?
    }
}

//! What this disk and these cores allow: the bound beside which every durable figure is shown.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::FileExt as _;
use std::os::unix::net::UnixStream;
use std::path::Path;

use runtime::clock;

use super::BenchError;
use super::sheet::{Figure, Sheet};
use super::statistics::Samples;

/// Commits that are timed on each file: two seconds on a disk of a millisecond.
const COMMITS: u64 = 2_000;
/// Round trips that are timed: the p99 rests on two hundred of them.
const ROUND_TRIPS: u64 = 20_000;
/// What one commit writes: an entry of the ledger with its frame is about this long.
const COMMIT_BYTES: usize = 512;
/// The preallocated file; written over in a ring.
const RING_BYTES: u64 = 4 << 20;

/// What a machine allows.
#[derive(Clone, Debug)]
pub struct Bound {
    /// A write into a file that was written through before, then fdatasync.
    pub preallocated: Samples,
    /// A write at the end of a file, then fdatasync.
    pub growing: Samples,
    /// A byte over a Unix socket to another thread and back.
    pub round_trip: Samples,
}

impl Bound {
    /// Measures in a folder; leaves nothing there. Blocks for some seconds.
    pub fn measure(folder: &Path) -> Result<Self, BenchError> {
        let round_trip = round_trips().map_err(BenchError::io("a Unix socket"))?;
        let (preallocated, growing) = syncs(folder)?;
        Ok(Self {
            preallocated,
            growing,
            round_trip,
        })
    }

    /// The same without standing in the way of other tasks.
    pub async fn measured_in(folder: &Path) -> Result<Self, BenchError> {
        let folder = folder.to_owned();
        let measured = tokio::task::spawn_blocking(move || Self::measure(&folder)).await;
        measured.map_err(|error| BenchError::Ended(error.to_string()))?
    }

    /// Adds what a durable figure is compared with to its sheet.
    pub fn tell(&self, sheet: &mut Sheet) {
        let ms = |name: &str, value| Figure::new(name, value, "ms");
        sheet.add(ms(
            "bound: fdatasync, preallocated, p50",
            self.preallocated.p50_ms(),
        ));
        sheet.add(ms("bound: fdatasync, growing, p50", self.growing.p50_ms()));
    }
}

/// Measures the bound.
pub async fn run(folder: &Path) -> Result<Sheet, BenchError> {
    let bound = Bound::measured_in(folder).await?;
    let mut sheet = Sheet::new("bound");
    sheet.under(format!(
        "{COMMITS} commits of {COMMIT_BYTES} bytes in {}",
        folder.display()
    ));
    sheet.under(format!(
        "{ROUND_TRIPS} round trips of a byte between two threads"
    ));
    let kinds = [
        ("fdatasync, preallocated", &bound.preallocated),
        ("fdatasync, growing", &bound.growing),
        ("Unix socket round trip", &bound.round_trip),
    ];
    for (name, samples) in kinds {
        for percent in [50.0, 99.0] {
            let value = samples.percentile_us(percent);
            sheet.add(Figure::new(format!("{name}, p{percent}"), value, "µs"));
        }
    }
    Ok(sheet)
}

fn syncs(folder: &Path) -> Result<(Samples, Samples), BenchError> {
    let place = tempfile::Builder::new()
        .prefix("domo-bound-")
        .tempdir_in(folder);
    let place = place.map_err(BenchError::io(folder.display()))?;
    let both = || -> io::Result<(Samples, Samples)> {
        let ring = open(&place.path().join("preallocated"))?;
        // Zeros are written, not only promised: else the first write of each block is one of the
        // file system's own records as well.
        let zeros = vec![0; 1 << 20];
        for at in (0..RING_BYTES).step_by(zeros.len()) {
            ring.write_all_at(&zeros, at)?;
        }
        ring.sync_all()?;
        let preallocated = commits(&ring, |number| number * COMMIT_BYTES as u64 % RING_BYTES)?;
        let grows = open(&place.path().join("growing"))?;
        let growing = commits(&grows, |number| number * COMMIT_BYTES as u64)?;
        Ok((preallocated, growing))
    };
    both().map_err(BenchError::io(folder.display()))
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().create_new(true).write(true).open(path)
}

fn commits(file: &File, place: impl Fn(u64) -> u64) -> io::Result<Samples> {
    let bytes = [7; COMMIT_BYTES];
    let mut measured = Vec::with_capacity(usize::try_from(COMMITS).unwrap_or(0));
    for number in 0..COMMITS {
        let began = clock::boot_us();
        file.write_all_at(&bytes, place(number))?;
        file.sync_data()?;
        measured.push(clock::boot_us() - began);
    }
    Ok(Samples::new(measured))
}

fn round_trips() -> io::Result<Samples> {
    let (mut here, mut there) = UnixStream::pair()?;
    let echo = std::thread::spawn(move || {
        let mut byte = [0];
        while there.read_exact(&mut byte).is_ok() && there.write_all(&byte).is_ok() {}
    });
    let mut measured = Vec::with_capacity(usize::try_from(ROUND_TRIPS).unwrap_or(0));
    let mut byte = [1];
    for _ in 0..ROUND_TRIPS {
        let began = clock::boot_us();
        here.write_all(&byte)?;
        here.read_exact(&mut byte)?;
        measured.push(clock::boot_us() - began);
    }
    drop(here);
    // It ends with its socket; a panic in it would have broken a round trip already.
    let _ = echo.join();
    Ok(Samples::new(measured))
}

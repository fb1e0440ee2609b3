//! What the ledger costs by itself, beside what the disk allows in the same run.
//!
//! `ledger_figures DIR [sled|redb] [ENTRIES]` prints: fdatasync of a file that has its room and of one
//! that grows; proposals one after the other and 64 at once; and how long a ledger takes to open
//! whose log has that many entries.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rules::attempt::Body;
use rules::case::Brief;
use rules::id::{HumanName, NodeId};
use rules::{Command, Principal, Proposal};
use runtime::clock::boot_us;
use runtime::ledger::{Ledger, Limits, OpenOptions, StoreKind};

const SERIAL: u64 = 5_000;
const AT_ONCE: u64 = 64;
const CROWD: u64 = 100_000;
type Fault = Box<dyn std::error::Error>;

fn main() -> Result<(), Fault> {
    let mut arguments = std::env::args().skip(1);
    let dir = arguments.next().ok_or("where may it write?")?;
    let store = match arguments.next().as_deref() {
        Some("redb") => StoreKind::Redb,
        _ => StoreKind::Sled,
    };
    let entries = arguments.next().map_or(Ok(0), |count| count.parse())?;
    let dir = Path::new(&dir);
    fs::create_dir_all(dir)?;
    say(&format!(
        "fdatasync, with room: {}",
        quantiles(disk(dir, true)?)
    ));
    say(&format!(
        "fdatasync, growing:   {}",
        quantiles(disk(dir, false)?)
    ));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(measure(dir, store, entries))
}

fn say(line: &str) {
    use io::Write as _;
    // Whoever closed the other end does not want to know.
    drop(writeln!(io::stdout(), "{line}"));
}

fn quantiles(mut took_us: Vec<u64>) -> String {
    took_us.sort_unstable();
    let at = |share: usize| took_us[(took_us.len() * share / 1000).min(took_us.len() - 1)];
    format!("p50 {} µs, p90 {} µs, p99 {} µs", at(500), at(900), at(990))
}

fn disk(dir: &Path, has_room: bool) -> io::Result<Vec<u64>> {
    let file = File::create(dir.join("probe"))?;
    let record = [7; 400];
    if has_room {
        file.write_all_at(&vec![0; 4 << 20], 0)?;
    }
    file.sync_all()?;
    let mut took_us = Vec::new();
    for number in 0..3000 {
        let begun = boot_us();
        file.write_all_at(&record, number * 400)?;
        file.sync_data()?;
        took_us.push(boot_us() - begun);
    }
    Ok(took_us)
}

fn options(dir: &Path, store: StoreKind, snapshot_every: u64) -> OpenOptions {
    OpenOptions {
        store,
        snapshot_every,
        limits: Limits {
            free_bytes: 0,
            ..Limits::default()
        },
        ..OpenOptions::new(dir, NodeId(1))
    }
}

fn proposal(number: u64) -> Result<Proposal, Fault> {
    let human = HumanName::new("ada")?;
    Ok(Proposal {
        request: None,
        principal: Principal::human(human),
        wall_ms: number,
        command: Command::OpenCase {
            team: None,
            title: format!("case {number}"),
            brief: Brief {
                text: Body::Inline("x".repeat(200)),
            },
            attachments: Vec::new(),
            playbook: None,
        },
    })
}

async fn measure(dir: &Path, store: StoreKind, entries: u64) -> Result<(), Fault> {
    let own = dir.join("ledger");
    let (ledger, _changes) = Ledger::open(options(&own, store, 20_000)).await?;
    ledger.init_single().await?;
    let mut took_us = Vec::new();
    let before = ledger.counts();
    for number in 0..SERIAL {
        let proposal = proposal(number)?;
        let begun = boot_us();
        ledger.propose(proposal).await?.ok();
        took_us.push(boot_us() - begun);
    }
    let after = ledger.counts();
    say(&format!(
        "propose, one by one:  {}; {:.2} fdatasyncs each",
        quantiles(took_us),
        per(
            after.groups + after.settles - before.groups - before.settles,
            SERIAL
        )
    ));
    let seconds = crowd(&ledger, CROWD).await;
    let last = ledger.counts();
    say(&format!(
        "propose, {AT_ONCE} at once: {:.0}/s; {:.3} fdatasyncs each",
        per(CROWD, 1) / seconds,
        per(
            last.groups + last.settles - after.groups - after.settles,
            CROWD
        )
    ));
    ledger.close().await;
    if entries > 0 {
        restart(dir, store, entries).await?;
    }
    Ok(())
}

/// The state stays at its limit of open cases, so that what is measured is the log.
async fn restart(dir: &Path, store: StoreKind, entries: u64) -> Result<(), Fault> {
    let long = dir.join("long");
    let (ledger, _changes) = Ledger::open(options(&long, store, u64::MAX)).await?;
    ledger.init_single().await?;
    crowd(&ledger, entries).await;
    let bytes = ledger.status().log_bytes;
    ledger.close().await;
    let begun = boot_us();
    let (ledger, _changes) = Ledger::open(options(&long, store, u64::MAX)).await?;
    let took_us = boot_us() - begun;
    say(&format!(
        "open, {} entries, {} MiB: {:.2} s",
        ledger.status().applied,
        bytes >> 20,
        per(took_us, 1_000_000)
    ));
    ledger.close().await;
    Ok(())
}

async fn crowd(ledger: &Ledger, count: u64) -> f64 {
    let next = Arc::new(AtomicU64::new(0));
    let begun = boot_us();
    let clients: Vec<_> = (0..AT_ONCE)
        .map(|_| {
            let (ledger, next) = (ledger.clone(), Arc::clone(&next));
            tokio::spawn(async move {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let Ok(proposal) = proposal(number) else {
                        return;
                    };
                    if number >= count || ledger.propose(proposal).await.is_err() {
                        return;
                    }
                }
            })
        })
        .collect();
    for client in clients {
        // A client that broke off has proposed less, which the figure shows.
        drop(client.await);
    }
    per(boot_us() - begun, 1_000_000)
}

#[expect(clippy::cast_precision_loss, reason = "figures for people")]
fn per(count: u64, of: u64) -> f64 {
    count as f64 / of as f64
}

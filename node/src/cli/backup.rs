//! `domo backup`: writes all that the cluster knows into a file, or checks such a file.
//!
//! # Invariant
//! The file gets its name only once it was read back whole; until then it is `FILE.part`.

use std::fs;
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use clap::Args;
use config::measure::show_bytes;
use runtime::backup::{self, BackupError, Contents};
use serde::Serialize;
use tokio::io::AsyncWriteExt as _;

use super::console::Console;
use super::print::{self, Paper, Printer};
use super::stop::Stop;
use super::verb::Verb;
use crate::admin::client::Client;
use crate::admin::wire::{Consistency, Moment};

/// Back up the cluster into a file, while it runs
///
/// The file holds the state, the closed cases and all blobs, consistent at one entry of the ledger. It
/// holds no keys and no secrets of targets. `domo restore` begins a new cluster from it.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  domo backup /srv/backup/domo-monday
  domo backup --check /srv/backup/domo-monday
  domo backup --local /srv/backup/what-this-node-knows")]
pub(crate) struct Backup {
    /// The file, which must be new
    file: PathBuf,
    /// Reads a backup that is there to its end, and says what is in it
    #[arg(long)]
    check: bool,
    /// Backs up what this node knows, without asking a quorum
    #[arg(long, conflicts_with = "check")]
    local: bool,
}

/// What is in a backup, for programs.
#[derive(Debug, Serialize)]
struct Answer {
    file: PathBuf,
    cluster: String,
    index: u64,
    taken: Moment,
    release: String,
    teams: u64,
    open_cases: u64,
    closed_cases: u64,
    archived_posts: u64,
    blobs: u64,
    blob_bytes: u64,
    missing: Vec<String>,
    bytes: u64,
}

impl Verb for Backup {
    async fn run(self, console: &Console) -> Result<(), Stop> {
        if self.check {
            let contents = checked(&self.file).await?;
            return tell(console.printer, &self.file, contents);
        }
        if self.file.exists() {
            let what = format!("{} is there already", self.file.display());
            return Err(Stop::mend(what, "name a new file"));
        }
        let consistency = if self.local {
            Consistency::Local
        } else {
            Consistency::Linearizable
        };
        let part = part_of(&self.file);
        let contents = console
            .ask(async |client| {
                let taken = take(&client, consistency, &part).await;
                if taken.is_err() {
                    // What there is of it is worth nothing.
                    let _ = fs::remove_file(&part);
                }
                taken
            })
            .await?;
        name(&part, &self.file).map_err(|error| cannot("name", &self.file, &error))?;
        tell(console.printer, &self.file, contents)
    }
}

fn part_of(file: &Path) -> PathBuf {
    let mut part = file.as_os_str().to_owned();
    part.push(".part");
    part.into()
}

async fn take(client: &Client, how: Consistency, part: &Path) -> Result<Contents, Stop> {
    let download = client.backup(how).await?;
    let created = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(part);
    let file = created.map_err(|error| cannot("write", part, &error))?;
    let mut file = tokio::fs::File::from_std(file);
    download.write_to(&mut file).await?;
    file.flush()
        .await
        .map_err(|error| cannot("write", part, &error))?;
    file.sync_all()
        .await
        .map_err(|error| cannot("write", part, &error))?;
    checked(part).await
}

async fn checked(file: &Path) -> Result<Contents, Stop> {
    let path = file.to_owned();
    let checked = tokio::task::spawn_blocking(move || backup::check(&path)).await;
    let checked =
        checked.map_err(|error| Stop::mend(format!("the check broke off: {error}"), ""))?;
    checked.map_err(|error| stop(&error))
}

/// A refusal with its causes.
fn stop(error: &BackupError) -> Stop {
    let mut what = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        what = format!("{what}: {cause}");
        source = cause.source();
    }
    Stop::mend(what, "")
}

fn name(part: &Path, file: &Path) -> io::Result<()> {
    // A link is refused where the name is taken meanwhile; a rename would take its place.
    match fs::hard_link(part, file) {
        Ok(()) => fs::remove_file(part)?,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Err(error),
        Err(_) => fs::rename(part, file)?,
    }
    let folder = file
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    fs::File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

fn cannot(what: &str, path: &Path, error: &io::Error) -> Stop {
    Stop::mend(format!("cannot {what} {}: {error}", path.display()), "")
}

fn tell(printer: Printer, file: &Path, contents: Contents) -> Result<(), Stop> {
    let Contents { head, .. } = contents;
    let answer = Answer {
        file: file.to_owned(),
        cluster: head.cluster,
        index: head.index,
        taken: Moment::from_ms(head.taken_wall_ms),
        release: head.release,
        teams: contents.teams,
        open_cases: contents.open_cases,
        closed_cases: contents.closed_cases,
        archived_posts: contents.posts,
        blobs: contents.blobs,
        blob_bytes: contents.blob_bytes,
        missing: contents.missing.iter().map(ToString::to_string).collect(),
        bytes: contents.bytes,
    };
    printer.show(&answer, view)?;
    if !answer.missing.is_empty() {
        print::note(&format!(
            "no node had {} of the blobs that are named: {}",
            answer.missing.len(),
            answer.missing.join(", ")
        ));
    }
    Ok(())
}

fn view(answer: &Answer, paper: &Paper) -> String {
    print::pairs([
        (
            "file",
            format!("{}, {}", answer.file.display(), show_bytes(answer.bytes)),
        ),
        (
            "cluster",
            format!("{} at entry {}", answer.cluster, answer.index),
        ),
        (
            "taken",
            format!(
                "{} by release {}",
                paper.when(&answer.taken),
                answer.release
            ),
        ),
        ("teams", answer.teams.to_string()),
        (
            "cases",
            format!("{} open, {} closed", answer.open_cases, answer.closed_cases),
        ),
        ("archived posts", answer.archived_posts.to_string()),
        (
            "blobs",
            format!(
                "{}, {}, {} missing",
                answer.blobs,
                show_bytes(answer.blob_bytes),
                answer.missing.len()
            ),
        ),
    ])
}

//! `domo apply`: makes teams, workers and playbooks what documents say.
//!
//! ```text
//! PATH… ─► config::document (every mistake, with its place) ─► files as blobs ─► documents
//!                                                                                   │
//!      difference ◄── apply, if it is still that difference ◄── agreed ◄── dry run ◄┘
//! ```

mod agreed;
mod difference;
mod secrets;
pub(crate) mod uploaded;

use std::collections::BTreeSet;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use config::document::{self, Known, LARGEST_FILE_BYTES, Loaded, Placed, Source};

use super::console::Console;
use super::print;
use super::stop::Stop;
use super::verb::Verb;
use super::wish::Wish;
use super::words::cannot_read;
use crate::admin::client::Client;
use crate::admin::wire::{ApplyQuery, Change, Difference, Document, Prune};

/// What stands for standard input.
const STDIN: &str = "-";

/// Make teams, workers and playbooks what documents say
///
/// Reads YAML from files and folders, says every mistake with its place, and changes only what differs.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  domo apply -f teams/sre
  domo apply -f team.yaml -f worker.yaml --dry-run
  domo apply -f teams/sre --prune
  domo apply -f teams --prune=all --yes
  cat team.yaml | domo apply -f -")]
pub(crate) struct Apply {
    /// A file or folder of documents; `-` is standard input; may be given many times
    #[arg(long, short, value_name = "PATH", required = true)]
    file: Vec<PathBuf>,
    /// Only says what would change
    #[arg(long)]
    dry_run: bool,
    /// Removes what is not described: workers and playbooks of the described teams (`team`), or also
    /// whole teams (`all`); asks first
    #[arg(long, value_name = "WHAT", value_enum, num_args = 0..=1, require_equals = true,
          default_missing_value = "team")]
    prune: Option<Pruned>,
    /// Removes without asking
    #[arg(long, short)]
    yes: bool,
    #[command(flatten)]
    wish: Wish,
}

/// What goes that is not described.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Pruned {
    /// Workers and playbooks of the described teams
    Team,
    /// Those, and teams that are not described
    All,
}

impl Verb for Apply {
    async fn run(self, console: &Console) -> Result<(), Stop> {
        let loaded = self.load()?;
        for line in secrets::told(&loaded) {
            print::note(&line);
        }
        let teams = described_teams(&loaded);
        console
            .ask(async |client| {
                let documents = uploaded::all(&client, &loaded).await?;
                if self.dry_run {
                    let would = self.would(&client, &documents, self.pruned()).await?;
                    return difference::show(console, &would);
                }
                let basis = self.agree(console, &client, &documents, &teams).await?;
                let how = ApplyQuery {
                    dry_run: false,
                    prune: self.pruned(),
                    basis,
                };
                let ask = async |id: &str| client.apply(&documents, &how, Some(id)).await;
                let did = console.change(&client, &self.wish, None, ask).await?;
                difference::show(console, &did)
            })
            .await
    }
}

impl Apply {
    fn pruned(&self) -> Prune {
        match self.prune {
            None => Prune::None,
            Some(Pruned::Team) => Prune::Team,
            Some(Pruned::All) => Prune::All,
        }
    }

    /// Reads all documents; one mistake anywhere, and nothing is applied.
    fn load(&self) -> Result<Vec<Loaded>, Stop> {
        let known = Known {
            kernels: runtime::kernel::NAMES,
        };
        let mut loaded = Vec::new();
        for path in &self.file {
            let read = if path == Path::new(STDIN) {
                let mut bytes = Vec::new();
                std::io::stdin()
                    .take(LARGEST_FILE_BYTES + 1)
                    .read_to_end(&mut bytes)
                    .map_err(|error| cannot_read("standard input", &error))?;
                document::load(
                    Source::Bytes {
                        bytes: &bytes,
                        folder: Path::new("."),
                    },
                    &known,
                )
            } else {
                document::load(Source::Path(path), &known)
            };
            loaded.push(read.map_err(|mistakes| {
                let what = "the documents have mistakes; nothing is applied".to_owned();
                Stop::MendAll { what, mistakes }
            })?);
        }
        check_twice(&loaded)?;
        Ok(loaded)
    }

    async fn would(
        &self,
        client: &Client,
        documents: &[Document],
        prune: Prune,
    ) -> Result<Difference, Stop> {
        let how = ApplyQuery {
            dry_run: true,
            prune,
            basis: None,
        };
        Ok(client.apply(documents, &how, None).await?)
    }

    /// Where something is to go: shows it and asks; answers what exactly was agreed to.
    async fn agree(
        &self,
        console: &Console,
        client: &Client,
        documents: &[Document],
        teams: &BTreeSet<String>,
    ) -> Result<Option<String>, Stop> {
        // A repetition was agreed to before; what it did must not be compared with what is now.
        if self.prune.is_none() || self.wish.request_id.is_some() {
            return Ok(None);
        }
        let would = self.would(client, documents, self.pruned()).await?;
        if self.prune == Some(Pruned::Team) {
            let all = self.would(client, documents, Prune::All).await?;
            let stay = undescribed(&all, teams);
            if !stay.is_empty() {
                print::note(&format!(
                    "not described, and left as they are: teams {stay}; --prune=all removes them too"
                ));
            }
        }
        if would.removed > 0 && !self.yes {
            agreed::ask(console, &would).await?;
        }
        Ok(Some(would.basis))
    }
}

/// The same thing described in two of the paths.
fn check_twice(loaded: &[Loaded]) -> Result<(), Stop> {
    let mut seen = std::collections::BTreeMap::new();
    for Placed { place, document } in loaded.iter().flat_map(|loaded| &loaded.documents) {
        let named = (
            document.kind(),
            document.team().clone(),
            document.name().clone(),
        );
        if let Some(first) = seen.insert(named, place) {
            let (kind, name, team) = (document.kind(), document.name(), document.team());
            let what = if kind == "team" {
                format!("the team `{name}`")
            } else {
                format!("the {kind} `{name}` of team `{team}`")
            };
            return Err(Stop::mend(
                format!("{place}: {what} stands at {first} already"),
                "describe each thing once",
            ));
        }
    }
    Ok(())
}

fn described_teams(loaded: &[Loaded]) -> BTreeSet<String> {
    let documents = loaded.iter().flat_map(|loaded| &loaded.documents);
    documents
        .map(|placed| placed.document.team().to_string())
        .collect()
}

/// Teams that would go although no document speaks of them.
fn undescribed(all: &Difference, teams: &BTreeSet<String>) -> String {
    let names: Vec<&str> = all
        .documents
        .iter()
        .filter(|document| document.kind == "team" && document.change == Change::Remove)
        .map(|document| document.name.as_str())
        .filter(|name| !teams.contains(*name))
        .collect();
    names.join(", ")
}

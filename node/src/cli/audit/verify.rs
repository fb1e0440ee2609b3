//! `domo audit verify`: whether the record is what was written, and where it is not.

use std::path::{Path, PathBuf};

use clap::Args;
use runtime::audit::line::{hex, unhex};
use runtime::audit::verify::{Known, Verified};
use runtime::audit::{export, segment, verify};
use runtime::links::{Keys, Signers};
use serde::Deserialize;

use crate::admin::convert::audit::{signed_by, verdict};
use crate::admin::wire::{AuditHead, AuditHeadQuery, AuditSigners, AuditVerdict};
use crate::cli::console::Console;
use crate::cli::print::{self, Paper};
use crate::cli::stop::Stop;
use crate::cli::verb::Verb;
use crate::daemon::NOTARY;

/// Check whether the record is what was written, and say where it is not
///
/// The node compares all of its files with the head in its state. With --head they are also compared
/// with a head that was kept elsewhere. With --data no node is asked, with --export only for who signs
/// checkpoints, where that is not given.
///
/// What files say of themselves proves nothing: the answer says what they were compared with. An archive
/// and an export are checked against a head that was kept, and by the checkpoints in them, which nodes
/// signed: a head that `domo audit head --output json` wrote tells whose signatures those must be.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  domo audit verify
  domo audit verify --head head.json
  domo audit verify --save head.json
  domo audit verify --data /var/lib/domo --head head.json
  domo audit verify --data /srv/archive/n-1 --head head-of-last-year.json
  domo audit verify --data /srv/archive/n-1 --signers head.json
  domo audit verify --export audit.jsonl --head head.json")]
pub(crate) struct AuditVerify {
    /// Compares with the head in this file, which `domo audit head --output json` wrote
    #[arg(long, value_name = "FILE")]
    head: Option<PathBuf>,
    /// Takes who signs from this file: a head as above, or the `signers.jsonl` of an archive that was
    /// kept elsewhere; more than once where the cluster was founded anew
    #[arg(long, value_name = "FILE")]
    signers: Vec<PathBuf>,
    /// Writes the head into this file where nothing is wrong
    #[arg(long, value_name = "FILE", conflicts_with_all = ["data", "export"])]
    save: Option<PathBuf>,
    /// Looks into this data folder itself, without its node; or into an archive's folder of one
    #[arg(long, value_name = "DIR", conflicts_with = "export")]
    data: Option<PathBuf>,
    /// Looks into this export
    #[arg(long, value_name = "FILE")]
    export: Option<PathBuf>,
}

impl Verb for AuditVerify {
    async fn run(self, console: &Console) -> Result<(), Stop> {
        let kept = self.head.as_deref().map(read).transpose()?;
        let (kept, told) = kept.map_or((None, None), |(kept, told)| (Some(kept), told));
        let mut signers: Vec<Signers> = Vec::new();
        for file in &self.signers {
            signers.extend(signers_in(file)?);
        }
        let is_given = !signers.is_empty();
        signers.extend(told);
        let known: Vec<Known> = kept.iter().cloned().collect();
        let verdict = match (&self.data, &self.export) {
            (Some(data), _) => {
                let looked = of_folder(data, known, signers, is_given);
                looked.map(verdict).map_err(|error| unread(data, &error))?
            }
            (None, Some(file)) => {
                if signers.is_empty() {
                    signers.extend(answered(console).await);
                }
                let looked = export::verify(file, &known, &signers);
                looked.map(verdict).map_err(|error| unread(file, &error))?
            }
            (None, None) => self.ask(console, kept).await?,
        };
        console.printer.show(&verdict, people)?;
        match &verdict.fault {
            None => Ok(()),
            Some(fault) => Err(Stop::mend(
                format!(
                    "the record is not what was written: {} (record {}, after entry {}, {} at byte {})",
                    fault.what, fault.record, fault.index, fault.file, fault.offset
                ),
                "compare with another node's record, and find out who had access to the file",
            )),
        }
    }
}

impl AuditVerify {
    async fn ask(&self, console: &Console, kept: Option<Known>) -> Result<AuditVerdict, Stop> {
        let query = kept.map_or_else(AuditHeadQuery::default, |kept| AuditHeadQuery {
            count: Some(kept.count),
            head: Some(hex(&kept.head)),
        });
        let (verdict, head) = console
            .ask(async |client| {
                let head = client.audit_head().await?;
                Ok((client.verify_audit(&query).await?, head))
            })
            .await?;
        if let Some(file) = self.save.as_deref().filter(|_| verdict.is_whole) {
            save(file, &head)?;
        }
        Ok(verdict)
    }
}

fn unread(path: &Path, error: &std::io::Error) -> Stop {
    let hint = "a node's data folder has a folder `audit`; an export is a file";
    Stop::mend(format!("cannot read {}: {error}", path.display()), hint)
}

/// Who signs, as a node says that answers; nobody where none does.
async fn answered(console: &Console) -> Option<Signers> {
    let head = console.ask(async |client| Ok(client.audit_head().await?));
    head.await.ok()?.signers.and_then(signed_by)
}

/// Looks into a data folder: its records, its checkpoints, and the head in its newest snapshot; or into
/// an archive's.
fn of_folder(
    data: &Path,
    mut known: Vec<Known>,
    mut signers: Vec<Signers>,
    is_given: bool,
) -> std::io::Result<Verified> {
    if !data.join("audit").is_dir() && !segment::files(data)?.is_empty() {
        // What `audit.archive` names.
        return verify::archive(data, &known, &signers);
    }
    if !is_given {
        // A cluster of one without links has keys of its own for this.
        let keys = Keys::open(&data.join("keys")).or_else(|_| Keys::open(&data.join(NOTARY)));
        signers.extend(keys.ok().map(|keys| keys.signers()));
    }
    known.extend(runtime::ledger::head_of_snapshot(&data.join("ledger"))?);
    verify::folder(&data.join("audit"), &known, &signers)
}

/// What a file is that tells who signs.
#[derive(Deserialize)]
#[serde(untagged)]
enum Told {
    /// A head, with them in it.
    Head(AuditHead),
    /// A line of an archive's.
    Signers(AuditSigners),
}

/// Reads who signs, one authority a line.
fn signers_in(file: &Path) -> Result<Vec<Signers>, Stop> {
    let hint = "give what `domo audit head --output json` wrote, or an archive's `signers.jsonl`";
    let wrong = |why: String| Stop::mend(format!("{}: {why}", file.display()), hint);
    let text = std::fs::read_to_string(file).map_err(|error| wrong(error.to_string()))?;
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    let read = lines.map(|line| {
        let told = match serde_json::from_str(line).ok()? {
            Told::Head(head) => head.signers?,
            Told::Signers(signers) => signers,
        };
        signed_by(told)
    });
    let read: Option<Vec<Signers>> = read.collect();
    let read = read.filter(|read| !read.is_empty());
    read.ok_or_else(|| wrong("it does not tell who signs".to_owned()))
}

/// Reads a head that was kept, and who signs where it tells that.
fn read(file: &Path) -> Result<(Known, Option<Signers>), Stop> {
    let hint = "give the file that `domo audit head --output json` wrote";
    let wrong = |why: String| Stop::mend(format!("{}: {why}", file.display()), hint);
    let text = std::fs::read_to_string(file).map_err(|error| wrong(error.to_string()))?;
    let head: AuditHead = serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
    let digest = unhex(&head.head).ok_or_else(|| wrong("its head is no SHA-256".to_owned()))?;
    let known = Known {
        count: head.count,
        head: digest,
        whose: format!("the head in {}", file.display()),
    };
    Ok((known, head.signers.and_then(signed_by)))
}

fn save(file: &Path, head: &AuditHead) -> Result<(), Stop> {
    let json = serde_json::to_string(head).map_err(std::io::Error::other)?;
    std::fs::write(file, json + "\n")
        .map_err(|error| Stop::mend(format!("cannot write {}: {error}", file.display()), ""))
}

fn people(verdict: &AuditVerdict, _: &Paper) -> String {
    let some = |number: u64| {
        if number > 0 {
            number.to_string()
        } else {
            String::new()
        }
    };
    let whole = match (verdict.is_whole, verdict.met) {
        (true, 0) => "in itself",
        (true, _) => "yes",
        (false, _) => "no",
    };
    let compared = if verdict.compared.is_empty() {
        "nothing that was kept elsewhere: give --head or --signers".to_owned()
    } else {
        verdict.compared.join(", ")
    };
    print::pairs([
        ("whole", whole.to_owned()),
        ("records", format!("{} to {}", verdict.first, verdict.count)),
        ("last entry", verdict.index.to_string()),
        ("head", verdict.head.clone()),
        ("compared with", compared),
        ("not compared", verdict.behind.join(", ")),
        ("without salt", some(verdict.erased)),
    ])
}

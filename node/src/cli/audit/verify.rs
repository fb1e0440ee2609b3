//! `domo audit verify`: whether the record is what was written, and where it is not.

use std::path::{Path, PathBuf};

use clap::Args;
use runtime::audit::line::{hex, unhex};
use runtime::audit::verify::Known;
use runtime::links::Keys;

use crate::admin::convert::audit::verdict;
use crate::admin::wire::{AuditHead, AuditHeadQuery, AuditVerdict};
use crate::cli::console::Console;
use crate::cli::print::{self, Paper};
use crate::cli::stop::Stop;
use crate::cli::verb::Verb;
use crate::daemon::NOTARY;

/// Check whether the record is what was written, and say where it is not
///
/// The node compares all of its files with the head in its state. With --head they are also compared
/// with a head that was kept elsewhere, with --data or --export no node is asked.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  domo audit verify
  domo audit verify --head head.json
  domo audit verify --save head.json
  domo audit verify --data /var/lib/domo --head head.json
  domo audit verify --data /srv/archive/n-1 --head head.json
  domo audit verify --export audit.jsonl --head head.json")]
pub(crate) struct AuditVerify {
    /// Compares with the head in this file, which `domo audit head --output json` wrote
    #[arg(long, value_name = "FILE")]
    head: Option<PathBuf>,
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
        let verdict = match (&self.data, &self.export) {
            (Some(data), _) => offline(data, kept, of_folder)?,
            (None, Some(export)) => offline(export, kept, runtime::audit::export::verify)?,
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

fn offline(
    path: &Path,
    kept: Option<Known>,
    look: fn(&Path, &[Known]) -> std::io::Result<runtime::audit::verify::Verified>,
) -> Result<AuditVerdict, Stop> {
    let kept: Vec<Known> = kept.into_iter().collect();
    let looked = look(path, &kept).map_err(|error| {
        let hint = "a node's data folder has a folder `audit`; an export is a file";
        Stop::mend(format!("cannot read {}: {error}", path.display()), hint)
    })?;
    Ok(verdict(looked))
}

/// Looks into a data folder: its records, its checkpoints, and the head in its newest snapshot.
fn of_folder(data: &Path, kept: &[Known]) -> std::io::Result<runtime::audit::verify::Verified> {
    // A cluster of one without links has keys of its own for this.
    let keys = Keys::open(&data.join("keys")).or_else(|_| Keys::open(&data.join(NOTARY)));
    let keys = keys.ok();
    let signers = keys.map(|keys| keys.signers());
    let mut known = kept.to_vec();
    if !data.join("audit").is_dir() && !runtime::audit::segment::files(data)?.is_empty() {
        // What `audit.archive` names: files of records and nothing else.
        return runtime::audit::verify::folder(data, &known, None);
    }
    known.extend(runtime::ledger::head_of_snapshot(&data.join("ledger"))?);
    runtime::audit::verify::folder(&data.join("audit"), &known, signers.as_ref())
}

/// Reads a head that was kept.
fn read(file: &Path) -> Result<Known, Stop> {
    let hint = "give the file that `domo audit head --output json` wrote";
    let wrong = |why: String| Stop::mend(format!("{}: {why}", file.display()), hint);
    let text = std::fs::read_to_string(file).map_err(|error| wrong(error.to_string()))?;
    let head: AuditHead = serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
    let digest = unhex(&head.head).ok_or_else(|| wrong("its head is no SHA-256".to_owned()))?;
    Ok(Known {
        count: head.count,
        head: digest,
        whose: format!("the head in {}", file.display()),
    })
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
    let whole = if verdict.is_whole { "yes" } else { "no" };
    print::pairs([
        ("whole", whole.to_owned()),
        ("records", format!("{} to {}", verdict.first, verdict.count)),
        ("last entry", verdict.index.to_string()),
        ("head", verdict.head.clone()),
        ("compared with", some(verdict.met)),
        ("salts erased", some(verdict.erased)),
    ])
}

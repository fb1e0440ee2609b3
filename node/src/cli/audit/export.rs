//! `domo audit export`: the whole record in a file that anyone can check without a node.

use std::path::PathBuf;

use clap::Args;
use tokio::fs::OpenOptions;
use tokio::io::AsyncWriteExt as _;

use crate::cli::console::Console;
use crate::cli::print;
use crate::cli::stop::Stop;
use crate::cli::verb::Verb;

/// Write the whole record into a file that can be checked without a node
///
/// It has a JSON object on each line: first {"format","first","before"}, then each record with its
/// head, behind some of them what a node signed of the head so far, {"checkpoint":{…}}, at last
/// {"end":{"count","head"}}. To check it, begin with the 32 bytes of `before`; for each
/// record take the bytes of the line from behind `"record":` to before its last brace, and go on with
/// the SHA-256 of the head so far and those bytes: it must be the line's `head`, and `n` must rise by
/// one. `domo audit verify --export FILE` does the same, and checks the signatures.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  domo audit export audit.jsonl")]
pub(crate) struct AuditExport {
    /// The file; it must not be there yet
    file: PathBuf,
}

impl Verb for AuditExport {
    async fn run(self, console: &Console) -> Result<(), Stop> {
        let file = &self.file;
        let cannot = |error: std::io::Error| {
            Stop::mend(format!("cannot write {}: {error}", file.display()), "")
        };
        let written = console
            .ask(async |client| {
                let export = client.export_audit().await?;
                let mut into = OpenOptions::new();
                let into = into.write(true).create_new(true).mode(0o600);
                let mut into = into.open(file).await.map_err(cannot)?;
                let written = export.write_to(&mut into).await;
                let synced = match written {
                    Ok(bytes) => into.flush().await.map(|()| bytes).map_err(cannot),
                    Err(error) => Err(error.into()),
                };
                if synced.is_err() {
                    // Half of a record is none.
                    drop(tokio::fs::remove_file(file).await);
                }
                synced
            })
            .await?;
        print::note(&format!("{written} bytes are in {}", file.display()));
        Ok(())
    }
}

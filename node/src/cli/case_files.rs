//! `domo case files`: lists the files of a case, prints one, or saves them into a folder.
//!
//! # Invariant
//! Agents chose the last parts of the paths: nothing is written outside of the folder, nothing is
//! overwritten, and no link is followed, because the folder is new.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use config::measure::show_bytes;
use tokio::fs::OpenOptions;

use super::console::Console;
use super::print::{self, Paper, word};
use super::stop::Stop;
use super::verb::Verb;
use crate::admin::client::Client;
use crate::admin::wire::CaseFiles as Files;

/// The longest name of a file that file systems take.
const LONGEST_NAME_BYTES: usize = 255;

/// List the files of a case, print one, or save all
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  domo case files c-1
  domo case files c-1 artifacts/instance-status/pods.json > pods.json
  domo case files c-1 --save c-1-files")]
pub(crate) struct CaseFiles {
    /// The case, as in c-1
    case: String,
    /// Prints this file, by the path that the list shows
    #[arg(value_name = "FILE", conflicts_with = "save")]
    file: Option<String>,
    /// Saves all files into this folder, which must be new or empty
    #[arg(long, value_name = "FOLDER")]
    save: Option<PathBuf>,
}

impl Verb for CaseFiles {
    async fn run(self, console: &Console) -> Result<(), Stop> {
        let case = &self.case;
        console
            .ask(async |client| match (&self.file, &self.save) {
                (Some(file), _) => print(console, &client, case, file).await,
                (None, Some(folder)) => save(&client, case, folder).await,
                (None, None) => {
                    let files = client.files(case).await?;
                    if files.files.is_empty() {
                        print::note("no files");
                    }
                    Ok(console.printer.show(&files, table)?)
                }
            })
            .await
    }
}

fn table(files: &Files, paper: &Paper) -> String {
    let rows = files.files.iter().map(|file| {
        let digest = file
            .sha256
            .as_deref()
            .unwrap_or_default()
            .chars()
            .take(12)
            .collect();
        [
            word(&file.kind),
            show_bytes(file.bytes),
            digest,
            file.path.clone(),
        ]
    });
    paper.table(["KIND", "SIZE", "SHA-256", "FILE"], rows.collect())
}

async fn print(console: &Console, client: &Client, case: &str, file: &str) -> Result<(), Stop> {
    let printer = console.printer;
    let mut download = client.file(case, file).await?;
    if !printer.is_read_live() {
        while let Some(piece) = download.next().await? {
            print::bytes(&piece)?;
        }
        return Ok(());
    }
    let mut bytes = Vec::new();
    download.write_to(&mut bytes).await?;
    match String::from_utf8(bytes) {
        Ok(text) => Ok(print::text(&text)?),
        Err(_) => Err(Stop::mend(
            format!("{file} is no text, and standard output is a terminal"),
            format!("write it into a file: `domo case files {case} {file} > FILE`"),
        )),
    }
}

async fn save(client: &Client, case: &str, folder: &Path) -> Result<(), Stop> {
    let files = client.files(case).await?;
    make_empty(folder)?;
    let mut refused = Vec::new();
    for file in &files.files {
        if !is_harmless(&file.path) {
            refused.push(config::mistake::shown(&file.path));
            continue;
        }
        let to = folder.join(&file.path);
        let cannot = |error: std::io::Error| {
            Stop::mend(format!("cannot write {}: {error}", to.display()), "")
        };
        if let Some(parent) = to.parent() {
            fs::create_dir_all(parent).map_err(cannot)?;
        }
        let mut new = OpenOptions::new();
        let mut into = new
            .write(true)
            .create_new(true)
            .open(&to)
            .await
            .map_err(cannot)?;
        client
            .file(case, &file.path)
            .await?
            .write_to(&mut into)
            .await?;
        tokio::io::AsyncWriteExt::flush(&mut into)
            .await
            .map_err(cannot)?;
    }
    let saved = files.files.len() - refused.len();

    print::note(&format!("{saved} files are in {}", folder.display()));
    if refused.is_empty() {
        return Ok(());
    }
    Err(Stop::mend(
        format!(
            "not saved, as their names could do harm: {}",
            refused.join(", ")
        ),
        format!("print them one by one with `domo case files {case} FILE`"),
    ))
}

/// Makes the folder, or takes an empty one.
fn make_empty(folder: &Path) -> Result<(), Stop> {
    let shown = folder.display();
    let cannot = |error: std::io::Error| Stop::mend(format!("cannot use {shown}: {error}"), "");
    fs::create_dir_all(folder).map_err(cannot)?;
    if fs::read_dir(folder).map_err(cannot)?.next().is_some() {
        return Err(Stop::mend(
            format!("{shown} is not empty"),
            "name a new folder",
        ));
    }
    Ok(())
}

/// Whether a path stays in its folder and has names that do not surprise.
fn is_harmless(path: &str) -> bool {
    path.split('/').all(|part| {
        !part.is_empty()
            && part != "."
            && part != ".."
            && part.len() <= LONGEST_NAME_BYTES
            && !part.contains(char::is_control)
    })
}

#[cfg(test)]
mod tests {
    use super::{is_harmless, make_empty};

    #[test]
    fn an_agent_cannot_leave_the_folder() {
        for path in ["a/b.json", "brief-1.md", "artifacts/x/ü y"] {
            assert!(is_harmless(path), "{path}");
        }
        let long = "x".repeat(256);
        for path in [
            "/etc/passwd",
            "../x",
            "a/../../x",
            "a//b",
            "",
            "a/\u{1b}[2J",
            "a\0",
            &long,
        ] {
            assert!(!is_harmless(path), "{path:?}");
        }
    }

    #[test]
    fn nothing_is_saved_among_other_files() {
        let folder = tempfile::tempdir().unwrap();
        make_empty(&folder.path().join("new/deep")).unwrap();
        let stop = make_empty(folder.path()).unwrap_err();
        assert!(stop.to_string().contains("not empty"), "{stop}");
    }
}

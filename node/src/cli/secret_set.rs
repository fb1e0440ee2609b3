//! `domo secret set`: gives the node that is asked a target's secret.

use std::fs::File;
use std::io::{self, IsTerminal as _};
use std::path::PathBuf;

use clap::Args;
use runtime::gateway::SECRET_LIMIT_BYTES;

use super::console::Console;
use super::print;
use super::stop::Stop;
use super::verb::Verb;
use super::wish::Wish;
use super::words::{bounded, cannot_read};
use crate::admin::wire::SetSecret;

/// Give the asked node, and no other, the secret with which it reaches a target
///
/// The secret is read from standard input or a file, never from the command line, and lies in a file
/// that only the daemon can read. It is added to what leaves the node, so agents never see it.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  cat token | domo secret set kube
  domo secret set search --header X-Api-Key --file key.txt")]
pub(crate) struct SecretSet {
    /// The target
    target: String,
    /// The header whose whole value it is, instead of `Authorization: Bearer`
    #[arg(long, value_name = "NAME")]
    header: Option<String>,
    /// Reads the secret from a file; else it is read from standard input
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    #[command(flatten)]
    wish: Wish,
}

impl Verb for SecretSet {
    async fn run(self, console: &Console) -> Result<(), Stop> {
        let given = SetSecret {
            secret: self.read()?,
            header: self.header,
        };
        let target = &self.target;
        let done = console
            .ask(async |client| {
                let ask = async |id: &str| client.set_secret(target, &given, id).await;
                console.change(&client, &self.wish, None, ask).await
            })
            .await?;
        if console.printer.is_json() {
            console.printer.json(&done)?;
        } else {
            print::note(&format!("node {} has the secret of {target}", done.node));
        }
        Ok(())
    }
}

impl SecretSet {
    fn read(&self) -> Result<String, Stop> {
        let (limit, max) = ("secret_limit_bytes", SECRET_LIMIT_BYTES as u64);
        let text = match &self.file {
            Some(path) => {
                let shown = path.display().to_string();
                let file = File::open(path).map_err(|error| cannot_read(&shown, &error))?;
                bounded(file, &shown, limit, max)?
            }
            None if io::stdin().is_terminal() => {
                let hint = "pipe it in, or name a file with --file: a terminal would show it";
                return Err(Stop::rephrase("there is no secret", hint));
            }
            None => bounded(io::stdin().lock(), "standard input", limit, max)?,
        };
        let secret = text.strip_suffix('\n').unwrap_or(&text);
        Ok(secret.strip_suffix('\r').unwrap_or(secret).to_owned())
    }
}

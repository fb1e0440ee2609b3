//! `domo human token`: makes a token by which a person is known.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;

use super::console::Console;
use super::moment::{duration, rough};
use super::print;
use super::stop::Stop;
use super::verb::Verb;
use super::wish::Wish;
use crate::admin::wire::MintHumanToken;

/// Make a token: whoever shows it is that person, while it is good
///
/// It is shown once; the cluster keeps only a digest of it. With --out it goes to a new file that
/// only you may read. `domo --token-file FILE …` or `DOMO_TOKEN_FILE` shows it. Whoever makes a token
/// knows it: for other people, leads make only those that are good for a team that they lead.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  domo human token alice --out alice.token
  domo human token alice --valid 8h --team sre
  domo human token alice --revoke t-1a2b3c4d")]
pub(crate) struct HumanToken {
    /// The person's name
    human: String,
    /// How long it is good, at most 366 days
    #[arg(long, value_name = "TIME", default_value = "30d", value_parser = duration)]
    valid: Duration,
    /// The one team that it is good for; needed from whoever makes it for somebody else and is no admin
    #[arg(long)]
    team: Option<String>,
    /// Writes it to this new file instead of standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Makes the token of this name worthless instead
    #[arg(long, value_name = "TOKEN", conflicts_with_all = ["valid", "team", "out"])]
    revoke: Option<String>,
    #[command(flatten)]
    wish: Wish,
}

impl Verb for HumanToken {
    async fn run(self, console: &Console) -> Result<(), Stop> {
        if let Some(token) = &self.revoke {
            return self.revoke(console, token).await;
        }
        // Before anything is made: a token that cannot be written down would be lost.
        let file = self.out.as_deref().map(new_file).transpose()?;
        let how = MintHumanToken {
            valid_ms: u64::try_from(self.valid.as_millis()).unwrap_or(u64::MAX),
            team: self.team.clone(),
            only_if_none: false,
        };
        let minted = console
            .ask(async |client| {
                let ask = async |id: &str| client.mint_human_token(&self.human, &how, id).await;
                console.change(&client, &self.wish, None, ask).await
            })
            .await;
        let mut minted = match (minted, &self.out) {
            (Ok(minted), _) => minted,
            (Err(stop), Some(path)) => {
                // It is empty, and ours.
                let _ = std::fs::remove_file(path);
                return Err(stop);
            }
            (Err(stop), None) => return Err(stop),
        };
        if let (Some(mut file), Some(path)) = (file, &self.out) {
            let line = format!("{}\n", minted.token);
            let written = file
                .write_all(line.as_bytes())
                .and_then(|()| file.sync_all());
            written.map_err(|error| {
                let what = format!("{} cannot be written: {error}", path.display());
                let hint = format!(
                    "the token is lost: `domo human token {} --revoke {}`, then make another",
                    self.human, minted.name
                );
                Stop::mend(what, hint)
            })?;
            minted.token = format!("written to {}", path.display());
        }
        if console.printer.is_json() {
            console.printer.json(&minted)?;
            return Ok(());
        }
        if self.out.is_none() {
            print::text(&format!("{}\n", minted.token))?;
        }
        let (good, human) = (rough(minted.valid_ms), &self.human);
        print::note(&format!(
            "token {} of {human}, good for {good}; `domo human token {human} --revoke {}` makes it \
             worthless",
            minted.name, minted.name
        ));
        Ok(())
    }
}

impl HumanToken {
    async fn revoke(&self, console: &Console, token: &str) -> Result<(), Stop> {
        let done = console
            .ask(async |client| {
                let ask = async |id: &str| client.revoke_human_token(&self.human, token, id).await;
                console.change(&client, &self.wish, None, ask).await
            })
            .await?;
        console.done(
            &done,
            &format!("token {token} of {} is worthless", self.human),
        )
    }
}

/// A file that was not there, for its owner alone.
pub(crate) fn new_file(path: &Path) -> Result<std::fs::File, Stop> {
    let made = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path);
    made.map_err(|error| {
        let what = format!("{} cannot be made: {error}", path.display());
        Stop::mend(what, "name a file that is not there yet")
    })
}

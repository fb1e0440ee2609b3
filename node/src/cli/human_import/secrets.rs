//! The tokens of a roster's people: one for each who has none yet, in a file that says it of all.
//!
//! # Why
//! Who was made by this very run is not asked: where its outcome did not come back, nobody could say.
//! Who has no token has no other way in that the cluster knows of, be the account new or not; so the
//! same command again goes on where it ended. A secret is written down before the next is made.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;

use crate::admin::client::{Client, ClientError};
use crate::admin::wire::MintHumanToken;
use crate::cli::print;
use crate::cli::stop::Stop;
use crate::cli::wish::Wish;

/// Where the tokens go, and how many went.
pub(super) struct Secrets<'a> {
    pub(super) file: &'a mut File,
    pub(super) path: &'a Path,
}

impl Secrets<'_> {
    /// Makes a token for each who has none and whose the asker may make; one refusal ends nothing.
    pub(super) async fn mint(
        &mut self,
        client: &Client,
        people: &[&str],
        how: &MintHumanToken,
    ) -> Result<(), Stop> {
        let (mut made, mut broken) = (0, None);
        for name in people {
            let minted = match &broken {
                Some(why) => Err(format!("not tried: {why}")),
                None => match mint_one(client, name, how).await {
                    Ok(token) => Ok(token),
                    Err(error) => {
                        let why = error.to_string();
                        if !matches!(error, ClientError::Refused { .. }) {
                            broken = Some(why.clone());
                        }
                        Err(why)
                    }
                },
            };
            made += usize::from(minted.is_ok());
            let written = self.file.write_all(line(name, &minted).as_bytes());
            written.map_err(|error| self.unwritten(&error))?;
        }
        let synced = self.file.sync_all();
        synced.map_err(|error| self.unwritten(&error))?;
        let (path, none) = (self.path.display(), people.len() - made);
        if let Some(why) = broken {
            let what = format!("{path} has {made} of {} tokens: {why}", people.len());
            let hint = "the accounts are there: the same command with a new file makes the others";
            return Err(Stop::mend(what, hint));
        }
        print::note(&format!("{made} tokens are in {path}"));
        if none > 0 {
            print::note(&format!("{none} people got none; it says why for each"));
        }
        Ok(())
    }

    fn unwritten(&self, error: &std::io::Error) -> Stop {
        let what = format!("{} cannot be written: {error}", self.path.display());
        let hint = "the accounts are there: `domo human token NAME --team TEAM` makes the tokens that it lacks";
        Stop::mend(what, hint)
    }
}

async fn mint_one(
    client: &Client,
    name: &str,
    how: &MintHumanToken,
) -> Result<String, ClientError> {
    let id = Wish::default().id(client).await?;
    Ok(client.mint_human_token(name, how, &id).await?.token)
}

/// `ann,TOKEN` or `ann,,"why there is none"`.
fn line(name: &str, minted: &Result<String, String>) -> String {
    match minted {
        Ok(token) => format!("{name},{token}\n"),
        Err(why) => format!("{name},,\"{}\"\n", why.replace('"', "'")),
    }
}

//! `domo config default`: the default settings file, with every key and its reason.

use clap::Args;
use config::settings::DEFAULT_TOML;

use super::console::Console;
use super::stop::Stop;
use super::verb::Verb;

/// Print the default settings file: every key, with its reason and what is allowed
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  domo config default > domo.toml
  domo config default --output json")]
pub(crate) struct ConfigDefault {}

impl Verb for ConfigDefault {
    async fn run(self, console: &Console) -> Result<(), Stop> {
        let text = serde_json::json!({ "toml": DEFAULT_TOML });
        console
            .printer
            .show(&text, |_, _| DEFAULT_TOML.to_owned())?;
        Ok(())
    }
}

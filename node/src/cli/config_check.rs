//! `domo config check`: reads the settings as a node would, and shows each with where it came from.

use std::path::PathBuf;

use clap::Args;
use config::settings::{SettingLine, Settings};
use serde::Serialize;

use super::console::{Console, utf8_environment};
use super::print::Paper;
use super::stop::Stop;
use super::verb::Verb;

/// Check settings: every key, its value and where that came from
///
/// Reads what a node would read: the defaults, the settings file, the environment's
/// `DOMO_SECTION__KEY`, and --set. Mistakes are named with their place; needs no daemon.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  domo config check
  domo config check --settings domo.toml
  domo config check --set limits.blob_bytes=32MiB --output json")]
pub(crate) struct ConfigCheck {
    #[command(flatten)]
    layers: Layers,
}

/// Where settings come from, beside the defaults and the environment.
#[derive(Args, Clone, Debug)]
pub(crate) struct Layers {
    /// The settings file
    #[arg(long, value_name = "FILE", visible_alias = "config")]
    pub(crate) settings: Option<PathBuf>,
    /// Sets one key, as in `limits.blob_bytes=32MiB`; may be given many times
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    pub(crate) set: Vec<(String, String)>,
}

/// A setting as programs read it.
#[derive(Debug, Serialize)]
struct Setting {
    key: String,
    value: String,
    allowed: String,
    from: String,
}

impl Layers {
    /// The settings, with `more` laid over them.
    pub(crate) fn load(&self, more: &[(String, String)]) -> Result<Settings, Stop> {
        let mut flags = self.set.clone();
        flags.extend_from_slice(more);
        Settings::load(self.settings.as_deref(), utf8_environment(), &flags).map_err(|mistakes| {
            let what = "the settings have mistakes".to_owned();
            Stop::MendAll { what, mistakes }
        })
    }
}

impl Verb for ConfigCheck {
    async fn run(self, console: &Console) -> Result<(), Stop> {
        let settings = self.layers.load(&[])?;
        let lines: Vec<Setting> = settings.lines().iter().map(Setting::of).collect();
        console
            .printer
            .show(&lines, |lines, paper| table(lines, paper))?;
        Ok(())
    }
}

impl Setting {
    fn of(line: &SettingLine) -> Self {
        Self {
            key: line.key.clone(),
            value: line.value.clone(),
            allowed: line.allowed.clone(),
            from: line.from.to_string(),
        }
    }
}

fn table(lines: &[Setting], paper: &Paper) -> String {
    let rows = lines
        .iter()
        .map(|line| [line.key.clone(), line.value.clone(), line.from.clone()]);
    paper.table(["KEY", "VALUE", "FROM"], rows.collect())
}

/// Reads `KEY=VALUE`.
fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => {
            Ok((key.trim().to_owned(), value.to_owned()))
        }
        Some(_) | None => Err("write KEY=VALUE, as in limits.blob_bytes=32MiB".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::pair;

    #[test]
    fn a_setting_is_a_key_and_a_value() {
        let wanted = ("node.labels".to_owned(), "a=b,c=d".to_owned());
        assert_eq!(pair("node.labels=a=b,c=d"), Ok(wanted));
        assert!(pair("node.labels").is_err());
        assert!(pair("=x").is_err());
    }
}

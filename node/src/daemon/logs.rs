//! Logs: lines on standard error, for people or as JSON.

use std::io::IsTerminal as _;

use config::settings::{LogFormat, LogSettings};
use thiserror::Error;
use tracing_subscriber::EnvFilter;

/// The filter in the settings is none.
#[derive(Debug, Error)]
#[error(
    "log.filter {filter:?} is no filter; use a level such as info, or parts such as runtime=debug,info"
)]
pub struct BadFilter {
    /// What the settings say.
    filter: String,
    source: tracing_subscriber::filter::ParseError,
}

/// Begins to log as the settings say; a second beginning in one process changes nothing.
pub fn begin(settings: &LogSettings) -> Result<(), BadFilter> {
    let filter = EnvFilter::try_new(&settings.filter).map_err(|source| BadFilter {
        filter: settings.filter.clone(),
        source,
    })?;
    let is_terminal = std::io::stderr().is_terminal();
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(is_terminal)
        .with_writer(std::io::stderr);
    let begun = match settings.format {
        LogFormat::Human => lines.try_init(),
        LogFormat::Json => lines.json().flatten_event(true).try_init(),
    };
    if begun.is_err() {
        tracing::debug!("logs were begun before");
    }
    Ok(())
}

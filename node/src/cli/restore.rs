//! `domo restore`: begins a new cluster from a backup.

use std::error::Error as _;
use std::path::PathBuf;

use clap::Args;

use super::config_check::Layers;
use super::console::Console;
use super::node_join::HomeOf;
use super::print;
use super::stop::Stop;
use super::verb::Verb;
use crate::daemon::{self, RestoreError};

/// Begin a new cluster from a backup: this host becomes its first node
///
/// Cases keep their numbers and requests are remembered. Attempts that ran are tried again on the new
/// nodes; cases whose agents can reach a target are held until a human resumes them, because what the
/// old cluster did after the backup is not known. Nodes, join tokens and targets' secrets are not
/// taken over.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  domo restore /srv/backup/domo-monday --data /var/lib/domo
  domo restore domo-monday --data ~/alpha --name alpha --listen 127.0.0.1:7400")]
pub(crate) struct Restore {
    /// The backup
    file: PathBuf,
    #[command(flatten)]
    home: HomeOf,
    #[command(flatten)]
    layers: Layers,
}

impl Verb for Restore {
    async fn run(self, console: &Console) -> Result<(), Stop> {
        let settings = self.layers.load(&[data(&self.home.data)?])?;
        let restored = daemon::restore(self.file, &settings, self.home.site(), who()).await;
        let (enrolled, contents) = restored.map_err(|error| stop(&error))?;
        self.home.tell(console, &enrolled)?;
        print::note(&format!(
            "restored: {} teams, {} open and {} closed cases of cluster {} at entry {}; `domo status` \
             says what was taken back and what is held",
            contents.teams,
            contents.open_cases,
            contents.closed_cases,
            contents.head.cluster,
            contents.head.index
        ));
        if !contents.missing.is_empty() {
            print::note(&format!(
                "the backup lacked {} of the blobs that are named",
                contents.missing.len()
            ));
        }
        print::note("set the secrets of its targets anew: `domo secret set`");
        Ok(())
    }
}

/// The data folder as a setting.
pub(crate) fn data(data: &std::path::Path) -> Result<(String, String), Stop> {
    Ok(("node.data".to_owned(), super::node_run::utf8(data)?))
}

/// Who runs the command, as the record names them.
pub(crate) fn who() -> String {
    let uid = nix::unistd::getuid();
    let user = nix::unistd::User::from_uid(uid).ok().flatten();
    user.map_or_else(|| format!("user {uid}"), |user| user.name)
}

/// A refusal with its causes.
pub(crate) fn stop(error: &RestoreError) -> Stop {
    let mut what = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        what = format!("{what}: {cause}");
        source = cause.source();
    }
    Stop::mend(what, "")
}

//! `domo node run`: the daemon.

use std::error::Error as _;
use std::path::PathBuf;

use clap::Args;

use super::config_check::Layers;
use super::console::Console;
use super::stop::Stop;
use super::verb::Verb;
use crate::daemon::{self, Mode};

/// Run a node: the daemon that this host's agents and people meet at
///
/// Says `ready` on standard output once its admin socket answers, logs to standard error, and ends on
/// SIGTERM or SIGINT. Its agents go on without it and are found again at its next start.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  domo node run --dev --data ~/domo-dev
  domo node run --settings /etc/domo/domo.toml
  domo node run --data /srv/domo --set engine.kind=process --set log.format=json")]
pub(crate) struct NodeRun {
    /// A cluster of one for trying things out: needs no settings, and lets agents run unconfined
    /// where the host has no means to confine them
    #[arg(long)]
    dev: bool,
    /// The data folder; its admin socket is in it [settings: node.data]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Lets the process engine run agents without a sandbox [settings: engine.unconfined]
    #[arg(long)]
    unconfined: bool,
    #[command(flatten)]
    layers: Layers,
    /// For measuring: the socket of an agent that answers at once
    #[arg(long, hide = true, value_name = "SOCKET")]
    stub_agent: Option<PathBuf>,
}

impl Verb for NodeRun {
    async fn run(self, console: &Console) -> Result<(), Stop> {
        let mut flags = Vec::new();
        let mut set = |key: &str, value: String| flags.push((key.to_owned(), value));
        if let Some(data) = &self.data {
            set("node.data", utf8(data)?);
        }
        if let Some(socket) = &console.socket {
            set("admin.socket", utf8(socket)?);
        }
        if self.unconfined {
            set("engine.unconfined", "true".to_owned());
        }
        let settings = self.layers.load(&flags)?;
        let mode = Mode {
            is_dev: self.dev,
            stub_agent: self.stub_agent,
        };
        daemon::run(settings, mode).await.map_err(|error| {
            let mut what = error.to_string();
            let mut source = error.source();
            while let Some(cause) = source {
                what = format!("{what}: {cause}");
                source = cause.source();
            }
            Stop::mend(what, "")
        })
    }
}

fn utf8(path: &std::path::Path) -> Result<String, Stop> {
    let absolute = std::path::absolute(path)?;
    absolute.into_os_string().into_string().map_err(|path| {
        Stop::mend(
            format!("the path {path:?} is not UTF-8"),
            "choose another folder",
        )
    })
}

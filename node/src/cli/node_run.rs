//! `domo node run`: the daemon.

use std::error::Error as _;
use std::path::{Path, PathBuf};

use clap::Args;
use config::mistake::Place;
use config::settings::Settings;

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
  domo node run --data /srv/domo --seed 10.0.0.2:7400 --seed 10.0.0.3:7400
  domo node run --data /srv/domo --set engine.kind=process --set log.format=json")]
pub(crate) struct NodeRun {
    /// A cluster of one for trying things out: needs no settings, and lets agents run unconfined, as
    /// you, where the host has no means to confine them
    #[arg(long)]
    dev: bool,
    /// The data folder; its admin socket is in it [settings: node.data]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Lets the process engine run agents without a sandbox, as the daemon's own user: they could take
    /// the node over, only root is its built-in admin then, and root itself may not
    /// [settings: engine.unconfined]
    #[arg(long)]
    unconfined: bool,
    /// Where a node may be that is not where it was; any number of times [settings: cluster.seeds]
    #[arg(long, value_name = "HOST:PORT")]
    seed: Vec<String>,
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
        if !self.seed.is_empty() {
            set("cluster.seeds", self.seed.join(","));
        }
        let settings = self.layers.load(&flags)?;
        if self.dev {
            must_name_folder(&settings)?;
        }
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

/// A path as settings have it: whole, and text.
pub(crate) fn utf8(path: &Path) -> Result<String, Stop> {
    let shown = path.display();
    let whole = std::path::absolute(path)
        .map_err(|error| Stop::rephrase(format!("`{shown}` is no path: {error}"), ""))?;
    whole.into_os_string().into_string().map_err(|_| {
        Stop::rephrase(
            format!("the path {shown} is not UTF-8"),
            "choose another one",
        )
    })
}

/// A node for trying things out must not take the folder of a real one by accident.
fn must_name_folder(settings: &Settings) -> Result<(), Stop> {
    let is_default = settings
        .lines()
        .iter()
        .any(|line| line.key == "node.data" && line.from == Place::Default);
    if is_default {
        return Err(Stop::rephrase(
            "--dev needs a data folder of its own",
            "say where, as in `domo node run --dev --data ~/domo-dev`",
        ));
    }
    Ok(())
}

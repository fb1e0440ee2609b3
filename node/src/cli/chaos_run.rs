//! `domo chaos run`: breaks things by a plan, hands cases over meanwhile, and says what held.
//!
//! ```text
//! plan ─► recorded ─► all nodes armed ─► started ─┬─ faults, each by its own node's warden
//!                        │                        └─ canary cases, from here ─► looked at ─► report
//!                        └─ one refuses: ended, and nothing was broken
//! ```

mod canary;
mod doors;
mod drive;
mod end;

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use runtime::clock;

use super::chaos_plan::find;
use super::chaos_report;
use super::console::Console;
use super::ends::Ends;
use super::print;
use super::stop::Stop;
use super::verb::Verb;
use doors::Doors;

/// Break a cluster on purpose by a plan, and see what its promises are worth
///
/// Records the whole plan, has each node that it concerns arm for it, and begins only when all have:
/// the settings of each must allow it (`chaos.allowed = true`). While the nodes make the faults and take
/// them off, each by a process of its own that needs neither its daemon nor this command, canary cases
/// are handed over here and followed. It ends with a report, and with exit code 0 only if all held.
/// Ctrl-C ends the run: the faults are taken off, and the report is written all the same.
///
/// The cases go to a team `canary` of its own, which stays, or to another one that is named.
/// Where the node that is asked is itself broken, cases wait for it; --also names more sockets of
/// this host to turn to.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  domo chaos run manager-failover
  domo chaos run manager-failover --also ~/domo-2/admin.sock --also ~/domo-3/admin.sock
  domo chaos run my-plan.yaml --team sre --out /srv/chaos/monday")]
pub(crate) struct ChaosRun {
    /// The plan's name (see `domo chaos plan`), or its file
    plan: String,
    /// Another node's admin socket, to turn to when the one that is asked does not answer
    #[arg(long, value_name = "PATH")]
    also: Vec<PathBuf>,
    /// Hands the cases to this team, instead of the canary's own
    #[arg(long, value_name = "NAME")]
    team: Option<String>,
    /// The folder for the report: a new one, or an empty one [default: chaos-PLAN-SECONDS]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

impl Verb for ChaosRun {
    async fn run(self, console: &Console) -> Result<(), Stop> {
        let plan = find(&self.plan)?;
        let mut ends = Ends::listen()?;
        console
            .ask(async |client| {
                let also = self.also.iter().map(|socket| console.client(socket));
                let doors = Doors::new(client, also.collect::<Result<_, Stop>>()?);
                let nodes = doors.first().nodes().await?.nodes;
                let schedule = plan.schedule(&super::chaos_plan::names(&nodes));
                if schedule.faults.len() > config::document::chaos::MOST_STEPS {
                    let most = config::document::chaos::MOST_STEPS;
                    let what = format!(
                        "on {} nodes the plan has {} faults, more than {most}",
                        nodes.len(),
                        schedule.faults.len()
                    );
                    return Err(Stop::mend(
                        what,
                        "name the nodes that it is about, or make two plans",
                    ));
                }
                let folder = self.folder(plan.name.as_str())?;
                let drive = drive::Drive {
                    plan: &plan,
                    schedule: &schedule,
                    doors: &doors,
                    team: self.team.as_deref(),
                };
                let began = drive.begin(&mut ends).await;
                let began = began.inspect_err(|_| {
                    // Nothing was broken, and there is nothing to report.
                    let _ = fs::remove_dir(&folder);
                })?;
                let report = drive.go_through(&began, &mut ends).await;
                let written = chaos_report::write(&folder, &report);
                written.map_err(|error| {
                    Stop::mend(format!("the report cannot be written: {error}"), "")
                })?;
                print::note(&format!("the report is in {}", folder.display()));
                chaos_report::show(console, &report)?;
                if report.was_interrupted {
                    return Err(Stop::Interrupted {
                        what: "interrupted; the run is ended, and its faults are taken off"
                            .to_owned(),
                    });
                }
                if report.has_held() {
                    return Ok(());
                }
                Err(Stop::mend(
                    "not all held",
                    format!("read {}", folder.join("report.md").display()),
                ))
            })
            .await
    }
}

impl ChaosRun {
    /// The folder for the report, made before anything is broken.
    fn folder(&self, plan: &str) -> Result<PathBuf, Stop> {
        let usual = || PathBuf::from(format!("chaos-{plan}-{}", clock::wall().0 / 1000));
        let folder = self.out.clone().unwrap_or_else(usual);
        let cannot = |why: String| {
            let what = format!("the report cannot go to {}: {why}", folder.display());
            Stop::mend(what, "name a new folder with --out; nothing was done")
        };
        fs::create_dir_all(&folder).map_err(|error| cannot(error.to_string()))?;
        if !is_empty(&folder).map_err(|error| cannot(error.to_string()))? {
            return Err(cannot("it is not empty".to_owned()));
        }
        Ok(folder)
    }
}

fn is_empty(folder: &Path) -> std::io::Result<bool> {
    Ok(fs::read_dir(folder)?.next().is_none())
}

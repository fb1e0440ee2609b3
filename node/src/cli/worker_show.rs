//! `domo worker show`: everything about a worker and its agent.

use clap::Args;
use config::measure::{show_bytes, show_cpu_millis, show_ms};

use super::console::Console;
use super::print::{self, word};
use super::stop::Stop;
use super::team_show::pairs;
use super::verb::Verb;
use super::worker_name::WorkerName;
use crate::admin::wire::WorkerView;

/// Show a worker: its agent, limits and work
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  domo worker show sre/k8s-root-cause
  domo worker show sre/k8s-root-cause --output json")]
pub(crate) struct WorkerShow {
    /// The worker, as in sre/k8s-root-cause
    #[arg(value_name = "TEAM/WORKER")]
    worker: WorkerName,
}

impl Verb for WorkerShow {
    async fn run(self, console: &Console) -> Result<(), Stop> {
        let WorkerName { team, name } = &self.worker;
        let worker = console
            .ask(async |client| Ok(client.worker(team, name).await?))
            .await?;
        console.printer.show(&worker, |worker, _| view(worker))?;
        Ok(())
    }
}

fn view(worker: &WorkerView) -> String {
    let (line, agent, limits) = (&worker.line, &worker.agent, &worker.agent.limits);
    let node = line.node.clone().unwrap_or_else(|| "none".to_owned());
    let because = worker.placed_because.as_deref();
    let limits = [
        limits
            .cpu_milli
            .map(|cpu| format!("cpu {}", show_cpu_millis(cpu))),
        limits
            .memory_bytes
            .map(|bytes| format!("memory {}", show_bytes(bytes))),
        limits.pids.map(|pids| format!("pids {pids}")),
        limits
            .output_bytes
            .map(|bytes| format!("output {}", show_bytes(bytes))),
        limits
            .wall_ms
            .map(|wall_ms| format!("wall {}", show_ms(wall_ms))),
    ];
    let limits: Vec<String> = limits.into_iter().flatten().collect();
    let role = if line.is_butler {
        "the butler's own agent"
    } else {
        ""
    };
    print::pairs([
        ("worker", line.id.clone()),
        ("title", line.title.clone()),
        ("role", role.to_owned()),
        ("status", word(&line.status)),
        (
            "node",
            because.map_or_else(|| node.clone(), |because| format!("{node} ({because})")),
        ),
        ("epoch", line.epoch.to_string()),
        ("running", line.running.join(" ")),
        ("parallel", line.parallel.to_string()),
        ("skills", line.skills.join(", ")),
        ("kernel", agent.kernel.clone()),
        ("command", agent.command.join(" ")),
        ("image", agent.image.clone()),
        ("env", pairs(&agent.env)),
        ("limits", limits.join(", ")),
        ("soul", agent.soul.clone().unwrap_or_default()),
        (
            "sleeps",
            format!("after {} without work", show_ms(worker.idle_after_ms)),
        ),
        ("labels", pairs(&worker.labels)),
    ])
}

//! `domo status`: how a node and its cluster are, what waits for people, and what is wrong.

use std::fmt::Write as _;

use clap::Args;
use config::measure::{show_bytes, show_cpu_millis};

use super::console::Console;
use super::moment::rough;
use super::print::{self, Paper};
use super::screen;
use super::stop::Stop;
use super::verb::Verb;
use crate::admin::wire::{NodeLine, Status};

/// Show how the node and its cluster are, and what waits for people
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  domo status
  domo status --output json
  domo --socket /var/lib/domo/admin.sock status")]
pub(crate) struct ShowStatus {}

impl Verb for ShowStatus {
    async fn run(self, console: &Console) -> Result<(), Stop> {
        let status = console
            .ask(async |client| Ok(client.status().await?))
            .await?;
        console.printer.show(&status, view)?;
        Ok(())
    }
}

fn view(status: &Status, paper: &Paper) -> String {
    let mut parts = vec![summary(status, paper)];
    if !status.cluster.nodes.is_empty() {
        let rows = status.cluster.nodes.iter().map(node_row).collect();
        parts.push(paper.table(
            [
                "NODE",
                "NAME",
                "RELEASE",
                "BUTLERS",
                "WORKERS",
                "CPU PROMISED",
                "MEMORY PROMISED",
            ],
            rows,
        ));
    }
    parts.push(waits(status));
    parts.push(troubles(status, paper));
    parts.retain(|part| !part.is_empty());
    parts.join("\n")
}

fn summary(status: &Status, paper: &Paper) -> String {
    let (node, cluster, ledger) = (&status.node, &status.cluster, &status.ledger);
    let (workers, cases) = (&status.workers, &status.cases);
    let leader = match &cluster.leader {
        Some(leader) => {
            let since = cluster.leader_since.as_ref();
            let since =
                since.map_or_else(String::new, |at| format!(", elected {}", paper.when(at)));
            format!("{leader} (term {}{since})", cluster.term)
        }
        None => format!("none: {}", cluster.leader_because),
    };
    let writes = if ledger.is_writable {
        "takes commands"
    } else {
        "takes no commands"
    };
    print::pairs([
        (
            "node",
            format!("{} ({}), release {}", node.id, node.name, node.release),
        ),
        ("started", paper.when(&node.started)),
        ("engine", node.engine.clone()),
        ("leader", leader),
        (
            "ledger",
            format!(
                "applied {} of {} committed, {} old, {writes}",
                ledger.applied_index,
                ledger.committed_index,
                rough(ledger.age_ms)
            ),
        ),
        ("teams", status.teams.to_string()),
        (
            "workers",
            format!(
                "{} ({} busy, {} idle, {} asleep, {} without a node)",
                workers.total, workers.busy, workers.idle, workers.asleep, workers.homeless
            ),
        ),
        (
            "cases",
            format!(
                "{} not closed ({} open, {} planned, {} running, {} waiting, {} reporting), {} closed",
                cases.not_closed(),
                cases.open,
                cases.planned,
                cases.running,
                cases.waiting,
                cases.reporting,
                cases.closed
            ),
        ),
    ])
}

fn node_row(node: &NodeLine) -> [String; 7] {
    let cpu = |milli| show_cpu_millis(milli);
    let (promised, has) = (node.memory_promised_bytes, node.memory_bytes);
    [
        node.id.clone(),
        node.name.clone(),
        node.release.clone(),
        node.butlers.to_string(),
        node.workers.to_string(),
        format!(
            "{} of {}",
            cpu(node.cpu_promised_milli),
            cpu(node.cpu_milli)
        ),
        format!("{} of {}", near(promised), near(has)),
    ]
}

/// Bytes in whole MiB: a host's memory is never a round number.
fn near(bytes: u64) -> String {
    const MIB: u64 = 1 << 20;
    show_bytes(bytes / MIB * MIB)
}

fn waits(status: &Status) -> String {
    let mut text = String::new();
    for wait in &status.waits {
        let title = screen::line(&wait.title);
        let hint = screen::line(&wait.hint);
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "waits: case {} ({title}): {hint}",
            screen::line(&wait.case)
        );
    }
    let more = status
        .waits_in_all
        .saturating_sub(status.waits.len() as u64);
    if more > 0 {
        let _ = writeln!(
            text,
            "waits: {more} more cases: `domo case list --status waiting`"
        );
    }
    text
}

fn troubles(status: &Status, paper: &Paper) -> String {
    let mut text = String::new();
    for trouble in &status.troubles {
        let (what, hint) = (screen::line(&trouble.what), screen::line(&trouble.hint));
        let (seen, count) = (paper.when(&trouble.seen), trouble.count);
        let _ = writeln!(text, "trouble: {what} ({count} times, last {seen}): {hint}");
    }
    text
}

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
use crate::admin::wire::{ClusterStatus, NodeLine, Status};

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
        parts.push(nodes_table(&status.cluster.nodes, paper));
    }
    parts.push(beginnings(status, paper));
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
        ("rules", rules(cluster)),
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

/// The version of the rules' behaviour, and what the next one waits for.
fn rules(cluster: &ClusterStatus) -> String {
    let version = format!("version {}", cluster.rules_version);
    if cluster.rules_held_by.is_empty() {
        return version;
    }
    let names = cluster.rules_held_by.join(", ");
    format!(
        "{version}; the next one waits until it is known to {}",
        screen::line(&names)
    )
}

/// Nodes in lines.
pub(crate) fn nodes_table(nodes: &[NodeLine], paper: &Paper) -> String {
    let head = [
        "NODE", "NAME", "HEALTH", "VOTES", "RELEASE", "BUTLERS", "WORKERS", "CPU", "MEMORY",
    ];
    paper.table(head, nodes.iter().map(node_row).collect())
}

fn node_row(node: &NodeLine) -> [String; 9] {
    let cpu = |milli| show_cpu_millis(milli);
    let (promised, has) = (node.memory_promised_bytes, node.memory_bytes);
    let drained = if node.is_drained { ", drained" } else { "" };
    [
        node.id.clone(),
        node.name.clone(),
        format!("{}{drained}", node.health),
        if node.is_voter { "yes" } else { "no" }.to_owned(),
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

fn beginnings(status: &Status, paper: &Paper) -> String {
    let mut text = String::new();
    for known in &status.cluster.beginnings {
        let gone = if known.gone.is_empty() {
            "none".to_owned()
        } else {
            known.gone.join(", ")
        };
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "began again: {} by {}, with {}, {} (entry {}): gone {gone}; {} attempts taken back, {} cases held",
            screen::line(&known.cause),
            screen::line(&known.by),
            known.node,
            paper.when(&known.at),
            known.index,
            known.attempts,
            known.held
        );
    }
    text
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

#[cfg(test)]
mod tests {
    use super::view;
    use crate::admin::wire::{
        BeginningView, CaseCounts, ClusterStatus, HumanWait, LedgerView, Moment, NodeView, Status,
        Trouble, WorkerCounts,
    };
    use crate::cli::print::Paper;

    fn without_leader(ledger: LedgerView) -> Status {
        Status {
            node: NodeView {
                id: "n-1".to_owned(),
                name: "a".to_owned(),
                release: "0.1.0".to_owned(),
                engine: "process".to_owned(),
                started: Moment::from_ms(0),
                tasks: 0,
            },
            cluster: ClusterStatus {
                leader: None,
                term: 3,
                leader_since: None,
                leader_because: "no quorum answers".to_owned(),
                nodes: Vec::new(),
                rules_version: 1,
                rules_held_by: vec!["gamma".to_owned()],
                beginnings: vec![BeginningView {
                    index: 7,
                    at: Moment::from_ms(0),
                    node: "n-4".to_owned(),
                    cause: "recovered".to_owned(),
                    by: "root".to_owned(),
                    gone: vec!["n-1".to_owned(), "n-2".to_owned()],
                    attempts: 3,
                    held: 1,
                }],
            },
            ledger,
            teams: 1,
            workers: WorkerCounts {
                total: 3,
                asleep: 3,
                ..WorkerCounts::default()
            },
            cases: CaseCounts {
                waiting: 1,
                ..CaseCounts::default()
            },
            counted_index: 9,
            waits: vec![HumanWait {
                case: "c-1".to_owned(),
                team: None,
                title: "pod\nx".to_owned(),
                stages: Vec::new(),
                hint: "domo case resume c-1".to_owned(),
            }],
            waits_in_all: 4,
            troubles: vec![Trouble {
                what: "the disk is full".to_owned(),
                hint: "make room".to_owned(),
                seen: Moment::from_ms(0),
                count: 2,
            }],
        }
    }

    #[test]
    fn a_status_says_what_is_wrong_and_what_waits() {
        let ledger = serde_json::json!({
            "last_index": 9, "committed_index": 9, "applied_index": 9, "age_ms": 0,
            "is_writable": false, "entries_written": 0, "syncs": 0,
        });
        let status = without_leader(serde_json::from_value(ledger).unwrap());
        let text = view(&status, &Paper::default());
        for line in [
            "leader   none: no quorum answers",
            "rules    version 1; the next one waits until it is known to gamma",
            "ledger   applied 9 of 9 committed, 0s old, takes no commands",
            "began again: recovered by root, with n-4, 1970-01-01T00:00:00.000Z (entry 7): gone n-1, n-2; 3 attempts taken back, 1 cases held",
            "waits: case c-1 (pod x): domo case resume c-1",
            "waits: 3 more cases: `domo case list --status waiting`",
            "trouble: the disk is full (2 times, last 1970-01-01T00:00:00.000Z): make room",
        ] {
            assert!(
                text.lines().any(|shown| shown == line),
                "{line} is not in\n{text}"
            );
        }
    }
}

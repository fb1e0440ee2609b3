//! `domo team show`: everything about a team.

use clap::Args;

use super::console::Console;
use super::print::{self, Paper, word};
use super::stop::Stop;
use super::verb::Verb;
use crate::admin::wire::{PlaybookDocument, TeamView};

/// Show a team: its butler, workers and playbooks
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  domo team show sre
  domo team show sre --output json")]
pub(crate) struct TeamShow {
    /// The team
    team: String,
}

impl Verb for TeamShow {
    async fn run(self, console: &Console) -> Result<(), Stop> {
        let team = console
            .ask(async |client| Ok(client.team(&self.team).await?))
            .await?;
        console.printer.show(&team, view)?;
        Ok(())
    }
}

fn view(team: &TeamView, paper: &Paper) -> String {
    let line = &team.line;
    let node = line.node.clone().unwrap_or_else(|| "none".to_owned());
    let because = team.placed_because.as_deref();
    let plans = match &team.agent {
        Some(agent) => format!(
            "with its own agent: {} {}",
            agent.kernel,
            agent.command.join(" ")
        ),
        None => "by playbook only".to_owned(),
    };
    let mut parts = vec![print::pairs([
        ("team", line.name.clone()),
        ("title", line.title.clone()),
        ("butler", line.butler.clone()),
        (
            "node",
            because.map_or_else(|| node.clone(), |because| format!("{node} ({because})")),
        ),
        ("epoch", team.epoch.to_string()),
        ("plans", plans),
        ("playbook", team.playbook.clone().unwrap_or_default()),
        ("topics", team.topics.join(", ")),
        ("labels", pairs(&team.labels)),
        ("open cases", line.open_cases.to_string()),
        (
            "waiting",
            format!("{} stages for a free worker", line.waiting_stages),
        ),
    ])];
    if !team.members.is_empty() {
        let rows = team.members.iter().map(|worker| {
            let node = worker.node.clone().unwrap_or_default();
            let (running, skills) = (worker.running.join(" "), worker.skills.join(" "));
            [
                worker.id.clone(),
                word(&worker.status),
                node,
                running,
                skills,
            ]
        });
        parts.push(paper.table(
            ["WORKER", "STATUS", "NODE", "RUNNING", "SKILLS"],
            rows.collect(),
        ));
    }
    if !team.playbooks.is_empty() {
        let rows = team.playbooks.iter().map(playbook_row);
        parts.push(paper.table(["PLAYBOOK", "STAGES", "TITLE"], rows.collect()));
    }
    parts.join("\n")
}

fn playbook_row(playbook: &PlaybookDocument) -> [String; 3] {
    let stages: Vec<&str> = playbook
        .stages
        .iter()
        .map(|stage| stage.name.as_str())
        .collect();
    [
        playbook.name.clone(),
        stages.join(", "),
        playbook.title.clone(),
    ]
}

/// Labels as they are typed.
pub(crate) fn pairs(labels: &std::collections::BTreeMap<String, String>) -> String {
    let pairs: Vec<String> = labels
        .iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    pairs.join(", ")
}

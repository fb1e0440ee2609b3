//! `domo case list`: cases in lines, the newest first.

use clap::Args;

use super::console::Console;
use super::live::standing;
use super::moment::{Since, since};
use super::print::{self, Paper, word};
use super::stop::Stop;
use super::verb::Verb;
use crate::admin::wire::{CaseLine, CasePage, CaseQuery};

/// The words of `--status`: how far cases are, and how they ended.
const STATUSES: [&str; 9] = [
    "open",
    "planned",
    "running",
    "waiting",
    "reporting",
    "closed",
    "succeeded",
    "failed",
    "cancelled",
];

/// List cases, the newest first
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  domo case list
  domo case list --team sre --status running,waiting
  domo case list --status failed --since 7d --output json
  domo case list --limit 20 --after c-120")]
pub(crate) struct CaseList {
    /// Only cases of this team
    #[arg(long)]
    team: Option<String>,
    /// Only cases that are so far, or ended so; several with commas
    #[arg(long, value_delimiter = ',', value_parser = STATUSES)]
    status: Vec<String>,
    /// Only cases opened since: `2h` (so long ago), `2026-03-01` or `2026-03-01T09:30Z`
    #[arg(long, value_name = "TIME", value_parser = since)]
    since: Option<Since>,
    /// Lines at most
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=1000))]
    limit: Option<u32>,
    /// Goes on after this one, which an earlier list named
    #[arg(long, value_name = "CASE")]
    after: Option<String>,
}

impl Verb for CaseList {
    async fn run(self, console: &Console) -> Result<(), Stop> {
        let now_ms = runtime::clock::wall().0;
        let query = CaseQuery {
            team: self.team,
            status: (!self.status.is_empty()).then(|| self.status.join(",")),
            since: self.since.map(|since| since.at(now_ms)),
            limit: self.limit,
            after: self.after,
        };
        let page = console
            .ask(async |client| Ok(client.cases(&query).await?))
            .await?;
        if page.cases.is_empty() {
            print::note("no cases");
        }
        console.list(&page, page.cases.is_empty(), page.next.as_deref(), table)
    }
}

fn table(page: &CasePage, paper: &Paper) -> String {
    let rows = page.cases.iter().map(|case| row(case, paper)).collect();
    paper.table(
        ["CASE", "TEAM", "STATUS", "STAGES", "OPENED", "BY", "TITLE"],
        rows,
    )
}

fn row(case: &CaseLine, paper: &Paper) -> [String; 7] {
    let stages = match (case.stages_done, case.stages) {
        (Some(done), Some(all)) if all > 0 => format!("{done}/{all}"),
        (Some(_) | None, _) => String::new(),
    };
    let team = case.team.clone().unwrap_or_default();
    let (opened, by) = (paper.when(&case.opened), case.opened_by.clone());
    [
        case.id.clone(),
        team,
        how_far(case),
        stages,
        opened,
        by,
        case.title.clone(),
    ]
}

/// How far a case is, or how it ended.
pub(crate) fn how_far(case: &CaseLine) -> String {
    match &case.outcome {
        Some(outcome) => word(outcome),
        None => standing(case.status, case.waiting_for, 0, 0),
    }
}

#[cfg(test)]
mod tests {
    use super::table;
    use crate::admin::wire::CasePage;
    use crate::cli::print::Paper;

    #[test]
    fn a_list_shows_how_far_cases_are_and_how_they_ended() {
        let case = |id: &str, status: &str, outcome: Option<&str>, waiting: Option<&str>| {
            serde_json::json!({
                "id": id, "team": "sre", "title": "pod \u{1b}[31mx\u{1b}[0m is Pending",
                "status": status, "outcome": outcome, "waiting_for": waiting,
                "opened_by": "root", "opened": {"at": "2026-03-01T09:30:00.000Z", "ms": 1},
                "closed": null, "stages_done": 1, "stages": 3, "live_attempts": 0,
            })
        };
        let page: CasePage = serde_json::from_value(serde_json::json!({
            "cases": [
                case("c-2", "waiting", None, Some("approval")),
                case("c-1", "closed", Some("failed"), None),
            ],
            "next": null,
            "freshness": {"applied_index": 1, "age_ms": 0, "is_linearizable": false},
        }))
        .unwrap();
        assert_eq!(
            table(&page, &Paper::default()),
            "\
CASE  TEAM  STATUS                   STAGES  OPENED                    BY    TITLE
c-2   sre   waiting for an approval  1/3     2026-03-01T09:30:00.000Z  root  pod x is Pending
c-1   sre   failed                   1/3     2026-03-01T09:30:00.000Z  root  pod x is Pending
"
        );
    }
}

//! `domo audit show`: who asked what, and what came of it, the newest first.

use clap::Args;

use crate::admin::wire::{AuditLine, AuditPage, AuditQuery};
use crate::cli::console::Console;
use crate::cli::moment::{Since, since};
use crate::cli::print::{self, Paper};
use crate::cli::stop::Stop;
use crate::cli::verb::Verb;

/// Show who asked what and what came of it, the newest first
///
/// Texts are not in the record, only their digests. What was asked before and answered again is marked.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  domo audit show
  domo audit show --case c-12
  domo audit show --human ada --since 7d
  domo audit show --team sre --since 2026-03-01 --until 2026-04-01 --output json
  domo audit show --limit 20 --after 1200")]
pub(crate) struct AuditShow {
    /// Only what spoke of this case
    #[arg(long)]
    case: Option<String>,
    /// Only what this person asked, was asked for them, or spoke of them
    #[arg(long)]
    human: Option<String>,
    /// Only what spoke of this team
    #[arg(long)]
    team: Option<String>,
    /// Only what was asked since: `2h` (so long ago), `2026-03-01` or `2026-03-01T09:30Z`
    #[arg(long, value_name = "TIME", value_parser = since)]
    since: Option<Since>,
    /// Only what was asked before: `2h` (so long ago), `2026-03-01` or `2026-03-01T09:30Z`
    #[arg(long, value_name = "TIME", value_parser = since)]
    until: Option<Since>,
    /// Lines at most
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=1000))]
    limit: Option<u32>,
    /// Goes on after this record, which an earlier page named
    #[arg(long, value_name = "RECORD")]
    after: Option<String>,
}

impl Verb for AuditShow {
    async fn run(self, console: &Console) -> Result<(), Stop> {
        let now_ms = runtime::clock::wall().0;
        let query = AuditQuery {
            case: self.case,
            team: self.team,
            human: self.human,
            since: self.since.map(|since| since.at(now_ms)),
            until: self.until.map(|until| until.at(now_ms)),
            limit: self.limit,
            after: self.after,
        };
        let page = console
            .ask(async |client| Ok(client.audit(&query).await?))
            .await?;
        if page.records.is_empty() {
            print::note("no records");
        }
        console.list(&page, page.records.is_empty(), page.next.as_deref(), table)
    }
}

fn table(page: &AuditPage, paper: &Paper) -> String {
    let rows = page.records.iter().map(|record| row(record, paper));
    paper.table(
        ["RECORD", "WHEN", "WHO", "WHAT", "OF", "VERDICT"],
        rows.collect(),
    )
}

fn row(record: &AuditLine, paper: &Paper) -> [String; 6] {
    [
        record.n.to_string(),
        paper.when(&record.at),
        who(record),
        record.command.replace('_', " "),
        subjects(record),
        verdict(record),
    ]
}

/// Who asked: `ada`, `butler sre for ada`, `manager 3`.
fn who(record: &AuditLine) -> String {
    let mut told = String::new();
    for (kind, name) in &record.who {
        let name = plain(name);
        match kind.as_str() {
            "human" => told = name,
            "ledger" => told.push_str(kind),
            "butler" | "manager" | "node" | "worker" => told = format!("{kind} {name}"),
            // Which incarnation and which token it was stands in the JSON.
            _ => {}
        }
    }
    match record.who.get("on_behalf_of") {
        Some(human) => format!("{told} for {}", plain(human)),
        None => told,
    }
}

/// The most telling of its subjects: a case tells more than its team, an attempt more than its case.
fn subjects(record: &AuditLine) -> String {
    /// As many as leave room for the verdict beside them.
    const MAX_NAMES: usize = 3;
    const KINDS: [&str; 8] = [
        "attempts", "stages", "cases", "workers", "teams", "nodes", "humans", "targets",
    ];
    if !record.denials.is_empty() {
        return record.denials.join("; ");
    }
    if let Some(deed) = &record.deed {
        let nodes = record.subjects.get("nodes").map_or(&[][..], Vec::as_slice);
        return format!("{} {deed}", nodes.join(" "));
    }
    let mut told: Vec<String> = Vec::new();
    for kind in KINDS {
        let names = record.subjects.get(kind).map_or(&[][..], Vec::as_slice);
        let is_told = |name: &String| told.iter().any(|told| told.starts_with(name.as_str()));
        let new: Vec<String> = names
            .iter()
            .filter(|name| !is_told(name))
            .cloned()
            .collect();
        told.extend(new);
    }
    let more = told.len().saturating_sub(MAX_NAMES);
    told.truncate(MAX_NAMES);
    if more > 0 {
        told.push(format!("and {more} more"));
    }
    told.join(" ")
}

fn verdict(record: &AuditLine) -> String {
    let of = |name: &str| record.verdict.get(name).map(plain);
    let again = if record.verdict.contains_key("repeated") {
        ", asked again"
    } else {
        ""
    };
    match (of("accepted"), of("reason"), of("rejected")) {
        (Some(outcome), _, _) if outcome == "done" => format!("accepted{again}"),
        (Some(outcome), _, _) => format!("accepted: {}{again}", outcome.replace('_', " ")),
        (None, Some(reason), _) => format!("refused: {reason}{again}"),
        (None, None, Some(kind)) => format!("refused: {}{again}", kind.replace('_', " ")),
        (None, None, None) => String::new(),
    }
}

fn plain(value: &serde_json::Value) -> String {
    let text = value.as_str().map(str::to_owned);
    text.unwrap_or_else(|| value.to_string())
}

#[cfg(test)]
mod tests {
    use super::table;
    use crate::admin::wire::AuditPage;
    use crate::cli::print::Paper;

    #[test]
    fn a_record_is_a_line_that_says_who_asked_what_and_what_came_of_it() {
        let record = |n: u64, who: &str, command: &str, subjects: &str, verdict: &str| {
            let json = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
            serde_json::json!({
                "n": n, "index": n, "term": 1, "at": {"at": "2026-03-01T09:30:00.000Z", "ms": 1},
                "elapsed_ms": 0, "ticks": 0, "who": json(who), "command": command,
                "subjects": json(subjects), "digest": "", "texts": {}, "policy": {},
                "verdict": json(verdict), "head": "", "salt": null,
            })
        };
        let page: AuditPage = serde_json::from_value(serde_json::json!({"next": null, "records": [
            record(3, r#"{"worker": "sre/w", "epoch": 4}"#, "finish_attempt",
                r#"{"attempts": ["c-1.2"], "cases": ["c-1"], "teams": ["sre"]}"#,
                r#"{"rejected": "stale", "reason": "too late: it was given to another"}"#),
            record(2, r#"{"butler": "sre", "epoch": 1, "on_behalf_of": "ada"}"#, "plan_case",
                r#"{"cases": ["c-1"], "teams": ["sre"]}"#, r#"{"accepted": "done"}"#),
            record(1, r#"{"human": "ada"}"#, "open_case", r#"{"cases": ["c-1"], "teams": ["sre"]}"#,
                r#"{"accepted": "opened", "repeated": true}"#),
        ]}))
        .unwrap();
        assert_eq!(
            table(&page, &Paper::default()),
            "\
RECORD  WHEN                      WHO                 WHAT            OF         VERDICT
3       2026-03-01T09:30:00.000Z  worker sre/w        finish attempt  c-1.2 sre  refused: too late: it was given to another
2       2026-03-01T09:30:00.000Z  butler sre for ada  plan case       c-1 sre    accepted
1       2026-03-01T09:30:00.000Z  ada                 open case       c-1 sre    accepted: opened, asked again
"
        );
    }
}

//! `domo case show`: everything about a case.

use std::fmt::Write as _;

use clap::{Args, ValueEnum};

use super::case_list::how_far;
use super::console::Console;
use super::print::{self, Paper, word};
use super::screen;
use super::stop::Stop;
use super::verb::Verb;
use crate::admin::wire::{
    ApprovalState, AttemptView, CaseView, Consistency, EffectView, HistoryLine, Needs, StageStatus,
    StageView,
};

/// Lines of the history that are shown when nobody asks for all.
const USUAL_HISTORY: usize = 12;

/// Show a case: its stages, attempts and history
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  domo case show c-1
  domo case show c-1 --history
  domo case show c-1 --consistency local --output json")]
pub(crate) struct CaseShow {
    /// The case, as in c-1
    case: String,
    /// Shows its whole history
    #[arg(long)]
    history: bool,
    /// How fresh the answer must be
    #[arg(long, value_enum, default_value_t)]
    consistency: Freshly,
}

/// How fresh an answer must be.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum Freshly {
    /// Nothing that was acknowledged before is missing; needs a quorum
    #[default]
    Linearizable,
    /// What the asked node knows, at once
    Local,
}

impl Verb for CaseShow {
    async fn run(self, console: &Console) -> Result<(), Stop> {
        let consistency = match self.consistency {
            Freshly::Linearizable => Consistency::Linearizable,
            Freshly::Local => Consistency::Local,
        };
        let case = console
            .ask(async |client| Ok(client.case(&self.case, consistency).await?))
            .await?;
        let most = if self.history {
            usize::MAX
        } else {
            USUAL_HISTORY
        };
        console
            .printer
            .show(&case, |case, paper| view(case, paper, most))?;
        Ok(())
    }
}

fn view(case: &CaseView, paper: &Paper, most_history: usize) -> String {
    let mut parts = vec![head(case, paper)];
    if !case.plan.is_empty() {
        let rows = case
            .plan
            .iter()
            .map(|stage| stage_row(stage, case))
            .collect();
        parts.push(paper.table(["STAGE", "STATUS", "NEEDS", "ATTEMPTS", "SAYS"], rows));
    }
    let live: Vec<_> = case
        .attempts
        .iter()
        .filter(|attempt| attempt.ended.is_none())
        .collect();
    if !live.is_empty() {
        let rows = live
            .into_iter()
            .map(|attempt| attempt_row(attempt, paper))
            .collect();
        parts.push(paper.table(
            ["ATTEMPT", "STAGE", "STATUS", "WORKER", "NODE", "ASSIGNED"],
            rows,
        ));
    }
    if !case.effects.is_empty() {
        let rows = case.effects.iter().map(effect_row).collect();
        parts.push(paper.table(["EFFECT", "ATTEMPT", "DOES", "STATUS", "SAYS"], rows));
    }
    let refusals: Vec<String> = case
        .plan_refusals
        .iter()
        .map(|reasons| format!("plan sent back: {}\n", screen::line(&reasons.join("; "))))
        .collect();
    parts.push(refusals.concat());
    parts.push(to_do(case));
    parts.push(history(case, paper, most_history));
    parts.retain(|part| !part.is_empty());
    parts.join("\n")
}

fn head(case: &CaseView, paper: &Paper) -> String {
    let line = &case.line;
    let opened = format!("{} by {}", paper.when(&line.opened), line.opened_by);
    let stages = match (line.stages_done, line.stages) {
        (Some(done), Some(all)) if all > 0 => format!("{done} of {all} done"),
        (Some(_) | None, _) => String::new(),
    };
    let report = match &case.report {
        Some(report) => report.summary.clone(),
        None => String::new(),
    };
    let attachments = match case.attachments.len() {
        0 => String::new(),
        count => format!("{count} files"),
    };
    let brief = case.briefs.last();
    let brief = brief.map_or_else(String::new, |brief| match (&brief.text, brief.version) {
        (None, version) => format!("version {version}, long: `domo case files {}`", line.id),
        (Some(text), 1) => text.clone(),
        (Some(text), version) => format!("{text} (version {version})"),
    });
    print::pairs([
        ("case", line.id.clone()),
        ("title", line.title.clone()),
        (
            "team",
            line.team.clone().unwrap_or_else(|| "none yet".to_owned()),
        ),
        ("status", how_far(line)),
        ("reason", case.ending_reason.clone().unwrap_or_default()),
        ("opened", opened),
        (
            "closed",
            line.closed
                .as_ref()
                .map_or_else(String::new, |closed| paper.when(closed)),
        ),
        ("playbook", case.playbook.clone().unwrap_or_default()),
        ("brief", brief),
        ("attached", attachments),
        ("stages", stages),
        ("report", report),
    ])
}

fn stage_row(stage: &StageView, case: &CaseView) -> [String; 5] {
    let attempts = case
        .attempts
        .iter()
        .filter(|attempt| attempt.stage == stage.name)
        .count();
    let needs = match &stage.needs {
        Needs::Skill(skill) => format!("skill {skill}"),
        Needs::Worker(worker) => format!("worker {worker}"),
        Needs::Butler => "the butler's agent".to_owned(),
    };
    let says = match (&stage.result, &stage.reason, &stage.approval) {
        (Some(result), _, _) => result.summary.clone(),
        (None, Some(reason), _) => reason.clone(),
        (None, None, Some(approval)) if approval.state == ApprovalState::Asked => {
            "waits for an approval".to_owned()
        }
        (None, None, _) if !stage.after.is_empty() && stage.attempt.is_none() => {
            format!("after {}", stage.after.join(", "))
        }
        (None, None, _) => String::new(),
    };
    [
        stage.name.clone(),
        word(&stage.status),
        needs,
        attempts.to_string(),
        says,
    ]
}

fn attempt_row(attempt: &AttemptView, paper: &Paper) -> [String; 6] {
    [
        attempt.id.clone(),
        attempt.stage.clone(),
        word(&attempt.status),
        attempt.worker.clone(),
        attempt.node.clone(),
        paper.when(&attempt.assigned),
    ]
}

fn effect_row(effect: &EffectView) -> [String; 5] {
    let status = word(&effect.status).replace('_', " ");
    let status = if effect.is_in_question {
        format!("{status}?")
    } else {
        status
    };
    [
        effect.key.clone(),
        effect.attempt.to_string(),
        format!(
            "{} on {} ({})",
            effect.method,
            effect.target,
            word(&effect.class)
        ),
        status,
        effect.says.clone(),
    ]
}

/// What a human is waited for, and how to do it.
fn to_do(case: &CaseView) -> String {
    let id = &case.line.id;
    let mut text = String::new();
    if case.line.closed.is_some() {
        return text;
    }
    for stage in &case.plan {
        let Some(approval) = &stage.approval else {
            continue;
        };
        if approval.state == ApprovalState::Asked && stage.status == StageStatus::Pending {
            let by: Vec<String> = approval.by.iter().map(ToString::to_string).collect();
            let by = screen::line(&by.join(" or "));
            let note = screen::line(&approval.note);
            let note = if note.is_empty() {
                note
            } else {
                format!(" ({note})")
            };
            let name = screen::line(&stage.name);
            // Writing to a string cannot fail.
            let _ = writeln!(
                text,
                "waits: stage {name}{note} for {by}: `domo case approve {id} {name}` or `reject`"
            );
        }
    }
    for effect in case.effects.iter().filter(|effect| effect.is_in_question) {
        let (key, stage) = (screen::line(&effect.key), screen::line(&effect.stage));
        let (method, target) = (screen::line(&effect.method), screen::line(&effect.target));
        let _ = writeln!(
            text,
            "waits: stage {stage}: look at {target} whether this {method} was done, then \
             `domo case settle {id} {stage} {key} --done|--not-done --reason TEXT`"
        );
    }
    if case.is_paused {
        let _ = writeln!(text, "waits: it is held: `domo case resume {id}`");
    }
    text
}

fn history(case: &CaseView, paper: &Paper, most: usize) -> String {
    let left_out = case.history.len().saturating_sub(most);
    let mut text = String::new();
    if left_out > 0 {
        let _ = writeln!(text, "… {left_out} earlier lines: --history");
    } else if case.history_dropped > 0 {
        let _ = writeln!(text, "({} lines are no longer kept)", case.history_dropped);
    }
    let shown = case.history.iter().skip(left_out);
    let at: Vec<String> = shown.clone().map(|line| paper.when(&line.at)).collect();
    let widest = at.iter().map(String::len).max().unwrap_or(0);
    for (at, HistoryLine { text: what, by, .. }) in at.iter().zip(shown) {
        let (what, by) = (screen::line(what), screen::line(by));
        let _ = writeln!(text, "{at:>widest$}  {what}  [{by}]");
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::view;
    use crate::admin::wire::CaseView;
    use crate::cli::print::Paper;

    fn case() -> CaseView {
        let at = json!({"at": "2026-03-01T09:30:00.000Z", "ms": 1});
        let stage = |name: &str, more: serde_json::Value| {
            let mut stage = json!({
                "name": name, "title": "", "status": "pending", "generation": 0,
                "needs": {"skill": "look"}, "after": [], "limit_ms": 1, "attempts_allowed": 2,
                "attempts_failed": 0, "attempts_lost": 0, "attempt": null, "on_failure": "fail",
                "approval": null, "result": null, "reason": null, "brief": "",
            });
            for (key, value) in more.as_object().unwrap() {
                stage[key] = value.clone();
            }
            stage
        };
        let asked = json!({"by": [{"role": "lead"}, {"human": "alice"}], "note": "Restarts it.\n\u{1b}[2J", "state": "asked",
                           "given_by": null, "given_note": null});
        let said = json!({"summary": "all\nfine \u{1b}]0;x\u{7}", "artifacts": []});
        let history: Vec<_> = (1..=20)
            .map(|index| {
                json!({"index": index, "at": at, "by": "root", "kind": "x",
                       "text": format!("line {index}\nforged")})
            })
            .collect();
        let case = json!({
            "id": "c-1", "team": "sre", "title": "pod x", "status": "waiting", "outcome": null,
            "waiting_for": "approval", "opened_by": "root", "opened": at, "closed": null,
            "stages_done": 1, "stages": 2, "live_attempts": 0,
            "briefs": [{"version": 1, "text": "pod x"}], "attachments": [], "playbook": null,
            "generation": 0, "is_paused": false, "ending": null, "ending_reason": null,
            "plan": [stage("look", json!({"status": "done", "result": said})),
                     stage("restart", json!({"after": ["look"], "approval": asked}))],
            "attempts": [], "plan_refusals": [["a stage needs nobody"]], "report": null,
            "history": history, "history_dropped": 0,
            "freshness": {"applied_index": 1, "age_ms": 0, "is_linearizable": true},
        });
        serde_json::from_value(case).unwrap()
    }

    #[test]
    fn a_case_says_what_it_waits_for_and_how_to_go_on() {
        let text = view(&case(), &Paper::default(), 2);
        for line in [
            "status    waiting for an approval",
            "stages    1 of 2 done",
            "waits: stage restart (Restarts it.) for a lead or alice: `domo case approve c-1 restart` or `reject`",
            "plan sent back: a stage needs nobody",
            "… 18 earlier lines: --history",
            "2026-03-01T09:30:00.000Z  line 20 forged  [root]",
        ] {
            assert!(
                text.lines().any(|shown| shown == line),
                "{line} is not in\n{text}"
            );
        }
    }

    #[test]
    fn nothing_in_a_case_can_write_to_the_terminal() {
        let text = view(&case(), &Paper::default(), usize::MAX);
        assert!(!text.contains(['\u{1b}', '\u{7}']), "{text:?}");
        assert!(text.contains("all fine ]0;x"), "{text}");
        assert!(
            !text.lines().any(|line| line.starts_with("forged")),
            "{text}"
        );
    }
}

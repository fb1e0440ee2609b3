//! What an attempt's agent is given, read off the state: the contract's input folder.

use rules::State;
use rules::attempt::Body;
use rules::case::{Case, PLANNING};
use rules::id::{AttemptId, SkillName};
use rules::stage::{Need, Stage};
use rules::team::AgentSpec;
use runtime::workshop::{Bench, Input, Job};
use serde_json::json;

use crate::house::{Hindrance, House};

/// A job whose texts are not all at hand yet.
pub(super) struct Draft {
    job: Job,
    /// What is small and made here, by path.
    made: Vec<(&'static str, String)>,
}

impl Draft {
    /// Keeps what was made and adds it to the job.
    pub(super) async fn complete(mut self, house: &House) -> Result<Job, Hindrance> {
        for (path, text) in self.made {
            let body = house.keep(text).await?;
            self.job.inputs.push(Input {
                path: path.to_owned(),
                body,
            });
        }
        Ok(self.job)
    }
}

/// The job of a live attempt; none when it is over.
pub(super) fn of(state: &State, id: AttemptId) -> Option<Draft> {
    let case = state.cases.get(&id.case)?;
    let attempt = case
        .attempts
        .get(&id.number)
        .filter(|attempt| attempt.status.is_live())?;
    let stage = case.stage(&attempt.stage)?;
    let worker = state.workers.get(&attempt.worker)?;
    let agent = worker.spec.agent.clone();
    let mut inputs = Vec::new();
    texts(case, &agent, &mut inputs);
    for other in case
        .stages
        .iter()
        .filter(|other| other.spec.name != stage.spec.name)
    {
        if let Some(result) = &other.result {
            let path = format!("results/{}.json", other.spec.name);
            inputs.push(Input {
                path,
                body: result.document.clone(),
            });
        }
    }
    let job = Job {
        bench: Bench {
            worker: attempt.worker.clone(),
            epoch: attempt.epoch,
        },
        attempt: id,
        agent,
        limit_ms: attempt.limit_ms,
        parallel: worker.spec.parallel,
        inputs,
    };
    let mut made = vec![("case.json", case_json(case, stage, id))];
    if !stage.spec.brief.is_empty() {
        made.push(("stage.md", stage.spec.brief.clone()));
    }
    if stage.spec.name.as_str() == PLANNING {
        made.push(("team.json", team_json(state, case)));
        if !case.stages.is_empty() {
            made.push(("plan.json", plan_json(case)));
        }
        if let Some(reasons) = case.plan_refusals.last() {
            let lines = reasons.join("\n- ");
            made.push((
                "refusals.md",
                format!("The last plan was sent back:\n\n- {lines}\n"),
            ));
        }
    }
    Some(Draft { job, made })
}

/// The brief with its older versions, the SOUL, the skills, the attachments.
fn texts(case: &Case, agent: &AgentSpec, inputs: &mut Vec<Input>) {
    let mut add = |path: String, body: Body| inputs.push(Input { path, body });
    if let Some((last, older)) = case.briefs.split_last() {
        add("brief.md".to_owned(), last.text.clone());
        for (at, brief) in older.iter().enumerate() {
            add(format!("briefs/{}.md", at + 1), brief.text.clone());
        }
    }
    if let Some(soul) = agent.soul {
        add("SOUL.md".to_owned(), Body::Blob(soul));
    }
    for (skill, files) in &agent.skills {
        for file in files {
            add(
                format!("skills/{skill}/{}", file.path),
                Body::Blob(file.blob),
            );
        }
    }
    for attachment in &case.attachments {
        add(
            format!("attachments/{}", attachment.path),
            Body::Blob(attachment.blob),
        );
    }
}

fn case_json(case: &Case, stage: &Stage, id: AttemptId) -> String {
    let skill = match &stage.spec.need {
        Need::Skill(skill) => Some(skill.as_str()),
        Need::Worker(_) | Need::Butler => None,
    };
    json!({
        "version": 1,
        "case": case.id.to_string(),
        "title": case.title,
        "stage": stage.spec.name.as_str(),
        "stage_title": stage.spec.title,
        "skill": skill,
        "attempt": id.number,
        "brief_version": case.brief_version(),
    })
    .to_string()
}

fn team_json(state: &State, case: &Case) -> String {
    let Some(team) = case.team.as_ref().and_then(|team| state.teams.get(team)) else {
        return "{}".to_owned();
    };
    let workers: Vec<_> = team
        .workers
        .iter()
        .filter_map(|name| {
            let id = rules::id::WorkerId {
                team: team.spec.name.clone(),
                name: name.clone(),
            };
            state.workers.get(&id)
        })
        .filter(|worker| !worker.is_butler_slot)
        .map(|worker| {
            let skills: Vec<&str> = worker
                .spec
                .agent
                .skills
                .keys()
                .map(SkillName::as_str)
                .collect();
            json!({
                "name": worker.spec.id.name.as_str(),
                "title": worker.spec.title,
                "skills": skills,
            })
        })
        .collect();
    json!({"team": team.spec.name.as_str(), "title": team.spec.title, "workers": workers})
        .to_string()
}

fn plan_json(case: &Case) -> String {
    let stages: Vec<_> = case
        .stages
        .iter()
        .map(|stage| {
            json!({
                "name": stage.spec.name.as_str(),
                "title": stage.spec.title,
                "status": format!("{:?}", stage.status).to_lowercase(),
            })
        })
        .collect();
    json!({ "stages": stages }).to_string()
}

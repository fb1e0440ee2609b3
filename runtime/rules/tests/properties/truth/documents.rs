//! Whatever is in the state keeps to the shape of names and to the limits.

use rules::id::{SkillName, StageName, TeamName, WorkerName};
use rules::{limits, plan};

use super::broken;
use crate::lab::Told;

pub fn what_is_described_keeps_its_shape(told: &Told<'_>) -> Result<(), String> {
    for (id, worker) in &told.after.workers {
        let is_name = WorkerName::new(id.name.as_str()).is_ok();
        let skills = &worker.spec.agent.skills;
        let are_skills = skills
            .keys()
            .all(|skill| SkillName::new(skill.as_str()).is_ok());
        let parallel = worker.spec.parallel;
        if !is_name || !are_skills || !(1..=limits::MAX_PARALLEL).contains(&parallel) {
            return broken(format!("worker {id} is out of shape: {worker:?}"));
        }
    }
    for (name, team) in &told.after.teams {
        if TeamName::new(name.as_str()).is_err() {
            return broken(format!("team {name} is out of shape"));
        }
        for (name, playbook) in &team.playbooks {
            let faults = plan::faults(&playbook.stages);
            if !faults.is_empty() {
                return broken(format!("playbook {name} has {faults:?}"));
            }
        }
        if let Some(playbook) = &team.spec.playbook
            && !team.playbooks.contains_key(playbook)
        {
            return broken(format!(
                "team {name} leans on {playbook}, which is not there"
            ));
        }
    }
    for (id, case) in &told.after.cases {
        let mut names = case.all_stages().map(|stage| &stage.spec.name);
        if names.any(|name| StageName::new(name.as_str()).is_err())
            || case.briefs.len() > limits::MAX_BRIEFS
            || case.plan_refusals.len() > limits::MAX_PLAN_REFUSALS
        {
            return broken(format!("case {id} is out of shape: {case:?}"));
        }
    }
    Ok(())
}

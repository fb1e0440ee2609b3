//! Teams, workers, playbooks and stages, as a scenario describes them.

use std::collections::BTreeMap;

use rules::id::{PlaybookName, SkillName, StageName, TeamName};
use rules::stage::{ApprovalSpec, Approver, Need, OnFailure, StageSpec};
use rules::team::{
    AgentLimits, AgentSpec, Document, DocumentName, PlaybookSpec, TeamSpec, WorkerSpec,
};

use super::words::{Words, Wrong};

/// What a description asks for.
#[derive(Debug, Default)]
pub struct Described {
    pub put: Vec<Document>,
    pub remove: Vec<DocumentName>,
}

/// Reads the lines below `describe`.
pub fn documents(lines: &[&str]) -> Result<Described, Wrong> {
    let mut described = Described::default();
    for line in lines {
        let mut words = Words::new(line);
        if words.take("remove") {
            described.remove.push(name(&mut words)?);
        } else if words.take("team") {
            described.put.push(Document::Team(team(&mut words)?));
        } else if words.take("worker") {
            described.put.push(Document::Worker(worker(&mut words)?));
        } else if words.take("playbook") {
            described
                .put
                .push(Document::Playbook(playbook(&mut words)?));
        } else if let Some(Document::Playbook(playbook)) = described.put.last_mut() {
            playbook.stages.push(stage(&mut words)?);
        }
        words.end()?;
    }
    Ok(described)
}

/// Reads the lines below a plan.
pub fn stages(lines: &[&str]) -> Result<Vec<StageSpec>, Wrong> {
    lines
        .iter()
        .map(|line| {
            let mut words = Words::new(line);
            let stage = stage(&mut words)?;
            words.end()?;
            Ok(stage)
        })
        .collect()
}

fn name(words: &mut Words<'_>) -> Result<DocumentName, Wrong> {
    if words.take("team") {
        return Ok(DocumentName::Team(words.parse()?));
    }
    if words.take("worker") {
        return Ok(DocumentName::Worker(words.parse()?));
    }
    words.expect("playbook")?;
    let (team, name) = playbook_name(words)?;
    Ok(DocumentName::Playbook(team, name))
}

fn playbook_name(words: &mut Words<'_>) -> Result<(TeamName, PlaybookName), Wrong> {
    let word = words.word()?;
    let (team, name) = word
        .split_once('/')
        .ok_or_else(|| format!("{word} is no team/playbook"))?;
    Ok((
        team.parse().map_err(|why| format!("{why}"))?,
        name.parse().map_err(|why| format!("{why}"))?,
    ))
}

fn team(words: &mut Words<'_>) -> Result<TeamSpec, Wrong> {
    let name: TeamName = words.parse()?;
    words.expect("butler")?;
    let mut spec = TeamSpec {
        title: format!("team {name}"),
        name,
        topics: Vec::new(),
        butler: words.parse()?,
        agent: None,
        playbook: None,
        labels: BTreeMap::new(),
    };
    loop {
        if words.take("playbook") {
            spec.playbook = Some(words.parse()?);
        } else if words.take("with an agent") {
            let skills = if words.take("skills") {
                words.list(Words::parse)?
            } else {
                Vec::new()
            };
            spec.agent = Some(agent(skills));
        } else if words.take("topics") {
            spec.topics = words.list(|words| words.word().map(str::to_owned))?;
        } else if words.take("labels") {
            spec.labels = labels(words)?;
        } else {
            return Ok(spec);
        }
    }
}

fn worker(words: &mut Words<'_>) -> Result<WorkerSpec, Wrong> {
    let mut spec = WorkerSpec {
        id: words.parse()?,
        title: "a worker".to_owned(),
        agent: agent(Vec::new()),
        parallel: 1,
        idle_after_ms: 300_000,
        labels: BTreeMap::new(),
    };
    loop {
        if words.take("skills") {
            spec.agent = agent(words.list(Words::parse)?);
        } else if words.take("parallel") {
            spec.parallel = words.parse()?;
        } else if words.take("idle after") {
            spec.idle_after_ms = words.time_ms()?;
        } else if words.take("program") {
            spec.agent.command = vec![words.text()?];
        } else if words.take("wall") {
            spec.agent.limits.wall_ms = words.time_ms()?;
        } else if words.take("takes") {
            spec.agent.limits.cpu_milli = number(words, "m")?;
            spec.agent.limits.memory_bytes = number(words, "MiB")? << 20;
        } else if words.take("labels") {
            spec.labels = labels(words)?;
        } else {
            return Ok(spec);
        }
    }
}

fn agent(skills: Vec<SkillName>) -> AgentSpec {
    AgentSpec {
        kernel: "cli".to_owned(),
        command: vec!["/bin/agent".to_owned()],
        image: "scratch".to_owned(),
        env: BTreeMap::new(),
        soul: None,
        skills: skills
            .into_iter()
            .map(|skill| (skill, Vec::new()))
            .collect(),
        limits: AgentLimits {
            cpu_milli: 500,
            memory_bytes: 256 << 20,
            pids: 64,
            output_bytes: 1 << 20,
            wall_ms: 1_800_000,
        },
    }
}

fn playbook(words: &mut Words<'_>) -> Result<PlaybookSpec, Wrong> {
    let (team, name) = playbook_name(words)?;
    Ok(PlaybookSpec {
        title: format!("playbook {name}"),
        team,
        name,
        stages: Vec::new(),
    })
}

fn stage(words: &mut Words<'_>) -> Result<StageSpec, Wrong> {
    let name: StageName = words.parse()?;
    words.expect("needs")?;
    let need = if words.take("worker") {
        Need::Worker(words.parse()?)
    } else if words.take("the butler") {
        Need::Butler
    } else {
        words.expect("skill")?;
        Need::Skill(words.parse()?)
    };
    let mut spec = StageSpec {
        title: format!("stage {name}"),
        name,
        need,
        after: Vec::new(),
        limit_ms: Some(600_000),
        attempts: 2,
        approval: None,
        on_failure: OnFailure::Fail,
        brief: String::new(),
    };
    loop {
        if words.take("after") {
            spec.after = words.list(Words::parse)?;
        } else if words.take("limit") {
            spec.limit_ms = Some(words.time_ms()?);
        } else if words.take("no limit") {
            spec.limit_ms = None;
        } else if words.take("attempts") {
            spec.attempts = words.parse()?;
        } else if words.take("may fail") {
            spec.on_failure = OnFailure::Continue;
        } else if words.take("approval") {
            spec.approval = Some(approval(words)?);
        } else if words.take("brief") {
            spec.brief = words.text()?;
        } else {
            return Ok(spec);
        }
    }
}

fn approval(words: &mut Words<'_>) -> Result<ApprovalSpec, Wrong> {
    let mut by = Vec::new();
    if words.take("by") {
        by = words.list(|words| {
            if words.take("role") {
                return Ok(Approver::Role(words.word()?.to_owned()));
            }
            Ok(Approver::Human(words.parse()?))
        })?;
    }
    let note = if words.is_text() {
        words.text()?
    } else {
        String::new()
    };
    Ok(ApprovalSpec { by, note })
}

/// Takes a number with its unit, such as `500m`.
pub fn number(words: &mut Words<'_>, unit: &str) -> Result<u64, Wrong> {
    let word = words.word()?;
    word.strip_suffix(unit)
        .and_then(|digits| digits.parse().ok())
        .ok_or_else(|| format!("{word} is no number of {unit}"))
}

/// Takes labels such as `zone=a, disk=fast`.
pub fn labels(words: &mut Words<'_>) -> Result<BTreeMap<String, String>, Wrong> {
    let pairs = words.list(|words| {
        let word = words.word()?;
        let (key, value) = word
            .split_once('=')
            .ok_or_else(|| format!("{word} is no label=value"))?;
        Ok((key.to_owned(), value.to_owned()))
    })?;
    Ok(pairs.into_iter().collect())
}

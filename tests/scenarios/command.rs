//! What is asked, in the words of the scenarios.

use rules::attempt::{Artifact, AttemptOutcome, Body, StageResult};
use rules::case::{Attachment, Brief, Report};
use rules::command::{Command, Plan, Principal, Progress};
use rules::duty::{self, Duty, Holder};
use rules::id::{AttemptId, BlobRef, CaseId};
use rules::place::{Chooser, Placed, Placement};

use super::words::{Words, Wrong};
use super::world::World;
use super::{ask, chaos, describe, effects, nodes, people, record, rooms};

/// Reads what follows `who:` and the lines below it.
pub fn read(
    world: &World,
    principal: &Principal,
    words: &mut Words<'_>,
    below: &[&str],
) -> Result<Command, Wrong> {
    if words.take("describe") {
        let described = describe::documents(below)?;
        return Ok(Command::ApplyDocuments {
            put: described.put,
            remove: described.remove,
        });
    }
    if words.take("plan") {
        return plan(world, words, below);
    }
    if let Some(command) = chaos::read(world, principal, words)? {
        return Ok(command);
    }
    if let Some(command) = people::read(words, below)? {
        return Ok(command);
    }
    if let Some(command) = rooms::read(words)? {
        return Ok(command);
    }
    if let Some(command) = effects::read(world, words)? {
        return Ok(command);
    }
    if let Some(command) = nodes::read(world, principal, words)? {
        return Ok(command);
    }
    if let Some(command) = record::read(words)? {
        return Ok(command);
    }
    if words.take("place") {
        let placements = placements(world, words)?;
        return Ok(Command::Place { placements });
    }
    if let Some(command) = of_human(words)? {
        return Ok(command);
    }
    of_persona(world, words)
}

fn of_human(words: &mut Words<'_>) -> Result<Option<Command>, Wrong> {
    Ok(Some(if words.take("open a case") {
        open(words)?
    } else if words.take("cancel") {
        Command::CancelCase {
            case: words.parse()?,
            reason: words.text()?,
        }
    } else if words.take("pause") {
        Command::PauseCase {
            case: words.parse()?,
            reason: words.text()?,
        }
    } else if words.take("resume") {
        Command::ResumeCase {
            case: words.parse()?,
        }
    } else if words.take("amend") {
        Command::AmendCase {
            case: words.parse()?,
            brief: brief(words.text()?),
            attachments: attachments(words)?,
        }
    } else if words.take("answer") {
        Command::AnswerStage {
            case: words.parse()?,
            stage: words.parse()?,
            result: result(words)?,
        }
    } else if words.take("approve") {
        Command::ApproveStage {
            case: words.parse()?,
            stage: words.parse()?,
            note: words.text()?,
        }
    } else if words.take("reject") {
        Command::RejectStage {
            case: words.parse()?,
            stage: words.parse()?,
            reason: words.text()?,
        }
    } else if words.take("route") {
        let case = words.parse()?;
        words.expect("to")?;
        Command::RouteCase {
            case,
            team: words.parse()?,
            reason: words.text()?,
        }
    } else if words.take("replace worker") {
        Command::ReplaceWorker {
            worker: words.parse()?,
            reason: words.text()?,
        }
    } else {
        return Ok(None);
    }))
}

fn of_persona(world: &World, words: &mut Words<'_>) -> Result<Command, Wrong> {
    Ok(if words.take("tick") {
        Command::Tick
    } else if words.take("refuse the plan of") {
        let case = words.parse()?;
        Command::RefusePlan {
            case,
            generation: generation(world, words, case)?,
            reasons: words.list(Words::text)?,
        }
    } else if words.take("prepare") {
        Command::AdvanceAttempt {
            attempt: attempt(words)?,
            to: Progress::Preparing,
        }
    } else if words.take("run") {
        Command::AdvanceAttempt {
            attempt: attempt(words)?,
            to: Progress::Running,
        }
    } else if words.take("finish") {
        Command::FinishAttempt {
            attempt: attempt(words)?,
            outcome: AttemptOutcome::Succeeded(result(words)?),
        }
    } else if words.take("fail") {
        Command::FinishAttempt {
            attempt: attempt(words)?,
            outcome: AttemptOutcome::Failed {
                reason: words.text()?,
            },
        }
    } else if words.take("lose") {
        Command::LoseAttempt {
            attempt: attempt(words)?,
            reason: words.text()?,
        }
    } else {
        words.expect("report")?;
        let case = words.parse()?;
        Command::ReportCase {
            case,
            generation: generation(world, words, case)?,
            report: Box::new(report(words.text()?)),
        }
    })
}

fn open(words: &mut Words<'_>) -> Result<Command, Wrong> {
    let team = if words.take("for") {
        Some(words.parse()?)
    } else {
        None
    };
    let title = words.text()?;
    let brief = if words.take("brief") {
        brief(words.text()?)
    } else {
        brief(title.clone())
    };
    let playbook = if words.take("playbook") {
        Some(words.parse()?)
    } else {
        None
    };
    Ok(Command::OpenCase {
        team,
        title,
        brief,
        attachments: attachments(words)?,
        playbook,
    })
}

fn brief(text: String) -> Brief {
    Brief {
        text: Body::Inline(text),
    }
}

fn attachments(words: &mut Words<'_>) -> Result<Vec<Attachment>, Wrong> {
    if !words.take("with") {
        return Ok(Vec::new());
    }
    words.list(|words| {
        let path = words.word()?.to_owned();
        let bytes = if words.take("of") {
            describe::number(words, "MiB")? << 20
        } else {
            100
        };
        // Another name is another blob.
        let mut sha256 = [7; 32];
        for (at, byte) in path.bytes().enumerate() {
            sha256[at % 32] ^= byte;
        }
        let blob = BlobRef { sha256, bytes };
        Ok(Attachment { path, blob })
    })
}

fn result(words: &mut Words<'_>) -> Result<StageResult, Wrong> {
    Ok(StageResult {
        summary: words.text()?,
        document: Body::Inline("{}".to_owned()),
        artifacts: attachments(words)?
            .into_iter()
            .map(|file| Artifact {
                name: file.path,
                blob: file.blob,
            })
            .collect(),
    })
}

fn report(summary: String) -> Report {
    Report {
        summary,
        root_cause: None,
        recommendation: None,
        impact: None,
        document: Body::Inline("{}".to_owned()),
        markdown: Body::Inline("# Report".to_owned()),
    }
}

/// Takes `c-1.2`.
pub fn attempt(words: &mut Words<'_>) -> Result<AttemptId, Wrong> {
    let word = words.word()?;
    let wrong = || format!("{word} is no attempt such as c-1.2");
    let (case, number) = word.split_once('.').ok_or_else(wrong)?;
    Ok(AttemptId {
        case: case.parse().map_err(|_| wrong())?,
        number: number.parse().map_err(|_| wrong())?,
    })
}

/// The generation that is said, else the case's present one.
fn generation(world: &World, words: &mut Words<'_>, case: CaseId) -> Result<u32, Wrong> {
    if words.take("generation") {
        return words.parse();
    }
    Ok(world
        .state
        .cases
        .get(&case)
        .map_or(1, |case| case.generation))
}

fn plan(world: &World, words: &mut Words<'_>, below: &[&str]) -> Result<Command, Wrong> {
    let case = words.parse()?;
    let generation = generation(world, words, case)?;
    let plan = if words.take("by playbook") {
        Plan::Playbook(words.parse()?)
    } else {
        words.expect("by agent")?;
        Plan::Agent(describe::stages(below)?)
    };
    Ok(Command::PlanCase {
        case,
        generation,
        plan,
    })
}

/// `place all` does the Manager's duties; otherwise one is placed by hand.
fn placements(world: &World, words: &mut Words<'_>) -> Result<Vec<Placement>, Wrong> {
    if words.take("all") {
        let due = duty::duties(&world.state).remove(&Holder::Manager);
        let mut chooser = Chooser::new();
        return Ok(due
            .unwrap_or_default()
            .into_iter()
            .filter_map(|duty| {
                let Duty::Place { who, epoch } = duty else {
                    return None;
                };
                chooser.choose(&world.state, &who, epoch).ok()
            })
            .collect());
    }
    let (who, present) = if words.take("team") {
        let team = words.parse()?;
        let present = world.state.teams.get(&team).map(|team| team.epoch);
        (Placed::Team(team), present)
    } else {
        words.expect("worker")?;
        let worker = words.parse()?;
        let present = world.state.workers.get(&worker).map(|worker| worker.epoch);
        (Placed::Worker(worker), present)
    };
    words.expect("on")?;
    Ok(vec![Placement {
        who,
        node: words.parse()?,
        epoch: ask::epoch(words, present)?,
        reason: "by hand".to_owned(),
    }])
}

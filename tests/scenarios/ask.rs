//! Who asks, and what: the lines of a scenario that begin with `>`.

use rules::command::{Command, Principal, Proposal, Request, Who};
use rules::id::{Epoch, RequestId};

use super::command;
use super::words::{Words, Wrong};
use super::world::World;

/// Names the commands in the words of the scenarios; a new variant does not compile without.
macro_rules! commands {
    ($($variant:ident => $words:literal),* $(,)?) => {
        /// All commands, in the words of the scenarios.
        pub const COMMANDS: &[&str] = &[$($words),*];

        /// A command in the words of the scenarios.
        pub fn name(command: &Command) -> &'static str {
            match command {
                $(Command::$variant { .. } => $words),*
            }
        }
    };
}

commands! {
    ApplyDocuments => "describe",
    OpenCase => "open a case",
    CancelCase => "cancel",
    PauseCase => "pause",
    ResumeCase => "resume",
    AmendCase => "amend",
    AnswerStage => "answer",
    ApproveStage => "approve",
    RejectStage => "reject",
    ReplaceWorker => "replace worker",
    JoinNode => "join",
    Place => "place",
    RouteCase => "route",
    PlanCase => "plan",
    RefusePlan => "refuse the plan",
    AdvanceAttempt => "advance",
    FinishAttempt => "finish",
    LoseAttempt => "lose",
    ReportCase => "report",
    Tick => "tick",
    MintToken => "mint token",
    RevokeToken => "revoke token",
    AdmitNode => "admit",
    JudgeNode => "judge",
    DrainNode => "drain",
    RemoveNode => "remove",
    SetRole => "let vote",
    PutTarget => "put target",
    RemoveTarget => "remove target",
    BeginEffect => "begin",
    EndEffect => "end",
    SettleEffect => "settle",
    PutHumans => "put humans",
    RemoveHuman => "remove human",
    SetHumanRole => "make",
    MintHumanToken => "give token",
    RevokeHumanToken => "take token",
    PutPolicy => "put policy",
    RemovePolicy => "remove policy",
    RecordDenials => "record denials",
    BeginAgain => "found the cluster again",
    NoteDeed => "note",
    EraseCase => "erase",
    RaiseVersion => "raise the rules",
    TellWayOut => "tell of secrets",
    PostMessage => "say",
    MarkRead => "read up to",
    Chaos => "chaos",
}

/// A command of a scenario, with the time that passed before it.
pub struct Asked {
    pub elapsed_ms: u64,
    pub term: Option<u64>,
    pub decided: Decided,
    pub proposal: Proposal,
}

/// On which state it is decided whether a command may be asked.
pub enum Decided {
    Now,
    /// As it was before what was asked last.
    Before,
    Never,
}

/// Reads `[+TIME] WHO: COMMAND [request ID] [term N] [decided before|never]` and the lines below it.
pub fn read(world: &World, line: &str, below: &[&str]) -> Result<Asked, Wrong> {
    let (line, decided) = bracketed(line, "decided");
    let decided = match decided {
        None => Decided::Now,
        Some("before") => Decided::Before,
        Some("never") => Decided::Never,
        Some(other) => return Err(format!("decided {other}: before or never")),
    };
    let (line, term) = bracketed(line, "term");
    let (line, request) = bracketed(line, "request");
    let (who, what) = line
        .split_once(": ")
        .ok_or_else(|| "expected `who: what`".to_owned())?;
    let mut who = Words::new(who);
    let mut elapsed_ms = 0;
    if let Some(rest) = who.rest().strip_prefix('+') {
        who = Words::new(rest);
        elapsed_ms = who.time_ms()?;
    }
    let term = term
        .map(|term| term.parse().map_err(|why| format!("{term}: {why}")))
        .transpose()?;
    let principal = principal(world, &mut who, term)?;
    who.end()?;
    let mut words = Words::new(what);
    let command = command::read(world, &principal, &mut words, below)?;
    words.end()?;
    let request = request
        .map(|id| {
            Ok::<_, Wrong>(Request {
                id: RequestId::new(id).map_err(|why| why.to_string())?,
                digest: digest(&command),
            })
        })
        .transpose()?;
    let wall_ms = world.state.clock.0 + elapsed_ms;
    let proposal = Proposal {
        request,
        principal,
        wall_ms,
        command,
        decision: None,
    };
    Ok(Asked {
        elapsed_ms,
        term,
        decided,
        proposal,
    })
}

/// Splits `… [name value]` off the end of a line.
fn bracketed<'a>(line: &'a str, name: &str) -> (&'a str, Option<&'a str>) {
    let found = line
        .strip_suffix(']')
        .and_then(|line| line.rsplit_once(" ["))
        .and_then(|(before, inner)| Some((before, inner.strip_prefix(name)?.trim())));
    found.map_or((line, None), |(before, value)| (before, Some(value)))
}

/// A digest that tells commands apart (FNV-1a over how it is printed).
fn digest(command: &Command) -> u64 {
    format!("{command:?}")
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        })
}

fn principal(
    world: &World,
    words: &mut Words<'_>,
    new_term: Option<u64>,
) -> Result<Principal, Wrong> {
    let who = if words.take("ledger") {
        Who::Ledger
    } else if words.take("manager") {
        let term = if words.take("of term") {
            words.parse()?
        } else {
            new_term.unwrap_or(world.term)
        };
        Who::Manager { term }
    } else if words.take("butler of") {
        let team = words.parse()?;
        let present = world.state.teams.get(&team).map(|found| found.epoch);
        Who::Butler {
            team,
            epoch: epoch(words, present)?,
        }
    } else if words.take("worker") {
        let worker = words.parse()?;
        let present = world.state.workers.get(&worker).map(|worker| worker.epoch);
        Who::Worker {
            worker,
            epoch: epoch(words, present)?,
        }
    } else if words.rest().starts_with("n-") {
        Who::Node(words.parse()?)
    } else {
        Who::Human(words.parse()?)
    };
    let on_behalf_of = if words.take("for") {
        Some(words.parse()?)
    } else {
        None
    };
    Ok(Principal {
        who,
        on_behalf_of,
        token: None,
    })
}

/// The epoch that is said, else the present one.
pub fn epoch(words: &mut Words<'_>, present: Option<Epoch>) -> Result<Epoch, Wrong> {
    if words.take("at epoch") {
        return Ok(Epoch(words.parse()?));
    }
    Ok(present.unwrap_or_default())
}
